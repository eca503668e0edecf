//! A bounded place to do slow work: so many at once, so many waiting, so long.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone, Copy, Debug)]
pub struct HashPoolConfig {
    /// Hashes at once.
    pub permits: NonZeroUsize,
    /// Hashes that may wait for a permit; one more is refused at once.
    pub max_queued: usize,
    /// How long one may wait.
    pub max_wait: Duration,
}

impl Default for HashPoolConfig {
    /// All cores but one, so that a flood of log-ins leaves a core for everything else.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            permits: NonZeroUsize::new(cores - 1).unwrap_or(NonZeroUsize::MIN),
            max_queued: 64,
            max_wait: Duration::from_secs(2),
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
    #[error("too much hashing is already waiting")]
    Saturated,
    #[error("the hashing task died")]
    Died,
}

#[derive(Debug)]
pub(crate) struct HashPool {
    config: HashPoolConfig,
    permits: Arc<Semaphore>,
    queued: AtomicUsize,
}

impl HashPool {
    pub(crate) fn new(config: HashPoolConfig) -> Self {
        Self {
            config,
            permits: Arc::new(Semaphore::new(config.permits.get())),
            queued: AtomicUsize::new(0),
        }
    }

    /// Runs `work` on a blocking thread as soon as there is room.
    ///
    /// The permit goes along with the work: a client that hangs up ends the waiting, not the
    /// hashing, so it must not free the permit either.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let permit = self.permit().await?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(|_| PoolError::Died)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, PoolError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue()?;
        tokio::time::timeout(
            self.config.max_wait,
            Arc::clone(&self.permits).acquire_owned(),
        )
        .await
        .map_err(|_| PoolError::Saturated)?
        .map_err(|_| PoolError::Died)
    }

    fn queue(&self) -> Result<QueuePlace<'_>, PoolError> {
        let place = QueuePlace(&self.queued);
        let before = self.queued.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("plumbline_password_hash_queue").set(before as f64 + 1.0);
        if before < self.config.max_queued {
            Ok(place)
        } else {
            Err(PoolError::Saturated)
        }
    }
}

/// Leaves the queue when dropped, also when the waiting request is cancelled.
struct QueuePlace<'a>(&'a AtomicUsize);

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        let before = self.0.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("plumbline_password_hash_queue").set(before as f64 - 1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::future::join_all;

    use super::*;

    fn pool(max_queued: usize, max_wait: Duration) -> Arc<HashPool> {
        Arc::new(HashPool::new(HashPoolConfig {
            permits: NonZeroUsize::MIN,
            max_queued,
            max_wait,
        }))
    }

    /// Occupies the only permit until the sender is dropped or used.
    async fn occupy(pool: &Arc<HashPool>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
        let (release, released) = mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let task = tokio::spawn({
            let pool = Arc::clone(pool);
            async move {
                let work = move || {
                    let _ = started.send(());
                    let _ = released.recv();
                };
                pool.run(work).await.unwrap();
            }
        });
        running.await.unwrap();
        (release, task)
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_the_queued_ones_are_served() {
        let pool = pool(2, Duration::from_secs(60));
        let (release, _task) = occupy(&pool).await;
        let waiting = join_all((0..2).map(|number| pool.run(move || number)));
        let third = async {
            let refused = pool.run(|| 0).await;
            drop(release);
            refused
        };
        let (served, refused) = tokio::join!(waiting, third);
        assert_eq!(refused, Err(PoolError::Saturated));
        assert_eq!(served, [Ok(0), Ok(1)]);
        assert_eq!(pool.queued.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_the_limit() {
        let pool = pool(2, Duration::from_millis(1));
        let (_release, _task) = occupy(&pool).await;
        assert_eq!(pool.run(|| 0).await, Err(PoolError::Saturated));
    }

    #[tokio::test]
    async fn a_caller_that_hangs_up_frees_neither_the_permit_nor_the_queue_for_ever() {
        let pool = pool(2, Duration::from_millis(1));
        let (release, task) = occupy(&pool).await;
        task.abort();
        let _ = task.await;
        assert_eq!(
            pool.run(|| 0).await,
            Err(PoolError::Saturated),
            "the work still runs"
        );
        drop(release);
        let permit = pool.permits.acquire().await.unwrap();
        drop(permit);
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }
}
