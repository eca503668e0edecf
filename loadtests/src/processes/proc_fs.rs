//! Readings from `/proc`, see proc(5).

use std::collections::HashMap;
use std::fs;
use std::io;

/// `utime` and `stime` count in hundredths of a second on every architecture of ours (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What one process and everything that it started use at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processor time since the start, in seconds.
    pub cpu_s: f64,
    pub resident_bytes: u64,
    pub descriptors: u64,
    pub threads: u64,
}

/// The same of one process alone.
///
/// # Errors
/// When it has ended.
pub fn usage_of(pid: u32) -> io::Result<Usage> {
    usage(pid, "VmRSS:")
}

/// Which process started which, at one moment.
#[derive(Debug, Default)]
pub struct ProcessTree(HashMap<u32, Vec<u32>>);

impl ProcessTree {
    /// Processes that end while this reads are left out.
    #[must_use]
    pub fn read() -> Self {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if let Some(parent) = parent(&stat) {
                children.entry(parent).or_default().push(pid);
            }
        }
        Self(children)
    }

    /// A server may be many processes (PostgreSQL) or hide behind a script (RabbitMQ): sums over
    /// `pid` and its descendants. Of a descendant only memory of its own counts, so that what all
    /// share is counted once.
    ///
    /// # Errors
    /// When `pid` itself cannot be read: it has ended.
    pub fn usage(&self, pid: u32) -> io::Result<Usage> {
        let mut sum = usage(pid, "VmRSS:")?;
        for descendant in self.descendants(pid) {
            let Ok(part) = usage(descendant, "RssAnon:") else {
                continue;
            };
            sum.cpu_s += part.cpu_s;
            sum.resident_bytes += part.resident_bytes;
            sum.descriptors += part.descriptors;
            sum.threads += part.threads;
        }
        Ok(sum)
    }

    fn descendants(&self, pid: u32) -> Vec<u32> {
        let mut found = vec![pid];
        let mut next = 0;
        while let Some(parent) = found.get(next) {
            let children = self.0.get(parent).cloned().unwrap_or_default();
            // A tree has no circles, but it was not read in one instant.
            found.extend(
                children
                    .into_iter()
                    .filter(|child| !found.contains(child))
                    .collect::<Vec<_>>(),
            );
            next += 1;
        }
        found.split_off(1)
    }
}

fn usage(pid: u32, memory: &str) -> io::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    // A zombie has a status, but no memory any more.
    let value = |key| status_value(&status, key).ok_or(io::ErrorKind::NotFound);
    // Another user's descriptors cannot be listed; the rest can be read all the same.
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |list| list.count() as u64);
    Ok(Usage {
        cpu_s: cpu_seconds(&stat).ok_or(io::ErrorKind::InvalidData)?,
        resident_bytes: value(memory)? * 1024,
        threads: value("Threads:")?,
        descriptors,
    })
}

/// Field 4.
fn parent(stat: &str) -> Option<u32> {
    fields_after_name(stat)?.nth(1)?.parse().ok()
}

/// Fields 14 and 15.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = fields_after_name(stat)?.skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// From field 3 on. The second, the name in parentheses, may itself hold spaces and parentheses.
fn fields_after_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

fn status_value(status: &str, key: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn fields_are_found_behind_a_hostile_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 10 0 0 0 250 50 0 0 20 0 4 0 9 1 2";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(parent(stat), Some(1));
        assert_eq!(cpu_seconds("7 (short) S 1"), None);
    }

    #[test]
    fn descendants_are_found_at_any_depth_and_circles_end() {
        let tree = ProcessTree(HashMap::from([(1, vec![2, 3]), (3, vec![4]), (4, vec![1])]));
        assert_eq!(tree.descendants(1), [2, 3, 4]);
        assert!(tree.descendants(9).is_empty());
    }

    #[test]
    fn what_a_process_started_counts_as_its_own() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let tree = ProcessTree::read();
        let pid = std::process::id();
        assert!(tree.descendants(pid).contains(&child.id()));
        let alone = ProcessTree::default().usage(pid).unwrap();
        assert!(tree.usage(pid).unwrap().threads > alone.threads);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
