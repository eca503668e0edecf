//! Bounds of GraphQL over WebSocket.

use std::time::Duration;

use gateway::graphql::websocket::SocketConfig;
use serde::Deserialize;
use service_kit::browser::OwnOrigin;

#[derive(Clone, Debug, Deserialize)]
pub struct WebSocket {
    pub connections: u32,
    pub connections_per_user: u32,
    pub operations: u32,
    pub message_bytes: u32,
    pub read_deadline_seconds: u64,
    pub ping_seconds: u64,
    pub reconnect_within_seconds: u64,
}

impl WebSocket {
    /// For pages of `own_origin`.
    #[must_use]
    pub fn config(&self, own_origin: OwnOrigin) -> SocketConfig {
        SocketConfig {
            connections: self.connections as usize,
            connections_per_user: self.connections_per_user as usize,
            operations: self.operations as usize,
            message_bytes: self.message_bytes as usize,
            write_timeout: self.write_timeout(),
            ping_interval: Duration::from_secs(self.ping_seconds),
            reconnect_within: Duration::from_secs(self.reconnect_within_seconds),
            own_origin,
            ..SocketConfig::default()
        }
    }

    #[must_use]
    pub fn write_timeout(&self) -> Duration {
        Duration::from_secs(self.read_deadline_seconds)
    }

    /// Each number, by its key, and the least that it may be.
    pub(super) fn amounts(&self) -> [(&'static str, u64, u64); 7] {
        [
            ("gateway.websocket.connections", self.connections.into(), 1),
            (
                "gateway.websocket.connections_per_user",
                self.connections_per_user.into(),
                1,
            ),
            ("gateway.websocket.operations", self.operations.into(), 1),
            // A token alone has a thousand.
            (
                "gateway.websocket.message_bytes",
                self.message_bytes.into(),
                4096,
            ),
            (
                "gateway.websocket.read_deadline_seconds",
                self.read_deadline_seconds,
                1,
            ),
            ("gateway.websocket.ping_seconds", self.ping_seconds, 1),
            (
                "gateway.websocket.reconnect_within_seconds",
                self.reconnect_within_seconds,
                1,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use service_kit::config::ConfigErrors;

    use super::*;
    use crate::{Role, settings::Settings};

    fn load(pairs: &[(&str, &str)]) -> Result<WebSocket, ConfigErrors> {
        let set = |loader: service_kit::config::Loader, (key, value): &(&str, &str)| {
            loader.set(key, value)
        };
        let loader = pairs.iter().fold(Settings::loader().unwrap(), set);
        Settings::load(loader, Role::All).map(|settings| settings.gateway.websocket)
    }

    #[test]
    fn sockets_are_bounded_as_the_settings_say() {
        let pairs = [
            ("gateway.websocket.connections_per_user", "7"),
            ("gateway.websocket.read_deadline_seconds", "3"),
        ];
        let config = load(&pairs).unwrap().config(OwnOrigin::default());
        assert_eq!(config.connections_per_user, 7);
        assert_eq!(config.write_timeout, Duration::from_secs(3));
        assert_eq!(config.operations, 100);
        assert_eq!(config.init_timeout, Duration::from_secs(3));
    }

    #[test]
    fn none_at_all_is_refused() {
        let refused = load(&[("gateway.websocket.operations", "0")]).unwrap_err();
        let keys: Vec<_> = refused.0.iter().map(|error| error.key.as_str()).collect();
        assert_eq!(keys, ["gateway.websocket.operations"]);
    }
}
