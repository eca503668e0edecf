use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use moka::Expiry;

/// No draw of [`Entry::is_due`] is above this: of 2^53 equally probable ones the least is 2^-53,
/// and -ln of it is 36.7.
const LONGEST_DRAW: f64 = 37.0;

/// A decoded value of any type, so that a hit costs no deserialisation. Clones share everything.
#[derive(Clone)]
pub(crate) struct Entry(Arc<Inner>);

struct Inner {
    value: Arc<dyn Any + Send + Sync>,
    lifetime: Duration,
    expires: Instant,
    /// What the load took.
    took: Duration,
    /// When it began.
    generation: u64,
    is_refreshing: AtomicBool,
}

/// The right to refresh an entry, which one reader at a time has.
pub(crate) struct Refresh(Entry);

impl Entry {
    pub(crate) fn new(
        value: Arc<dyn Any + Send + Sync>,
        lifetime: Duration,
        took: Duration,
        generation: u64,
    ) -> Self {
        Self(Arc::new(Inner {
            value,
            lifetime,
            expires: Instant::now() + lifetime,
            took,
            generation,
            is_refreshing: AtomicBool::new(false),
        }))
    }

    pub(crate) fn value<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.0.value).downcast().ok()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.0.generation
    }

    /// What is left of its lifetime.
    pub(crate) fn left(&self) -> Duration {
        self.0.expires.saturating_duration_since(Instant::now())
    }

    /// The right to refresh the value before it expires, if it is time and nobody else has it.
    ///
    /// Each reader draws for itself, with a chance that grows towards the end and with the time
    /// that a load takes, so that a value that many ask for is refreshed by one of them before
    /// all of them miss it (XFetch: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic
    /// Cache Stampede Prevention", VLDB 2015, with β = 1).
    pub(crate) fn refresh(&self) -> Option<Refresh> {
        if !is_due(self.left(), self.0.took, rand::random) {
            return None;
        }
        let was_refreshing = self.0.is_refreshing.swap(true, Ordering::AcqRel);
        (!was_refreshing).then(|| Refresh(self.clone()))
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.0.0.is_refreshing.store(false, Ordering::Release);
    }
}

/// `draw` is from 0 (included) to 1.
fn is_due(left: Duration, took: Duration, draw: impl FnOnce() -> f64) -> bool {
    if left > took.mul_f64(LONGEST_DRAW) {
        return false;
    }
    left <= took.mul_f64(-(1.0 - draw()).ln())
}

/// Each entry brings its own lifetime.
pub(crate) struct EntryLifetime;

impl Expiry<String, Entry> for EntryLifetime {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.0.lifetime)
    }

    /// A refreshed value begins a life of its own.
    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.0.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_the_more_probable_the_nearer_the_end_and_the_longer_the_load() {
        let share = |left: u64, took: u64| {
            let due = (0..10_000).filter(|draw| {
                let draw = || f64::from(*draw) / 10_000.0;
                is_due(
                    Duration::from_millis(left),
                    Duration::from_millis(took),
                    draw,
                )
            });
            due.count()
        };
        // P(due) = exp(-left / took).
        assert_eq!(share(0, 10), 10_000);
        assert!((3_600..3_800).contains(&share(10, 10)), "1/e");
        assert!((1_300..1_400).contains(&share(20, 10)), "1/e²");
        assert_eq!(share(1_000, 10), 0);
        assert!((8_100..8_300).contains(&share(200, 1_000)));
    }

    #[test]
    fn one_reader_at_a_time_refreshes() {
        let second = Duration::from_secs(1);
        let entry = Entry::new(Arc::new(1), Duration::ZERO, second, 0);
        let refresh = entry.refresh();
        assert!(refresh.is_some() && entry.clone().refresh().is_none());
        drop(refresh);
        assert!(entry.refresh().is_some());
        let fresh = Entry::new(Arc::new(1), Duration::from_secs(60), second, 0);
        assert!(fresh.refresh().is_none());
    }
}
