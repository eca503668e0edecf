//! From a long schedule that breaks an invariant to a short one: delta debugging (Zeller and
//! Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), then each action on its
//! own made as plain as it goes.

use crate::{
    action::{Action, Card, Mood},
    explore::{Options, run},
};

pub(crate) fn shrink(schedule: Vec<Action>, options: &Options) -> Vec<Action> {
    let breaks = |schedule: &[Action]| run(schedule, options).breach.is_some();
    let mut shortest = schedule;
    loop {
        let before = shortest.clone();
        shortest = without_parts(shortest, &breaks);
        shortest = plainer(shortest, &breaks);
        if shortest == before {
            return shortest;
        }
    }
}

/// Leaves parts out, large ones first, down to single actions.
fn without_parts(schedule: Vec<Action>, breaks: &impl Fn(&[Action]) -> bool) -> Vec<Action> {
    let mut shortest = schedule;
    let mut part = shortest.len();
    while part > 0 {
        let mut start = 0;
        while start < shortest.len() {
            let end = (start + part).min(shortest.len());
            let mut candidate = shortest.clone();
            candidate.drain(start..end);
            if breaks(&candidate) {
                shortest = candidate;
            } else {
                start = end;
            }
        }
        part /= 2;
    }
    shortest
}

fn plainer(schedule: Vec<Action>, breaks: &impl Fn(&[Action]) -> bool) -> Vec<Action> {
    let mut plainest = schedule;
    for index in 0..plainest.len() {
        for plain in simplifications(plainest[index]) {
            let mut candidate = plainest.clone();
            candidate[index] = plain;
            if candidate != plainest && breaks(&candidate) {
                plainest = candidate;
                break;
            }
        }
    }
    plainest
}

/// What would say less, the plainest first.
fn simplifications(action: Action) -> Vec<Action> {
    match action {
        Action::Place {
            order,
            quantity,
            card,
        } if (quantity, card) != (1, Card::Good) => {
            let place = |quantity, card| Action::Place {
                order,
                quantity,
                card,
            };
            vec![
                place(1, Card::Good),
                place(1, card),
                place(quantity, Card::Good),
            ]
        }
        Action::Work { worker, mood } if mood != Mood::Answers => {
            let mood = Mood::Answers;
            vec![Action::Work { worker, mood }]
        }
        Action::Place { .. }
        | Action::Work { .. }
        | Action::Cancel(_)
        | Action::Refund(_)
        | Action::Publish(_)
        | Action::Mark(_)
        | Action::Take { .. }
        | Action::Crash(_)
        | Action::Repeat(_)
        | Action::Lose(_)
        | Action::Decide { .. }
        | Action::Webhook(_)
        | Action::Sweep
        | Action::Reconcile => Vec::new(),
    }
}
