//! The shared tier. Nothing here returns an error to a reader: a failure is a miss, counted.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Key, LONGEST_LIFETIME, RedisLink};

/// Starts every value. Another version, after a change of the format, reads as a miss.
const FORMAT: &str = "2";
/// A group that was never invalidated, or so long ago that no value of before is left.
const FIRST_GENERATION: &str = "0";

pub(crate) struct RedisTier {
    pub(crate) link: RedisLink,
    namespace: String,
}

/// What Redis has of a key.
pub(crate) struct Answer<T> {
    pub(crate) hit: Option<Hit<T>>,
    /// A value that is loaded from now on is written under it.
    pub(crate) generation: Generation,
}

pub(crate) struct Hit<T> {
    pub(crate) value: T,
    /// What is left of its lifetime.
    pub(crate) left: Duration,
    /// What its load took.
    pub(crate) took: Duration,
}

/// Names the time between two invalidations of a group. Every value carries that in which its load
/// began, and is valid in it alone: what an old reader writes late is valid for nobody.
pub(crate) struct Generation(String);

impl RedisTier {
    pub(crate) fn new(link: RedisLink, namespace: String) -> Self {
        Self { link, namespace }
    }

    /// `None`: Redis can't be asked.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: Key<'_>) -> Option<Answer<T>> {
        let mut pipeline = redis::pipe();
        let value_key = self.value_key(key);
        // The generation first: what follows is of it or of a later one.
        pipeline.get(self.generation_key(key.group));
        pipeline.get(&value_key).pttl(&value_key);
        let (generation, bytes, left): (Option<String>, Option<Vec<u8>>, i64) =
            self.link.pipeline("get", &pipeline).await.ok()?;
        let generation = generation.unwrap_or_else(|| FIRST_GENERATION.to_owned());
        let decoded = bytes.and_then(|bytes| decode(&bytes, &generation));
        // Negative: gone since, or kept for ever, which is not our doing.
        let left = u64::try_from(left).map(Duration::from_millis);
        let hit = decoded
            .zip(left.ok())
            .map(|((value, took), left)| Hit { value, left, took });
        Some(Answer {
            hit,
            generation: Generation(generation),
        })
    }

    pub(crate) async fn set<T: Serialize>(
        &self,
        key: Key<'_>,
        value: &T,
        lifetime: Duration,
        took: Duration,
        generation: &Generation,
    ) {
        let milliseconds = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        // Redis refuses a lifetime of nothing.
        if milliseconds == 0 || !self.link.is_available() {
            return;
        }
        let bytes = match encode(value, took, &generation.0) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(key = key.name, %error, "not cached in Redis: it has no JSON form");
                return;
            }
        };
        let mut command = redis::cmd("SET");
        command.arg(self.value_key(key)).arg(bytes);
        command.arg("PX").arg(milliseconds);
        // What failed has been counted, and the reader has its value.
        let _ = self.link.command::<()>("set", &command).await;
    }

    /// Begins a generation of its own, so that values of before are valid for nobody.
    pub(crate) async fn end_generation(&self, group: &str) {
        let mut command = redis::cmd("SET");
        // Never the name of an earlier one, whatever Redis has forgotten.
        let next = format!("{:016x}", rand::random::<u64>());
        command.arg(self.generation_key(group)).arg(next);
        // Twice: a value may be written a while after its load began.
        command
            .arg("PX")
            .arg((2 * LONGEST_LIFETIME).as_millis() as u64);
        // What failed has been counted; the old values end with their lifetimes.
        let _ = self.link.command::<()>("invalidate", &command).await;
    }

    fn value_key(&self, key: Key<'_>) -> String {
        format!("{}:{}", self.namespace, key.name)
    }

    fn generation_key(&self, group: &str) -> String {
        format!("{}:generation:{group}", self.namespace)
    }
}

/// `2:GENERATION:MICROSECONDS:JSON`
fn encode<T: Serialize>(
    value: &T,
    took: Duration,
    generation: &str,
) -> serde_json::Result<Vec<u8>> {
    let mut bytes = format!("{FORMAT}:{generation}:{}:", took.as_micros()).into_bytes();
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8], generation: &str) -> Option<(T, Duration)> {
    let mut parts = bytes.splitn(4, |byte| *byte == b':');
    if parts.next()? != FORMAT.as_bytes() || parts.next()? != generation.as_bytes() {
        return None;
    }
    let took = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let value = serde_json::from_slice(parts.next()?).ok()?;
    Some((value, Duration::from_micros(took)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_format_and_generation_is_read() {
        let took = Duration::from_micros(1500);
        assert_eq!(encode(&[1, 2], took, "ab").unwrap(), b"2:ab:1500:[1,2]");
        let read = |text: &str| decode::<Vec<u8>>(text.as_bytes(), "ab");
        assert_eq!(read("2:ab:1500:[1,2]"), Some((vec![1, 2], took)));
        for foreign in [
            "",
            "1:[1,2]",
            "2:",
            "2:ab",
            "2:ab:1500",
            "2:ab:1500:",
            "2:ab:1500:[1,",
            "2:ab:x:[1,2]",
            "2:cd:1500:[1,2]",
            "3:ab:1500:[1,2]",
            "2:ab:1500:{\"a\":1}",
        ] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}
