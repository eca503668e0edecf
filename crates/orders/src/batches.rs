//! What is asked for at the same moment is done together: one transaction, a few statements over
//! all of it, one wait for the disk.
//!
//! Nothing waits for company. Whoever comes while nothing is under way begins at once, alone; those
//! who come meanwhile are the next batch. So batches grow with the load, and a single order is as
//! fast as ever.

use std::{
    collections::VecDeque,
    error::Error,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, oneshot};

use crate::OrderError;

/// The largest batch. It bounds how long a transaction holds its locks.
const LARGEST: usize = 32;

/// One kind of work. `R` is what becomes of one item.
pub(crate) struct Batches<T, R> {
    waiting: Mutex<VecDeque<Waiting<T, R>>>,
    turn: Semaphore,
}

struct Waiting<T, R> {
    item: T,
    answer: oneshot::Sender<Answer<R>>,
}

enum Answer<R> {
    Settled(Result<R, OrderError>),
    /// The batch failed, which may be another item's fault.
    TryAlone,
}

impl<T: Clone, R> Batches<T, R> {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: Semaphore::new(1),
        }
    }

    /// Has `work` done for this item and whatever else waits; it answers for each item in its
    /// place. If it fails for several together, each of them is tried again alone, so that one bad
    /// item does no harm to the others. `work` must leave nothing behind when it fails.
    pub(crate) async fn run<F>(&self, item: T, work: impl Fn(Vec<T>) -> F) -> Result<R, OrderError>
    where
        F: Future<Output = Result<Vec<R>, OrderError>>,
    {
        let mut answer = self.enqueue(item.clone());
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => match answer {
                    Ok(Answer::Settled(result)) => return result,
                    // Whoever worked on the batch may also have been dropped.
                    Ok(Answer::TryAlone) | Err(_) => return alone(item, work).await,
                },
                turn = self.turn.acquire() => match turn {
                    Ok(_turn) => self.take_turn(&work).await,
                    Err(_closed) => return alone(item, work).await,
                },
            }
        }
    }

    fn enqueue(&self, item: T) -> oneshot::Receiver<Answer<R>> {
        let (answer, receiver) = oneshot::channel();
        self.lock().push_back(Waiting { item, answer });
        receiver
    }

    async fn take_turn<F>(&self, work: impl Fn(Vec<T>) -> F)
    where
        F: Future<Output = Result<Vec<R>, OrderError>>,
    {
        let batch = self.next_batch();
        if batch.is_empty() {
            return;
        }
        let result = work(batch.iter().map(|one| one.item.clone()).collect()).await;
        match result {
            Ok(results) => {
                for (one, result) in batch.into_iter().zip(results) {
                    // Nobody may be waiting for it any more.
                    let _ = one.answer.send(Answer::Settled(Ok(result)));
                }
            }
            Err(error) => fail(batch, error),
        }
    }

    /// As many as wait, rounded down to a power of two: a statement has as many forms as there are
    /// sizes, and the database remembers the plans of a few.
    fn next_batch(&self) -> Vec<Waiting<T, R>> {
        let mut waiting = self.lock();
        waiting.retain(|one| !one.answer.is_closed());
        let size = waiting.len().min(LARGEST);
        let size = size.checked_ilog2().map_or(0, |power| 1 << power);
        waiting.drain(..size).collect()
    }

    /// A panic while the lock is held leaves the queue whole.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting<T, R>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fail<T, R>(mut batch: Vec<Waiting<T, R>>, error: OrderError) {
    if batch.len() == 1
        && let Some(only) = batch.pop()
    {
        let _ = only.answer.send(Answer::Settled(Err(error)));
        return;
    }
    tracing::warn!(
        items = batch.len(),
        error = &error as &dyn Error,
        "a batch failed: each of it is tried alone"
    );
    for one in batch {
        let _ = one.answer.send(Answer::TryAlone);
    }
}

async fn alone<T, R, F>(item: T, work: impl Fn(Vec<T>) -> F) -> Result<R, OrderError>
where
    F: Future<Output = Result<Vec<R>, OrderError>>,
{
    let mut results = work(vec![item]).await?;
    results.pop().ok_or_else(|| {
        sea_orm::DbErr::Custom("a batch of one was answered for none".to_owned()).into()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    fn broken() -> OrderError {
        sea_orm::DbErr::Custom("broken".to_owned()).into()
    }

    #[tokio::test]
    async fn those_who_come_meanwhile_are_done_together() {
        let batches = Batches::new();
        let sizes = Mutex::new(Vec::new());
        let work = |items: Vec<usize>| {
            sizes.lock().unwrap().push(items.len());
            async move {
                tokio::task::yield_now().await;
                Ok(items)
            }
        };
        let asked = (0..12).map(|number| batches.run(number, work));
        let answers: Vec<_> = join_all(asked)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            answers,
            (0..12).collect::<Vec<_>>(),
            "each has its own answer"
        );
        assert_eq!(*sizes.lock().unwrap(), [1, 8, 2, 1]);
    }

    #[tokio::test]
    async fn one_bad_item_does_no_harm_to_the_others() {
        let batches = Batches::new();
        let work = |items: Vec<i32>| async move {
            tokio::task::yield_now().await;
            if items.contains(&3) {
                return Err(broken());
            }
            Ok(items.iter().map(|item| item * 10).collect())
        };
        let answers = join_all((0..6).map(|number| batches.run(number, work))).await;
        let answers: Vec<_> = answers.into_iter().map(Result::ok).collect();
        assert_eq!(
            answers,
            [Some(0), Some(10), Some(20), None, Some(40), Some(50)]
        );
    }

    #[tokio::test]
    async fn a_single_failure_is_not_repeated() {
        let batches = Batches::<(), ()>::new();
        let tries = AtomicUsize::new(0);
        let work = |_| {
            tries.fetch_add(1, Ordering::Relaxed);
            async { Err(broken()) }
        };
        assert!(batches.run((), work).await.is_err());
        assert_eq!(tries.into_inner(), 1);
    }

    #[tokio::test]
    async fn whoever_works_may_be_dropped() {
        let batches = Arc::new(Batches::new());
        let begun = Arc::new(Notify::new());
        let (own, signal) = (Arc::clone(&batches), Arc::clone(&begun));
        let stuck = tokio::spawn(async move {
            let work = |_| {
                signal.notify_one();
                std::future::pending::<Result<Vec<i32>, OrderError>>()
            };
            own.run(1, work).await
        });
        begun.notified().await;
        let next = batches.run(2, async |items| Ok(items));
        let abort = async { stuck.abort() };
        let (next, ()) = tokio::join!(next, abort);
        assert_eq!(next.unwrap(), 2);
    }
}
