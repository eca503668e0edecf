//! Stages: said when they begin, timed, and summed up in a table.

use std::time::{Duration, Instant};

use crate::command::Failure;

/// The stages of a task so far.
#[derive(Debug, Default)]
pub struct Stages(Vec<Stage>);

#[derive(Debug)]
struct Stage {
    name: &'static str,
    succeeded: bool,
    took: Duration,
}

impl Stages {
    /// Runs a stage. Its failure is printed and kept for the summary; the stages after it may
    /// still tell something.
    pub async fn run<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Option<T> {
        eprintln!("\n==> {name}");
        let started = Instant::now();
        let outcome = work.await;
        let took = started.elapsed();
        if let Err(failure) = &outcome {
            eprintln!("error: {failure}");
        }
        let verdict = verdict(outcome.is_ok());
        eprintln!("==> {name}: {verdict}, {:.1} s", took.as_secs_f64());
        self.0.push(Stage {
            name,
            succeeded: outcome.is_ok(),
            took,
        });
        outcome.ok()
    }

    /// Prints the table.
    ///
    /// # Errors
    /// When a stage failed.
    pub fn finish(self) -> Result<(), Failure> {
        println!("\n{}", self.table());
        let failed: Vec<_> = self
            .0
            .iter()
            .filter(|stage| !stage.succeeded)
            .map(|stage| stage.name)
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::Stages {
            total: self.0.len(),
            failed,
        })
    }

    fn table(&self) -> String {
        let width = self
            .0
            .iter()
            .map(|stage| stage.name.len())
            .max()
            .unwrap_or(0)
            .max("stage".len());
        let mut table = format!("{:width$}  result  seconds", "stage");
        for stage in &self.0 {
            let (verdict, seconds) = (verdict(stage.succeeded), stage.took.as_secs_f64());
            table += &format!("\n{:width$}  {verdict:6}  {seconds:7.1}", stage.name);
        }
        let total: Duration = self.0.iter().map(|stage| stage.took).sum();
        table
            + &format!(
                "\n{:width$}  {:6}  {:7.1}",
                "total",
                "",
                total.as_secs_f64()
            )
    }
}

fn verdict(succeeded: bool) -> &'static str {
    if succeeded { "ok" } else { "FAILED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &'static str, succeeded: bool, seconds: f64) -> Stage {
        Stage {
            name,
            succeeded,
            took: Duration::from_secs_f64(seconds),
        }
    }

    #[test]
    fn the_table_shows_each_stage_and_the_sum() {
        let stages = Stages(vec![
            stage("services", true, 7.04),
            stage("embedded suite", false, 61.5),
        ]);
        assert_eq!(
            stages.table(),
            "stage           result  seconds\n\
             services        ok          7.0\n\
             embedded suite  FAILED     61.5\n\
             total                      68.5"
        );
    }

    #[tokio::test]
    async fn a_failed_stage_fails_the_whole_and_the_next_still_runs() {
        let mut stages = Stages::default();
        let failure = async { Err::<(), _>(Failure::Architecture(1)) };
        assert_eq!(stages.run("first", failure).await, None);
        assert_eq!(stages.run("second", async { Ok(2) }).await, Some(2));
        let failure = stages.finish().unwrap_err();
        assert_eq!(failure.to_string(), "1 of 2 stages failed: first");
    }
}
