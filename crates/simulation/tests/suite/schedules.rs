//! Whatever the schedule, every invariant holds.

use orders::domain::OrderStatus;
use simulation::{Action, Card, Mood, Options, explore, random_schedule, run};

/// Enough to find each guard's absence many times over, in seconds.
const SEEDS: u64 = 1_000;

#[test]
fn no_schedule_breaks_an_invariant() {
    for seed in 0..SEEDS {
        if let Some(found) = explore(seed, &Options::default()) {
            panic!("seed {seed}: {}\n{}", found.breach, found.diagram);
        }
    }
}

#[test]
fn a_seed_is_one_schedule_for_ever() {
    let options = Options::default();
    assert_eq!(random_schedule(7, &options), random_schedule(7, &options));
    assert_ne!(random_schedule(7, &options), random_schedule(8, &options));
}

/// A simulation that never gets anywhere breaks nothing, either.
#[test]
fn the_schedules_reach_every_state_and_every_fault() {
    let options = Options::default();
    let mut reached = Vec::new();
    let mut faults = 0;
    // A payment stays unknown only if one message has bad luck three times.
    for seed in 0..4 * SEEDS {
        let schedule = random_schedule(seed, &options);
        faults += schedule.iter().filter(|action| action.is_fault()).count();
        for (_, _, left) in run(&schedule, &options).world.calls() {
            reached.extend(left.orders.iter().flatten().copied());
        }
        reached.dedup();
    }
    // The provider of the simulation refuses no refund.
    let never = [OrderStatus::RefundFailed];
    for status in OrderStatus::ALL
        .iter()
        .filter(|status| !never.contains(status))
    {
        assert!(reached.contains(status), "{status:?} is never reached");
    }
    assert!(faults > 1_000, "{faults}");
}

#[test]
fn an_order_is_confirmed_when_nothing_goes_wrong() {
    let place = Action::Place {
        order: 0,
        quantity: 1,
        card: Card::Good,
    };
    let run = run(&[place], &Options::default());
    assert_eq!(run.breach, None);
    assert_eq!(run.world.status(0), Some(OrderStatus::Confirmed));
}

/// Any part of a schedule is a schedule: shrinking relies on it.
#[test]
fn what_can_not_happen_is_skipped() {
    let nothing = [
        Action::Cancel(0),
        Action::Cancel(99),
        Action::Work {
            worker: 99,
            mood: Mood::Answers,
        },
        Action::Webhook(5),
        Action::Sweep,
    ];
    let run = run(&nothing, &Options::default());
    assert_eq!(run.breach, None);
    assert!(
        run.world
            .calls()
            .iter()
            .all(|(_, _, left)| { left.orders.iter().all(Option::is_none) })
    );
}
