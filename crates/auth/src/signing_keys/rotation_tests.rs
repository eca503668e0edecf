use proptest::prelude::*;

use super::*;

const POLICY: RotationPolicy = RotationPolicy {
    algorithm: SigningAlgorithm::EdDsa,
    rotate_every: TimeDelta::days(30),
    publish_ahead: TimeDelta::minutes(11),
    keep_previous: TimeDelta::minutes(12),
};
const START: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

/// The keys of a database, and what the store does with a step.
#[derive(Default)]
struct Keys {
    keys: Vec<KeyRecord>,
    made: usize,
}

impl Keys {
    fn begun() -> Self {
        let mut keys = Self::default();
        keys.do_what_is_due(&POLICY, START);
        keys
    }

    fn do_what_is_due(&mut self, policy: &RotationPolicy, now: DateTime<Utc>) {
        for _ in 0..100 {
            let Some(step) = due(&self.keys, policy, now) else {
                return;
            };
            self.take(step, policy, now);
        }
        panic!("it never comes to an end: {:?}", self.keys);
    }

    fn take(&mut self, step: Step, policy: &RotationPolicy, now: DateTime<Utc>) {
        match step {
            Step::Publish => {
                let kid = format!("k{}", self.made);
                self.made += 1;
                let key = KeyRecord::published(kid, policy.algorithm, now);
                self.keys.push(key);
            }
            Step::Activate(kid) => {
                if let Some(current) = in_state(&self.keys, KeyState::Current) {
                    let kid = current.kid.clone();
                    self.change(&kid, |key| key.superseded(now));
                }
                self.change(&kid, |key| key.activated(now));
            }
            Step::Retire(kid) => self.change(&kid, |key| key.retired(now)),
        }
    }

    fn change(&mut self, kid: &str, change: impl FnOnce(KeyRecord) -> KeyRecord) {
        let key = self.keys.iter_mut().find(|key| key.kid == kid).unwrap();
        *key = change(key.clone());
    }

    fn state(&self, kid: &str) -> KeyState {
        self.keys.iter().find(|key| key.kid == kid).unwrap().state
    }

    fn in_state(&self, state: KeyState) -> Vec<&KeyRecord> {
        self.keys.iter().filter(|key| key.state == state).collect()
    }
}

fn days(count: i64) -> DateTime<Utc> {
    START + TimeDelta::days(count)
}

#[test]
fn an_empty_database_gets_a_key_that_signs_and_one_that_waits() {
    let keys = Keys::begun();
    assert_eq!(keys.state("k0"), KeyState::Current);
    assert_eq!(keys.state("k1"), KeyState::Next);
    assert_eq!(keys.keys.len(), 2);
}

#[test]
fn a_key_goes_from_next_to_current_to_previous_to_retired() {
    let mut keys = Keys::begun();
    keys.do_what_is_due(&POLICY, days(30) - TimeDelta::seconds(1));
    assert_eq!(keys.state("k1"), KeyState::Next);
    keys.do_what_is_due(&POLICY, days(30));
    assert_eq!(keys.state("k0"), KeyState::Previous);
    assert_eq!(keys.state("k1"), KeyState::Current);
    assert_eq!(keys.state("k2"), KeyState::Next);
    let last_token_expires = days(30) + POLICY.keep_previous;
    keys.do_what_is_due(&POLICY, last_token_expires - TimeDelta::seconds(1));
    assert_eq!(keys.state("k0"), KeyState::Previous);
    keys.do_what_is_due(&POLICY, last_token_expires);
    assert_eq!(keys.state("k0"), KeyState::Retired);
    assert_eq!(keys.keys[0].retired_at, Some(last_token_expires));
    assert_eq!(keys.keys.len(), 3);
}

#[test]
fn a_process_that_slept_for_months_rotates_once() {
    let mut keys = Keys::begun();
    keys.do_what_is_due(&POLICY, days(200));
    assert_eq!(keys.state("k1"), KeyState::Current);
    assert_eq!(keys.keys.len(), 3);
}

#[test]
fn a_rotation_by_hand_waits_until_verifiers_have_the_next_key_unless_told_not_to() {
    let mut keys = Keys::begun();
    let soon = START + TimeDelta::minutes(10);
    let usable_from = START + POLICY.publish_ahead;
    assert_eq!(
        rotate(&keys.keys, &POLICY, Haste::WhenPublished, soon),
        Err(Refused::TooEarly { usable_from })
    );
    let activate = Step::Activate("k1".to_owned());
    assert_eq!(
        rotate(&keys.keys, &POLICY, Haste::WhenPublished, usable_from),
        Ok(activate.clone())
    );
    assert_eq!(
        rotate(&keys.keys, &POLICY, Haste::Now, soon),
        Ok(activate.clone())
    );
    keys.take(activate, &POLICY, soon);
    keys.do_what_is_due(&POLICY, soon);
    assert_eq!(keys.state("k1"), KeyState::Current);
    // The clock of the schedule starts anew.
    keys.do_what_is_due(&POLICY, days(30));
    assert_eq!(keys.state("k1"), KeyState::Current);
    keys.do_what_is_due(&POLICY, soon + POLICY.rotate_every);
    assert_eq!(keys.state("k2"), KeyState::Current);
}

