//! Ports for servers that must come back on the same port after a restart.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use uuid::Uuid;

/// Below Linux' ephemeral range (32768 and up): while a server is down, no outgoing connection of
/// a busy test run can take its port, which a port from `bind(0)` does not promise.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static HANDED_OUT: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A loopback port that nothing listens on, handed out once in this process.
///
/// # Errors
/// When a thousand randomly chosen ports were all taken.
pub fn free_port() -> std::io::Result<u16> {
    let mut handed_out = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut last_error = None;
    for _ in 0..1000 {
        let port = random_port();
        if handed_out.contains(&port) {
            continue;
        }
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => {
                handed_out.insert(port);
                return Ok(port);
            }
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()))
}

fn random_port() -> u16 {
    let [low, high, ..] = *Uuid::new_v4().as_bytes();
    FIRST + u16::from_le_bytes([low, high]) % COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_can_be_bound_and_stay_below_the_ephemeral_range() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        for port in ports {
            assert!((20_000..32_000).contains(&port));
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
