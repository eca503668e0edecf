//! What is done to a connection's socket when it is accepted, before anybody knows that it will
//! carry a WebSocket.
//!
//! The HTTP server waits for a blocked write without end, and the task that serves a WebSocket has
//! no handle on the socket. So the system is told how long a client may leave sent bytes unread:
//! then it ends the connection, and the waiting write fails. A second handle on the socket, through
//! which to shut it down, would double the descriptors that idle connections cost.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::{HttpRequest, dev::Extensions, rt::net};

use super::admission::Seat;

/// Where the place of a WebSocket is kept as long as its connection lasts, which may be longer than
/// the task that serves it: bytes for a client that reads slowly may still be on their way.
#[derive(Default)]
struct Occupied(OnceLock<Arc<Seat>>);

/// Give this to `HttpServer::on_connect`. A client that takes none of the bytes sent to it for
/// `write_timeout` is cut (`TCP_USER_TIMEOUT`, tcp(7)); where the system can't do that, its
/// subscriptions end, and its socket stays until the system gives it up.
pub fn prepare_socket(
    write_timeout: Duration,
) -> impl Fn(&dyn Any, &mut Extensions) + Clone + Send + Sync + 'static {
    move |io, extensions| {
        extensions.insert(Occupied::default());
        #[cfg(target_os = "linux")]
        if let Some(stream) = io.downcast_ref::<net::TcpStream>() {
            let socket = socket2::SockRef::from(stream);
            if let Err(error) = socket.set_tcp_user_timeout(Some(write_timeout)) {
                tracing::warn!(%error, "a socket without a time limit");
            }
        }
    }
}

/// Keeps `seat` taken until the connection of `request` has ended.
pub(super) fn occupy(request: &HttpRequest, seat: &Arc<Seat>) {
    if let Some(occupied) = request.conn_data::<Occupied>() {
        // A connection becomes a WebSocket once: nobody was here before.
        let _ = occupied.0.set(Arc::clone(seat));
    }
}
