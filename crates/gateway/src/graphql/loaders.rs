//! Loaders: what the fields of one request need about many rows is fetched by one call.
//!
//! A batch is open for one turn of the executor: all fields that are ready by then are in it.
//! There is no delay to wait out, and nothing is kept after the batch is answered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use kernel::{Actor, OrderId, ProductId, UserId};
use orders::{HistoryEntry, Order, OrderError, OrderLine, Orders, Payment, Product, TimelineEntry};
use tokio::task::JoinError;
use tracing::Instrument;

use crate::people::{Known, People};

/// The loaders of one request.
pub(super) struct Loaders {
    /// Of the caller, who is the same in all requests of a batch.
    pub(super) orders: Loader<OrderId, (Actor, OrderId), Order, OrderError>,
    pub(super) payments: Loader<OrderId, OrderId, Payment, OrderError>,
    pub(super) products: Loader<ProductId, ProductId, Product, OrderError>,
    pub(super) lines: Loader<OrderId, Order, Vec<OrderLine>, OrderError>,
    pub(super) history: Loader<OrderId, OrderId, Vec<HistoryEntry>, OrderError>,
    pub(super) timelines: Loader<OrderId, OrderId, Vec<TimelineEntry>, OrderError>,
    pub(super) people: Loader<UserId, UserId, Known, Panicked>,
}

/// A call never fails for everybody; it can only panic.
#[derive(Debug, thiserror::Error)]
#[error("the call panicked")]
pub(super) struct Panicked(#[source] JoinError);

/// What a loader can fail with.
pub(super) trait LoadError: Send + Sync + 'static {
    fn of_panic(panicked: JoinError) -> Self;
}

impl LoadError for OrderError {
    fn of_panic(panicked: JoinError) -> Self {
        Self::Corrupt(Box::new(panicked))
    }
}

impl LoadError for Panicked {
    fn of_panic(panicked: JoinError) -> Self {
        Self(panicked)
    }
}

impl Loaders {
    pub(super) fn new(orders: &Orders, people: &People) -> Self {
        let people = people.clone();
        let (products, lines, history) = (orders.clone(), orders.clone(), orders.clone());
        let (readable, payments, timelines) = (orders.clone(), orders.clone(), orders.clone());
        Self {
            orders: Loader::new(move |of: Vec<(Actor, OrderId)>| {
                let orders = readable.clone();
                async move {
                    let Some((actor, _)) = of.first() else {
                        return Ok(HashMap::new());
                    };
                    let ids: Vec<_> = of.iter().map(|(_, id)| *id).collect();
                    orders.orders_by_ids(actor, &ids).await
                }
                .boxed()
            }),
            payments: Loader::new(move |ids: Vec<OrderId>| {
                let orders = payments.clone();
                async move { orders.payments_of(&ids).await }.boxed()
            }),
            products: Loader::new(move |ids: Vec<ProductId>| {
                let orders = products.clone();
                async move { orders.products_by_ids(&ids).await }.boxed()
            }),
            lines: Loader::new(move |of: Vec<Order>| {
                let orders = lines.clone();
                async move { orders.lines_of(&of).await }.boxed()
            }),
            history: Loader::new(move |ids: Vec<OrderId>| {
                let orders = history.clone();
                async move { orders.history_of(&ids).await }.boxed()
            }),
            timelines: Loader::new(move |ids: Vec<OrderId>| {
                let orders = timelines.clone();
                async move { orders.timelines_of(&ids).await }.boxed()
            }),
            people: Loader::new(move |ids: Vec<UserId>| {
                let people = people.clone();
                async move { Ok(people.by_ids(ids).await) }.boxed()
            }),
        }
    }
}

type Fetched<K, V, E> = Result<Arc<HashMap<K, V>>, Arc<E>>;
type Fetch<K, R, V, E> =
    dyn Fn(Vec<R>) -> BoxFuture<'static, Result<HashMap<K, V>, E>> + Send + Sync;

