//! The gateway's loader (`crates/gateway/src/graphql/loaders.rs`), without what the comparison does
//! not need: everything that is asked for in one turn of the executor is fetched by one call.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use sea_orm::DbErr;

type Fetched<K, V> = Result<Arc<HashMap<K, V>>, Arc<LoadError>>;
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, DbErr>> + Send + Sync;
type Open<K, V> = Mutex<Option<Batch<K, V>>>;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("the call panicked")]
    Panicked(#[from] tokio::task::JoinError),
}

pub struct Loader<K, V> {
    fetch: Arc<Fetch<K, V>>,
    open: Arc<Open<K, V>>,
}

struct Batch<K, V> {
    keys: HashMap<K, ()>,
    answer: Shared<BoxFuture<'static, Fetched<K, V>>>,
}

impl<K, V> Loader<K, V>
where
    K: Eq + Hash + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub fn new(
        fetch: impl Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, DbErr>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            fetch: Arc::new(fetch),
            open: Arc::default(),
        }
    }

    pub async fn load(&self, key: K) -> Result<Option<V>, Arc<LoadError>> {
        let answer = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let batch = open.get_or_insert_with(|| self.new_batch());
            batch.keys.insert(key, ());
            batch.answer.clone()
        };
        Ok(answer.await?.get(&key).cloned())
    }

    fn new_batch(&self) -> Batch<K, V> {
        let fetch = Arc::clone(&self.fetch);
        let open = Arc::downgrade(&self.open);
        let task = tokio::spawn(async move {
            tokio::task::yield_now().await;
            let batch = open
                .upgrade()
                .and_then(|open| open.lock().unwrap_or_else(PoisonError::into_inner).take());
            match batch {
                Some(batch) => fetch(batch.keys.into_keys().collect()).await,
                None => Ok(HashMap::new()),
            }
        });
        let answer = async move {
            match task.await {
                Ok(values) => values.map(Arc::new).map_err(|error| Arc::new(error.into())),
                Err(panicked) => Err(Arc::new(panicked.into())),
            }
        };
        Batch {
            keys: HashMap::new(),
            answer: answer.boxed().shared(),
        }
    }
}
