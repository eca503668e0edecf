//! Fires requests when they are due, and says so when it could not.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio_util::task::TaskTracker;

use crate::failure::Failure;
use crate::operations::Operation;
use crate::recorder::{Recorder, Sample};
use crate::schedule::Schedule;

/// A request that starts later than this after it was due counts as late.
pub const LATE_AFTER: Duration = Duration::from_millis(10);

/// Runs the schedule to its end and waits for the answers. `work` is asked once for each slot, in
/// order, for the operation and the future that performs it; the future must bound its own time.
///
/// # Errors
/// When the pacing thread panicked.
pub async fn run<W, F>(
    schedule: Schedule,
    max_in_flight: usize,
    recorder: Arc<Recorder>,
    work: W,
) -> Result<(), JoinError>
where
    W: FnMut() -> (Operation, F) + Send + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let answers = TaskTracker::new();
    let pacer = Pacer {
        runtime: Handle::current(),
        permits: Arc::new(Semaphore::new(max_in_flight)),
        answers: answers.clone(),
        recorder,
        start: Instant::now(),
        end: schedule.duration(),
        held_until: Duration::ZERO,
    };
    // Not a task: tokio's timer ticks once a millisecond, and that much would be added to every
    // latency. A thread's sleep ends within some tens of microseconds.
    tokio::task::spawn_blocking(move || pacer.pace(&schedule, work)).await?;
    answers.close();
    answers.wait().await;
    Ok(())
}

struct Pacer {
    runtime: Handle,
    /// Bounds the requests in flight. A schedule that ignores the server must still not exhaust
    /// this machine's memory and descriptors.
    permits: Arc<Semaphore>,
    answers: TaskTracker,
    recorder: Arc<Recorder>,
    start: Instant,
    end: Duration,
    /// Slots due before this could not start in time because the bound was reached: the server's
    /// doing, not the generator's.
    held_until: Duration,
}

impl Pacer {
    fn pace<W, F>(mut self, schedule: &Schedule, mut work: W)
    where
        W: FnMut() -> (Operation, F),
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        for due in schedule.due_times() {
            self.recorder.offer(due);
            std::thread::sleep(due.saturating_sub(self.start.elapsed()));
            let permit = self.permit();
            let held_back = due < self.held_until;
            match permit {
                Some(permit) if self.start.elapsed() < self.end + LATE_AFTER => {
                    let (operation, answer) = work();
                    self.fire(due, held_back, permit, operation, answer);
                }
                _ if held_back => self.recorder.refuse(due, &Failure::InFlightLimit),
                _ => self.recorder.drop_slot(),
            }
        }
    }

    /// Waits while the bound is reached, but not beyond the end of the run.
    fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Some(permit);
        }
        let left = self.end.saturating_sub(self.start.elapsed());
        let acquire = Arc::clone(&self.permits).acquire_owned();
        let permit = self
            .runtime
            .block_on(async { tokio::time::timeout(left, acquire).await });
        // Everything due by now has been waiting behind this slot.
        self.held_until = self.start.elapsed();
        permit.ok().and_then(Result::ok)
    }

    fn fire<F>(
        &self,
        due: Duration,
        held_back: bool,
        permit: OwnedSemaphorePermit,
        operation: Operation,
        answer: F,
    ) where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let recorder = Arc::clone(&self.recorder);
        let start = self.start;
        let task = async move {
            let started = start.elapsed();
            recorder.start(started.saturating_sub(due), held_back);
            let result = answer.await;
            let finished = start.elapsed();
            recorder.record(Sample {
                operation,
                due,
                finished,
                failure: result.err(),
            });
            drop(permit);
        };
        self.answers.spawn_on(task, &self.runtime);
    }
}
