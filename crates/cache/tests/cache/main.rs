//! The cache through its public interface, alone and with a real Redis.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod memory;
mod redis;
mod redis_away;
mod redis_link;
mod schedules;

use std::{
    convert::Infallible,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cache::{Cache, CacheConfig};

/// Longer than any test.
const TTL: Duration = Duration::from_secs(600);

/// Written past the capturing of tests that pass, which would hide it.
fn left_out(test: &str, needs: &str) {
    let line = format!("LEFT OUT: {test} needs {needs}: run `cargo xtask test`\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

async fn connect(url: &str, namespace: &str) -> Cache {
    Cache::connect(config(url, namespace)).await.unwrap()
}

fn config(url: &str, namespace: &str) -> CacheConfig {
    CacheConfig {
        url: url.to_owned(),
        namespace: namespace.to_owned(),
        max_entries: 1000,
        max_loads: 8,
    }
}

/// Stands for the database: gives what it is asked for and counts the questions.
#[derive(Clone, Default)]
struct Source(Arc<AtomicUsize>);

impl Source {
    async fn load(&self, value: &str) -> Result<String, Infallible> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(value.to_owned())
    }

    fn loads(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Reads `key` through the cache; `value` is what a load would give.
    async fn read(&self, cache: &Cache, key: &str, value: &str) -> String {
        let read = cache.get_or_load(key, TTL, self.load(value)).await;
        read.unwrap().as_ref().clone()
    }
}
