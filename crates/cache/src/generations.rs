//! What this process was told to forget, as counters.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// Many groups share a counter, so that the memory is bounded however many there are. Who shares
/// one with an invalidated group is read again, too, which costs a load and is never wrong.
const COUNTERS: usize = 1024;

/// Counts the invalidations of each group.
pub(crate) struct Generations {
    hasher: RandomState,
    counters: Box<[AtomicU64]>,
}

impl Default for Generations {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            counters: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Generations {
    /// A value whose load began in an earlier generation may be of before the invalidation.
    pub(crate) fn current(&self, group: &str) -> u64 {
        self.counter(group).load(Ordering::Acquire)
    }

    pub(crate) fn end(&self, group: &str) {
        self.counter(group).fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn end_all(&self) {
        for counter in &self.counters {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn counter(&self, group: &str) -> &AtomicU64 {
        // In range: the remainder is less than the length, and so is its value as an index.
        let index = self.hasher.hash_one(group) % COUNTERS as u64;
        &self.counters[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_ends_for_its_group_or_for_all() {
        let generations = Generations::default();
        let before = generations.current("one");
        generations.end("one");
        assert_eq!(generations.current("one"), before + 1);
        let untouched = (0..10_000).filter(|group| generations.current(&group.to_string()) == 0);
        assert!(untouched.count() > 9_000, "few share the counter");
        generations.end_all();
        assert_eq!(generations.current("one"), before + 2);
        assert!((0..10_000).all(|group| generations.current(&group.to_string()) > 0));
    }
}
