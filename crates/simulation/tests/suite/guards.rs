//! Negative controls: without a guard the simulation finds what goes wrong, and tells it shortly.

use simulation::{Breach, Guard, Options, explore, run};

const SEEDS: u64 = 1_000;

/// The first counterexample without this guard; it is short, and it is none with the guard.
fn without(guard: Guard, longest: usize) -> (Breach, String) {
    let options = Options {
        without: Some(guard),
        ..Options::default()
    };
    let found = (0..SEEDS).find_map(|seed| explore(seed, &options));
    let found = found.unwrap_or_else(|| panic!("nobody misses {guard:?}"));
    eprintln!("{guard:?}: {}\n{}", found.breach, found.diagram);
    assert!(found.schedule.len() <= longest, "{:?}", found.schedule);
    assert_eq!(run(&found.schedule, &Options::default()).breach, None);
    assert!(found.diagram.starts_with("sequenceDiagram\n"));
    assert!(found.diagram.contains(&format!("BREACH: {}", found.breach)));
    (found.breach, found.diagram)
}

#[test]
fn without_the_state_machine() {
    let (breach, _) = without(Guard::State, 20);
    assert!(
        matches!(breach, Breach::IllegalTransition { .. }),
        "{breach}"
    );
}

#[test]
fn without_the_inbox_a_message_takes_effect_twice() {
    let (breach, _) = without(Guard::Inbox, 20);
    assert!(matches!(breach, Breach::AppliedTwice(_)), "{breach}");
}

#[test]
fn without_the_condition_on_stock_it_is_oversold() {
    let (breach, _) = without(Guard::Stock, 20);
    assert_eq!(breach, Breach::NegativeStock);
}

#[test]
fn without_the_idempotency_key_an_order_is_charged_twice() {
    let (breach, diagram) = without(Guard::IdempotencyKey, 20);
    assert!(matches!(breach, Breach::ChargedTwice(_)), "{breach}");
    assert_eq!(diagram.matches("charge #").count(), 2, "{diagram}");
}

#[test]
fn without_the_outbox_nobody_is_told() {
    let (breach, _) = without(Guard::Outbox, 20);
    assert!(matches!(breach, Breach::Untold { .. }), "{breach}");
}

#[test]
fn without_deadlines_an_order_stands_still_for_ever() {
    let (breach, _) = without(Guard::Deadlines, 20);
    assert!(matches!(breach, Breach::NeverEnds { .. }), "{breach}");
}