#[test]
fn the_current_key_an_unknown_one_and_a_retired_one_can_not_be_retired() {
    let mut keys = Keys::begun();
    let refused = |keys: &Keys, kid: &str| retire(&keys.keys, kid).unwrap_err();
    assert_eq!(refused(&keys, "k0"), Refused::Current("k0".to_owned()));
    assert_eq!(refused(&keys, "k9"), Refused::Unknown("k9".to_owned()));
    let step = retire(&keys.keys, "k1").unwrap();
    keys.take(step, &POLICY, START);
    keys.do_what_is_due(&POLICY, START);
    assert_eq!(
        refused(&keys, "k1"),
        Refused::AlreadyRetired("k1".to_owned())
    );
    assert_eq!(
        keys.state("k2"),
        KeyState::Next,
        "there is always a next one"
    );
}

#[test]
fn another_algorithm_replaces_the_next_key_once_it_was_usable() {
    let es256 = RotationPolicy {
        algorithm: SigningAlgorithm::Es256,
        ..POLICY
    };
    let mut keys = Keys::begun();
    keys.do_what_is_due(&es256, START);
    assert_eq!(keys.state("k1"), KeyState::Next, "not at every look");
    let later = START + POLICY.publish_ahead;
    keys.do_what_is_due(&es256, later);
    assert_eq!(keys.state("k0"), KeyState::Current);
    assert_eq!(keys.state("k1"), KeyState::Retired);
    let next = keys.in_state(KeyState::Next)[0];
    assert_eq!(next.algorithm, SigningAlgorithm::Es256);
    // It is as new as any: nobody has it yet.
    assert_eq!(next.created_at, later);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Look,
    Rotate(Haste),
    RetireNext,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Look),
        1 => Just(Event::Rotate(Haste::WhenPublished)),
        1 => Just(Event::Rotate(Haste::Now)),
        1 => Just(Event::RetireNext),
    ]
}

/// Mostly moments, now and then weeks.
fn pause() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![
        (0..120i64).prop_map(TimeDelta::seconds),
        (0..60i64).prop_map(TimeDelta::minutes),
        (0..40i64).prop_map(TimeDelta::days),
    ]
}

proptest! {
    /// Whatever is done, and whenever: one key signs, one waits; nothing signs before verifiers
    /// have it, unless somebody insisted; and nothing stops verifying while its tokens live.
    #[test]
    fn verifiers_always_have_the_key_of_a_living_token(
        history in prop::collection::vec((pause(), event()), 1..60),
    ) {
        let mut keys = Keys::begun();
        let mut now = START;
        let mut hurried = vec!["k0".to_owned()];
        for (pause, event) in history {
            now += pause;
            keys.do_what_is_due(&POLICY, now);
            match event {
                Event::Look => {}
                Event::Rotate(haste) => {
                    if let Ok(step) = rotate(&keys.keys, &POLICY, haste, now) {
                        if let (Haste::Now, Step::Activate(kid)) = (haste, &step) {
                            hurried.push(kid.clone());
                        }
                        keys.take(step, &POLICY, now);
                    }
                }
                Event::RetireNext => {
                    let kid = keys.in_state(KeyState::Next)[0].kid.clone();
                    let step = retire(&keys.keys, &kid).unwrap();
                    keys.take(step, &POLICY, now);
                }
            }
            keys.do_what_is_due(&POLICY, now);
            prop_assert_eq!(keys.in_state(KeyState::Current).len(), 1);
            prop_assert_eq!(keys.in_state(KeyState::Next).len(), 1);
            for key in &keys.keys {
                if let (Some(activated), false) = (key.activated_at, hurried.contains(&key.kid)) {
                    prop_assert!(activated - key.created_at >= POLICY.publish_ahead);
                }
                if let (Some(superseded), Some(retired)) = (key.superseded_at, key.retired_at) {
                    prop_assert!(retired - superseded >= POLICY.keep_previous);
                }
                let has_ended = key.state == KeyState::Retired;
                prop_assert_eq!(has_ended, key.retired_at.is_some());
            }
        }
    }
}
