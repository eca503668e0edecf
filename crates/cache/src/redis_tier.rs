//! The shared tier. Nothing here returns an error to a reader: a failure is a miss, counted.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::RedisLink;

/// Starts every value. Another version, after a change of the format, reads as a miss.
const FORMAT: &[u8] = b"1:";

pub(crate) struct RedisTier {
    pub(crate) link: RedisLink,
    namespace: String,
}

impl RedisTier {
    pub(crate) fn new(link: RedisLink, namespace: String) -> Self {
        Self { link, namespace }
    }

    /// The value and how long it has left; `None` when there is none that this version can read.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Option<(T, Duration)> {
        let mut pipeline = redis::pipe();
        let full_key = self.full_key(key);
        pipeline.get(&full_key).pttl(&full_key);
        let (bytes, left): (Option<Vec<u8>>, i64) =
            self.link.pipeline("get", &pipeline).await.ok()?;
        // Negative: gone since, or kept for ever, which is not our doing.
        let left = Duration::from_millis(u64::try_from(left).ok()?);
        let bytes = bytes?;
        let value = decode(&bytes);
        if value.is_none() {
            tracing::debug!(key, "unreadable in the cache, loaded anew");
        }
        Some((value?, left))
    }

    pub(crate) async fn set<T: Serialize>(&self, key: &str, value: &T, lifetime: Duration) {
        let milliseconds = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        // Redis refuses a lifetime of nothing.
        if milliseconds == 0 || !self.link.is_available() {
            return;
        }
        let bytes = match encode(value) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(key, %error, "not cached in Redis: it has no JSON form");
                return;
            }
        };
        let mut command = redis::cmd("SET");
        command.arg(self.full_key(key)).arg(bytes);
        command.arg("PX").arg(milliseconds);
        // What failed has been counted, and the reader has its value.
        let _ = self.link.command::<()>("set", &command).await;
    }

    pub(crate) async fn remove(&self, key: &str) {
        let command = redis::Cmd::del(self.full_key(key));
        // What failed has been counted; the old value ends with its lifetime.
        let _ = self.link.command::<()>("remove", &command).await;
    }

    fn full_key(&self, key: &str) -> String {
        format!("{}:{key}", self.namespace)
    }
}

fn encode<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = FORMAT.to_vec();
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes.strip_prefix(FORMAT)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_format_is_read() {
        assert_eq!(encode(&[1, 2]).unwrap(), b"1:[1,2]");
        assert_eq!(decode::<Vec<u8>>(b"1:[1,2]"), Some(vec![1, 2]));
        for foreign in ["", "1:", "[1,2]", "2:[1,2]", "1:[1,", "1:{\"a\":1}"] {
            assert_eq!(decode::<Vec<u8>>(foreign.as_bytes()), None, "{foreign}");
        }
    }
}
