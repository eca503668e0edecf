use std::collections::BTreeMap;

use crate::{
    action::{Action, Kind, Mood},
    diagram,
    invariants::Breach,
    ledger::Guard,
    random::Random,
    shrink::shrink,
    world::World,
};

/// More than any schedule of the default length needs to come to rest.
const LONGEST_REST: usize = 2_000;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub orders: usize,
    pub workers: usize,
    /// How many actions a schedule has.
    pub actions: usize,
    /// How many of them may be faults.
    pub faults: usize,
    /// The safeguard that is taken away.
    pub without: Option<Guard>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            orders: 3,
            workers: 2,
            actions: 120,
            faults: 12,
            without: None,
        }
    }
}

/// A schedule that was carried out.
#[derive(Clone, Debug)]
pub struct Run {
    pub world: World,
    pub breach: Option<Breach>,
}

/// A schedule that breaks an invariant, as short as it could be made.
#[derive(Clone, Debug)]
pub struct Counterexample {
    pub seed: u64,
    pub breach: Breach,
    pub schedule: Vec<Action>,
    /// The same as a sequence diagram.
    pub diagram: String,
}

/// Carries out the seed's schedule; if it breaks an invariant, finds a short one that does, too.
#[must_use]
pub fn explore(seed: u64, options: &Options) -> Option<Counterexample> {
    let schedule = random_schedule(seed, options);
    run(&schedule, options).breach?;
    let schedule = shrink(schedule, options);
    let run = run(&schedule, options);
    let breach = run.breach?;
    Some(Counterexample {
        seed,
        diagram: diagram::draw(&run.world.story, options.workers, &breach.to_string()),
        breach,
        schedule,
    })
}

/// The seed's schedule: at each moment one of the things that can happen. First the kind is
/// chosen, by its weight, so that what can happen in many ways does not drown the rest.
#[must_use]
pub fn random_schedule(seed: u64, options: &Options) -> Vec<Action> {
    let mut random = Random::new(seed);
    let mut world = World::new(options.orders, options.workers, options.without);
    let mut schedule = Vec::with_capacity(options.actions);
    let mut faults = 0;
    while schedule.len() < options.actions {
        let mut possible = world.possible();
        possible.retain(|action| faults < options.faults || !action.is_fault());
        let Some(action) = choose(&mut random, &possible) else {
            break;
        };
        world.execute(action);
        faults += usize::from(action.is_fault());
        schedule.push(action);
    }
    schedule
}

fn choose(random: &mut Random, possible: &[Action]) -> Option<Action> {
    let mut kinds: BTreeMap<Kind, Vec<Action>> = BTreeMap::new();
    for action in possible {
        kinds.entry(action.kind()).or_default().push(*action);
    }
    let mut left = random.below(kinds.keys().map(|kind| kind.weight).sum());
    for (kind, actions) in kinds {
        if left < kind.weight {
            return random.pick(&actions);
        }
        left -= kind.weight;
    }
    None
}

/// Carries a schedule out, then lets everything come to rest: no more faults, and whatever is left
/// to do is done.
#[must_use]
pub fn run(schedule: &[Action], options: &Options) -> Run {
    let mut world = World::new(options.orders, options.workers, options.without);
    for action in schedule {
        if world.execute(*action)
            && let Some(breach) = world.breach_now()
        {
            let breach = Some(breach);
            return Run { world, breach };
        }
    }
    for _ in 0..LONGEST_REST {
        let Some(action) = next_towards_rest(&world) else {
            break;
        };
        let went_on = world.execute(action);
        let breach = world.breach_now();
        if breach.is_some() {
            return Run { world, breach };
        }
        if !went_on {
            break;
        }
    }
    let breach = world.breach_at_the_end();
    Run { world, breach }
}

/// `None`: everything rests.
fn next_towards_rest(world: &World) -> Option<Action> {
    let mood = Mood::Answers;
    if let Some(worker) = world.hands.iter().position(Option::is_some) {
        return Some(Action::Work { worker, mood });
    }
    if let Some(waiting) = world.ledger.waiting().next() {
        let is_published = world.published.contains(&waiting.id);
        return Some(if is_published {
            Action::Mark(waiting.id)
        } else {
            Action::Publish(waiting.id)
        });
    }
    if let Some(queued) = world.queue.first() {
        let message = queued.message.id;
        return Some(Action::Take { worker: 0, message });
    }
    if let Some((intent, _)) = world.undecided().next() {
        let succeeds = true;
        return Some(Action::Decide { intent, succeeds });
    }
    let is_open = |row: &crate::ledger::OrderRow| !row.status.is_end_state();
    if world.ledger.orders.iter().flatten().any(is_open) {
        return Some(Action::Sweep);
    }
    world.unreconciled().map(|_| Action::Reconcile)
}