/// Gathers requests `R` by their key `K` and fetches their values together.
pub(super) struct Loader<K, R, V, E> {
    fetch: Arc<Fetch<K, R, V, E>>,
    open: Arc<Open<K, R, V, E>>,
}

type Open<K, R, V, E> = Mutex<Option<Batch<K, R, V, E>>>;

struct Batch<K, R, V, E> {
    requests: HashMap<K, R>,
    answer: Shared<BoxFuture<'static, Fetched<K, V, E>>>,
}

impl<K, R, V, E> Loader<K, R, V, E>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    R: Send + 'static,
    V: Clone + Send + Sync + 'static,
    E: LoadError,
{
    fn new(
        fetch: impl Fn(Vec<R>) -> BoxFuture<'static, Result<HashMap<K, V>, E>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            fetch: Arc::new(fetch),
            open: Arc::default(),
        }
    }

    /// The value of `key`, fetched together with all that is asked for in the same turn.
    pub(super) async fn load(&self, key: K, request: R) -> Result<Option<V>, Arc<E>> {
        let answer = {
            let mut open = lock(&self.open);
            let batch = open.get_or_insert_with(|| self.new_batch());
            batch.requests.insert(key.clone(), request);
            batch.answer.clone()
        };
        Ok(answer.await?.get(&key).cloned())
    }

    fn new_batch(&self) -> Batch<K, R, V, E> {
        let fetch = Arc::clone(&self.fetch);
        // Weak, because the batch holds the task's handle.
        let open = Arc::downgrade(&self.open);
        let task = async move {
            tokio::task::yield_now().await;
            let batch = open.upgrade().and_then(|open| lock(&open).take());
            match batch {
                Some(batch) => fetch(batch.requests.into_values().collect()).await,
                // Nobody waits any more.
                None => Ok(HashMap::new()),
            }
        };
        // A task of its own: it runs when the fields that are ready now have had their turn.
        let task = tokio::spawn(task.in_current_span());
        let answer = task.map(|outcome| match outcome {
            Ok(values) => values.map(Arc::new).map_err(Arc::new),
            Err(panicked) => Err(Arc::new(E::of_panic(panicked))),
        });
        Batch {
            requests: HashMap::new(),
            answer: answer.boxed().shared(),
        }
    }
}

/// Nothing panics while the lock is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    fn doubling(calls: &Arc<AtomicUsize>) -> Loader<u32, u32, u32, OrderError> {
        let calls = Arc::clone(calls);
        Loader::new(move |numbers: Vec<u32>| {
            calls.fetch_add(1, Ordering::SeqCst);
            async move {
                Ok(numbers
                    .into_iter()
                    .map(|number| (number, 2 * number))
                    .collect())
            }
            .boxed()
        })
    }

    #[tokio::test]
    async fn what_is_asked_for_together_is_fetched_together() {
        let calls = Arc::default();
        let loader = doubling(&calls);
        let loads = join_all((0..100).map(|number| loader.load(number % 50, number % 50))).await;
        let values: Vec<u32> = loads
            .into_iter()
            .map(|value| value.unwrap().unwrap())
            .collect();
        assert_eq!(values[..3], [0, 2, 4]);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(loader.load(7, 7).await.unwrap(), Some(14));
        assert_eq!(calls.load(Ordering::SeqCst), 2, "nothing is kept");
    }

    #[tokio::test]
    async fn an_error_reaches_all_who_waited() {
        let loader: Loader<u32, u32, u32, OrderError> =
            Loader::new(|_| async { Err(OrderError::Forbidden) }.boxed());
        let loads = join_all((0..3).map(|number| loader.load(number, number))).await;
        assert!(loads.iter().all(Result::is_err));
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_leaves_nothing_behind() {
        let calls = Arc::default();
        let loader = doubling(&calls);
        assert!(loader.load(1, 1).now_or_never().is_none());
        let open = Arc::downgrade(&loader.open);
        drop(loader);
        assert!(open.upgrade().is_none());
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(calls.load(Ordering::SeqCst), 0, "nothing was fetched");
    }
}
