//! A TCP proxy on loopback that does to connections what networks do.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::ports;

/// Bytes that are passed on together.
const CHUNK: usize = 16 * 1024;

/// What is wrong with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Every chunk is held back for so long, in each direction.
    Delay(Duration),
    /// So many bytes pass in a second, on each connection and in each direction.
    Bandwidth {
        bytes_per_second: u32,
    },
    /// Every connection is reset (RST), and every new one.
    Reset,
    /// Nothing passes, and nobody is told: no end, no reset. What was sent arrives when it is over.
    Partition,
    /// The server forgot the connections that there are, as after a crash of its machine: a client
    /// learns of it (RST) when it next sends something (RFC 9293, 3.5.1). New connections work. It
    /// stays so for those connections when the fault is over.
    HalfOpen,
    /// The same, and their clients are never told, whatever they send.
    Silent,
}

/// A running proxy. It ends with this value, and all connections with it.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    fault: watch::Sender<Fault>,
    task: AbortHandle,
}

impl Proxy {
    /// Listens on a free loopback port and connects to another one.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(to_port: u16) -> io::Result<Self> {
        let port = ports::free_port()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let (fault, faults) = watch::channel(Fault::None);
        let task = tokio::spawn(accept(listener, to_port, faults)).abort_handle();
        Ok(Self { port, fault, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, for the connections that there are and for new ones.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, to_port: u16, faults: watch::Receiver<Fault>) {
    // Dropped, and so ended, with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A client that is gone already is none.
                if let Ok((client, _)) = accepted {
                    connections.spawn(connect(client, to_port, faults.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Connects a client that has come, once the network lets it.
async fn connect(client: TcpStream, to_port: u16, mut faults: watch::Receiver<Fault>) {
    let fault = faults.wait_for(|fault| *fault != Fault::Partition).await;
    // Without a sender there is no proxy any more.
    let Ok(fault) = fault.map(|fault| *fault) else {
        return;
    };
    if fault == Fault::Reset {
        reset(client);
        return;
    }
    if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to_port)).await {
        serve(client, server, faults).await;
    }
}

async fn serve(mut client: TcpStream, mut server: TcpStream, faults: watch::Receiver<Fault>) {
    // Small messages are not worth waiting for; without it they only arrive later.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let cut = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let passing = async {
            // An error on one side ends both.
            let _ = tokio::try_join!(
                pass(&mut from_client, &mut to_server, faults.clone()),
                pass(&mut from_server, &mut to_client, faults.clone()),
            );
        };
        tokio::select! {
            () = passing => return,
            cut = cut(faults.clone()) => cut,
        }
    };
    match cut {
        Cut::Reset => {
            reset(client);
            reset(server);
        }
        Cut::Forgotten => {
            drop(server);
            let _ = client.read(&mut [0]).await;
            reset(client);
        }
        Cut::Silenced => {
            drop(server);
            swallow(client).await;
        }
    }
}

/// The end of a connection that was not asked for by either side.
enum Cut {
    Reset,
    /// The server's side is gone. The client learns it when it sends something ...
    Forgotten,
    /// ... or never.
    Silenced,
}

/// Waits for it. Only a fault that begins now is one: a connection that was made under
/// [`Fault::HalfOpen`] or [`Fault::Silent`] is as good as any.
async fn cut(mut faults: watch::Receiver<Fault>) -> Cut {
    loop {
        if faults.changed().await.is_err() {
            return Cut::Reset;
        }
        match *faults.borrow_and_update() {
            Fault::Reset => return Cut::Reset,
            Fault::HalfOpen => return Cut::Forgotten,
            Fault::Silent => return Cut::Silenced,
            Fault::None | Fault::Delay(_) | Fault::Bandwidth { .. } | Fault::Partition => {}
        }
    }
}

async fn pass(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    mut faults: watch::Receiver<Fault>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        let fault = faults.wait_for(|fault| *fault != Fault::Partition).await;
        let fault = fault.map(|fault| *fault).map_err(io::Error::other)?;
        sleep(hold(fault, length)).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
    }
}

/// How long a chunk of this length is held back.
fn hold(fault: Fault, length: usize) -> Duration {
    match fault {
        Fault::Delay(delay) => delay,
        Fault::Bandwidth { bytes_per_second } => {
            Duration::from_secs_f64(length as f64 / f64::from(bytes_per_second.max(1)))
        }
        Fault::None | Fault::Reset | Fault::Partition | Fault::HalfOpen | Fault::Silent => {
            Duration::ZERO
        }
    }
}

/// Takes what the client still sends, and answers nothing, until it gives up.
async fn swallow(mut client: TcpStream) {
    let mut chunk = vec![0; CHUNK];
    while client.read(&mut chunk).await.is_ok_and(|length| length > 0) {}
}

fn reset(connection: TcpStream) {
    // Otherwise it ends in the usual way, which is an end, too.
    let _ = connection.set_zero_linger();
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    /// A server that answers each byte with the same, and a proxy before it.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = peer.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        Proxy::start(port).await.unwrap()
    }

