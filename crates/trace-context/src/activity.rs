use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};

tokio::task_local! {
    static CURRENT: Activity;
}

/// What this task is doing it for: the request that it answers or the message that it handles, and
/// since when. What is written meanwhile can say so. Clones are the same activity.
#[derive(Clone, Debug)]
pub struct Activity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    began: Instant,
    began_at: OnceLock<DateTime<Utc>>,
}

/// A longer name is cut: paths are written by clients.
const LONGEST_NAME: usize = 200;

impl Activity {
    /// Begins now. The name is for people, such as `POST /v1/orders`.
    #[must_use]
    pub fn begin(name: &str) -> Self {
        Self(Arc::new(Inner {
            name: name.chars().take(LONGEST_NAME).collect(),
            began: Instant::now(),
            began_at: OnceLock::new(),
        }))
    }

    /// Runs the future as a part of this activity.
    pub async fn run<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// The activity that this task belongs to.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// When it began, by the clock that says `now`; the same for everyone who asks.
    #[must_use]
    pub fn began_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        *self.0.began_at.get_or_init(|| {
            let elapsed = TimeDelta::from_std(self.0.began.elapsed());
            now - elapsed.unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_runs_in_an_activity_knows_it_and_nothing_else_does() {
        assert!(Activity::current().is_none());
        let name = Activity::begin("POST /v1/orders")
            .run(async { Activity::current().unwrap().name().to_owned() })
            .await;
        assert_eq!(name, "POST /v1/orders");
        assert!(Activity::current().is_none());
    }

    #[test]
    fn an_activity_began_once() {
        let activity = Activity::begin("here");
        let now = DateTime::UNIX_EPOCH;
        let began_at = activity.began_at(now);
        assert!(began_at <= now);
        assert_eq!(
            activity.clone().began_at(now + TimeDelta::days(1)),
            began_at
        );
    }

    #[test]
    fn a_name_of_any_length_is_cut() {
        let activity = Activity::begin(&"ä".repeat(1_000));
        assert_eq!(activity.name().chars().count(), LONGEST_NAME);
    }
}
