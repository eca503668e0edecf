use async_graphql::scalar;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The library's own scalar writes `+00:00` where REST writes `Z`; this one is written by the same
/// code as REST's.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::graphql) struct Timestamp(DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

scalar!(
    Timestamp,
    "DateTime",
    "A moment in UTC, for example 2026-01-31T12:00:00.123456Z.",
    "https://datatracker.ietf.org/doc/html/rfc3339"
);