    async fn client(proxy: &Proxy) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port()))
            .await
            .unwrap()
    }

    async fn ask(client: &mut TcpStream) -> io::Result<u8> {
        client.write_all(b"x").await?;
        client.read_u8().await
    }

    const MOMENT: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn without_a_fault_everything_passes_and_an_end_is_passed_on() {
        let proxy = echo().await;
        let mut client = client(&proxy).await;
        assert_eq!(ask(&mut client).await.unwrap(), b'x');
        client.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_delay_holds_back_each_way() {
        let proxy = echo().await;
        let mut client = client(&proxy).await;
        proxy.set(Fault::Delay(MOMENT));
        let asked = Instant::now();
        ask(&mut client).await.unwrap();
        assert!(asked.elapsed() >= 2 * MOMENT);
    }

    #[tokio::test]
    async fn a_partition_is_silent_and_loses_nothing() {
        let proxy = echo().await;
        let mut old = client(&proxy).await;
        ask(&mut old).await.unwrap();
        proxy.set(Fault::Partition);
        let mut new = client(&proxy).await;
        new.write_all(b"y").await.unwrap();
        old.write_all(b"x").await.unwrap();
        assert!(timeout(MOMENT, old.read_u8()).await.is_err());
        assert!(timeout(MOMENT, new.read_u8()).await.is_err());
        proxy.set(Fault::None);
        assert_eq!(old.read_u8().await.unwrap(), b'x');
        assert_eq!(new.read_u8().await.unwrap(), b'y');
    }

    #[tokio::test]
    async fn a_reset_ends_old_and_new_connections() {
        let proxy = echo().await;
        let mut old = client(&proxy).await;
        ask(&mut old).await.unwrap();
        proxy.set(Fault::Reset);
        let ended = old.read_u8().await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::ConnectionReset);
        let mut new = client(&proxy).await;
        assert!(ask(&mut new).await.is_err());
    }

    #[tokio::test]
    async fn a_half_open_connection_is_reset_when_it_is_used_and_a_new_one_works() {
        let proxy = echo().await;
        let mut old = client(&proxy).await;
        ask(&mut old).await.unwrap();
        proxy.set(Fault::HalfOpen);
        assert!(timeout(MOMENT, old.read_u8()).await.is_err());
        assert!(ask(&mut old).await.is_err());
        let mut new = client(&proxy).await;
        assert_eq!(ask(&mut new).await.unwrap(), b'x');
    }

    #[tokio::test]
    async fn a_silent_connection_is_never_told_and_a_new_one_works() {
        let proxy = echo().await;
        let mut old = client(&proxy).await;
        ask(&mut old).await.unwrap();
        proxy.set(Fault::Silent);
        old.write_all(b"x").await.unwrap();
        assert!(timeout(MOMENT, old.read_u8()).await.is_err());
        let mut new = client(&proxy).await;
        assert_eq!(ask(&mut new).await.unwrap(), b'x');
        proxy.set(Fault::None);
        assert!(timeout(MOMENT, old.read_u8()).await.is_err());
    }
}
