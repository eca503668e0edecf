//! Cutting a connection whose client has stopped reading.
//!
//! The HTTP server waits for a blocked write without end, and the task that serves a WebSocket has no
//! handle on the socket. So a handle is kept when the connection is accepted: shutting the socket
//! down through it makes the waiting write fail.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use actix_web::{HttpRequest, dev::Extensions, rt::net};

/// A second handle on a connection's socket.
struct Socket(Arc<TcpStream>);

/// Give this to `HttpServer::on_connect`. Without it, stuck readers are abandoned rather than cut:
/// their subscriptions end, and their socket stays until the system gives it up.
pub fn remember_socket(io: &dyn Any, extensions: &mut Extensions) {
    #[cfg(unix)]
    if let Some(stream) = io.downcast_ref::<net::TcpStream>() {
        use std::os::fd::AsFd as _;
        match stream.as_fd().try_clone_to_owned() {
            Ok(handle) => {
                extensions.insert(Socket(Arc::new(TcpStream::from(handle))));
            }
            Err(error) => tracing::warn!(%error, "no second handle on a socket"),
        }
    }
}

/// Ends the connection when called.
pub(super) struct Cut(Option<Arc<TcpStream>>);

/// The means to cut the connection that `request` came over.
pub(super) fn cut_of(request: &HttpRequest) -> Cut {
    Cut(request
        .conn_data::<Socket>()
        .map(|socket| Arc::clone(&socket.0)))
}

impl Cut {
    /// Ends the connection at once, without a closing handshake.
    pub(super) fn now(&self) {
        if let Some(socket) = &self.0 {
            // Fails only when the client was quicker.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
