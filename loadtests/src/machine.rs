//! What the figures were measured on.

use std::fs;

use serde::Serialize;

/// Read from `/proc` and `/etc`; what cannot be read there says `unknown`.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    /// Those that this process may use.
    pub processors: usize,
    pub memory_mib: u64,
    pub system: String,
    pub kernel: String,
}

impl Machine {
    #[must_use]
    pub fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let memory_kib = value_of(&text("/proc/meminfo"), "MemTotal", ':')
            .and_then(|value| value.trim_end_matches("kB").trim().parse::<u64>().ok());
        Self {
            processor: value_of(&text("/proc/cpuinfo"), "model name", ':').unwrap_or_else(unknown),
            processors: std::thread::available_parallelism().map_or(1, Into::into),
            memory_mib: memory_kib.unwrap_or_default() / 1024,
            system: value_of(&text("/etc/os-release"), "PRETTY_NAME", '=')
                .unwrap_or_else(|| std::env::consts::OS.to_owned()),
            kernel: match text("/proc/sys/kernel/osrelease").trim() {
                "" => unknown(),
                release => release.to_owned(),
            },
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The value of the first `key<separator>value` line.
fn value_of(text: &str, key: &str, separator: char) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(separator)?;
        (found.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_key() {
        let text = "MemTotalX: 1 kB\nMemTotal:   2048 kB\nPRETTY_NAME=\"Debian 12\"";
        assert_eq!(value_of(text, "MemTotal", ':').unwrap(), "2048 kB");
        assert_eq!(value_of(text, "PRETTY_NAME", '=').unwrap(), "Debian 12");
        assert_eq!(value_of(text, "Swap", ':'), None);
    }
}
