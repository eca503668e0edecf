//! The law of invalidation, under any schedule of readers and writers: who begins to read after a
//! change was told of sees that change or a later one.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cache::Cache;
use proptest::{collection::vec, prelude::*};
use testkit::environment;
use tokio::{runtime, sync::oneshot, task::yield_now};

use crate::{TTL, connect, left_out};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody begins to read in one of the processes. If it comes to a load, that sees the row as
    /// it is then, and brings it home later.
    Read(usize),
    /// One of the loads under way ends.
    EndLoad(usize),
    /// The row is changed, and the processes are told of it.
    Change,
    /// Everybody gets on.
    Yield,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize).prop_map(Step::Read),
        3 => (0..8_usize).prop_map(Step::EndLoad),
        1 => Just(Step::Change),
        3 => Just(Step::Yield),
    ];
    vec(step, 1..60)
}

/// Runs a schedule over these processes and checks what each reader saw.
async fn run(caches: &[Cache], key: &str, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let row = Arc::new(AtomicU64::new(0));
    let (mut readers, mut ends) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Read(process) => {
                let cache = caches[process % caches.len()].clone();
                let (row, key) = (Arc::clone(&row), key.to_owned());
                let (end, ended) = oneshot::channel::<()>();
                let floor = row.load(Ordering::SeqCst);
                let read = async move {
                    let load = async {
                        let seen = row.load(Ordering::SeqCst);
                        // An end that was dropped has come, too.
                        let _ = ended.await;
                        Ok::<_, Infallible>(seen)
                    };
                    (floor, *cache.get_or_load(&key, TTL, load).await.unwrap())
                };
                readers.push(tokio::spawn(read));
                ends.push(end);
            }
            Step::EndLoad(which) if !ends.is_empty() => {
                let _ = ends.remove(which % ends.len()).send(());
            }
            Step::EndLoad(_) => {}
            Step::Change => {
                row.fetch_add(1, Ordering::SeqCst);
                for cache in caches {
                    cache.invalidate(key).await;
                }
            }
            Step::Yield => {
                for _ in 0..10 {
                    yield_now().await;
                }
            }
        }
    }
    drop(ends);
    for reader in readers {
        let (floor, seen) = reader.await.unwrap();
        prop_assert!(seen >= floor, "saw {seen} where {floor} was told of");
    }
    Ok(())
}

fn check(connect: impl AsyncFn() -> Vec<Cache>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap();
    let caches = runtime.block_on(connect());
    proptest!(ProptestConfig::with_cases(300), |(steps in steps())| {
        let key = uuid::Uuid::new_v4().to_string();
        runtime.block_on(run(&caches, &key, steps))?;
    });
}

#[test]
fn nobody_sees_what_was_before_a_change_that_they_were_told_of() {
    check(async || vec![connect("memory:", "test").await]);
}

#[test]
fn nobody_does_so_in_any_of_two_processes_that_share_redis() {
    let url = std::env::var(environment::REDIS_URL).unwrap_or_default();
    if url.is_empty() {
        left_out(
            "nobody_does_so_in_any_of_two_processes",
            environment::REDIS_URL,
        );
        return;
    }
    let namespace = format!("test-{}", uuid::Uuid::new_v4());
    check(async || {
        vec![
            connect(&url, &namespace).await,
            connect(&url, &namespace).await,
        ]
    });
}
