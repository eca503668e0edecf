//! Everything that runs is tracked and stops on a signal: the first one asks, the second insists.

use std::{future::Future, io, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Passed down to everything that runs in the background. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the process should finish what is in hand and take nothing new.
    #[must_use]
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Cancelled when what is in hand must be dropped too.
    #[must_use]
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Runs `task` until it ends or the hard stop drops it.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.tracked(name, task));
    }

    /// The same task for whoever runs it elsewhere, for one that can't leave its thread.
    pub fn tracked<F: Future<Output = ()>>(
        &self,
        name: &'static str,
        task: F,
    ) -> impl Future<Output = ()> + use<F> {
        let hard = self.hard.clone();
        self.tasks.track_future(async move {
            tokio::select! {
                () = task => tracing::debug!(task = name, "task ended"),
                () = hard.cancelled() => tracing::warn!(task = name, "task dropped"),
            }
        })
    }

    /// Asks everything to stop.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// Waits for every task, at most `deadline`; then drops what still runs.
    /// Returns whether all ended by themselves.
    pub async fn finish(&self, deadline: Duration) -> bool {
        self.begin();
        self.tasks.close();
        let drained = tokio::time::timeout(deadline, self.tasks.wait())
            .await
            .is_ok();
        self.hard.cancel();
        self.tasks.wait().await;
        drained
    }

    /// Returns at the next signal, or when something else began the shutdown. The signal after
    /// that ends the process at once with the status 130.
    pub async fn signalled(&self, mut signals: Signals) {
        tokio::select! {
            () = signals.next() => {}
            () = self.soft.cancelled() => return,
        }
        self.begin();
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
    }
}

/// SIGINT and SIGTERM, which end the process no longer by themselves once this exists.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_heeds_the_soft_stop_is_waited_for() {
        let shutdown = Shutdown::new();
        let soft = shutdown.soft();
        let (done, ended) = tokio::sync::oneshot::channel();
        shutdown.spawn("polite", async move {
            soft.cancelled().await;
            let _ = done.send(());
        });
        assert!(shutdown.finish(Duration::from_secs(5)).await);
        ended.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_is_dropped_after_the_deadline() {
        let shutdown = Shutdown::new();
        shutdown.spawn("stubborn", std::future::pending());
        assert!(!shutdown.finish(Duration::from_secs(5)).await);
    }
}
