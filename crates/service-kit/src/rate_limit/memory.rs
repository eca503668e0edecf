//! Counts in this process, of a bounded number of subjects.

use std::collections::HashMap;

use super::SubjectHash;

/// Of each generation: about 5 MB at most for both where a time is kept, 12 MB of a `Budget`.
const GENERATION: usize = 50_000;

/// A map that forgets what was written longest ago when it is full: a young generation takes all
/// writes, and becomes the old one, whose predecessor is dropped, when it is full. Forgetting a
/// subject gives it a fresh start, which costs an attacker fifty thousand requests.
pub(super) struct Generations<V> {
    young: HashMap<SubjectHash, V>,
    old: HashMap<SubjectHash, V>,
}

impl<V> Default for Generations<V> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl<V> Generations<V> {
    pub(super) fn get(&self, subject: &SubjectHash) -> Option<&V> {
        self.young.get(subject).or_else(|| self.old.get(subject))
    }

    /// What is known of a subject, for a change of it.
    pub(super) fn entry(&mut self, subject: SubjectHash) -> &mut V
    where
        V: Copy + Default,
    {
        if !self.young.contains_key(&subject) {
            let known = self.old.get(&subject).copied().unwrap_or_default();
            self.insert(subject, known);
        }
        self.young.entry(subject).or_default()
    }

    pub(super) fn insert(&mut self, subject: SubjectHash, value: V) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&subject) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, value);
    }

    pub(super) fn remove(&mut self, subject: &SubjectHash) {
        self.young.remove(subject);
        self.old.remove(subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_bounded_and_keeps_what_was_written_last() {
        let mut map = Generations::default();
        let hash = |number: usize| (number as u128).to_be_bytes();
        for number in 0..10 * GENERATION {
            map.insert(hash(number), number);
            map.insert(hash(0), number);
        }
        let last = 10 * GENERATION - 1;
        assert_eq!(map.get(&hash(0)), Some(&last));
        assert_eq!(map.get(&hash(last)), Some(&last));
        assert_eq!(map.get(&hash(1)), None);
        assert!(map.young.len() + map.old.len() <= 2 * GENERATION);
        map.remove(&hash(0));
        assert_eq!(map.get(&hash(0)), None);
    }
}
