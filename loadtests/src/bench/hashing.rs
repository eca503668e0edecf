use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::Serialize;

use super::{BenchError, rate::per_second};

const PASSWORD: &[u8] = b"plumbline-demo-password";
const SALT: [u8; 16] = [7; 16];

/// Argon2id as the system is set to use it.
#[derive(Clone, Copy, Debug, Serialize, clap::Args)]
pub struct HashParams {
    #[arg(long, default_value_t = 19_456)]
    pub hash_memory_kib: u32,
    #[arg(long, default_value_t = 2)]
    pub hash_iterations: u32,
    #[arg(long, default_value_t = 1)]
    pub hash_parallelism: u32,
    /// Hashes at once: what the system permits, all cores but one.
    #[arg(long, default_value_t = all_cores_but_one())]
    pub hash_threads: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("Argon2id can't be computed with these parameters")]
pub struct UnusableParams(#[source] argon2::Error);

fn all_cores_but_one() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    cores.saturating_sub(1).max(1)
}

/// Hashes a second on that many threads, with nothing around them. Memory is kept from hash to
/// hash, as the system keeps it.
pub(super) async fn rate(params: HashParams, duration: Duration) -> Result<f64, BenchError> {
    let threads: Vec<_> = (0..params.hash_threads)
        .map(|_| tokio::task::spawn_blocking(move || hash_for(params, duration)))
        .collect();
    let mut hashed = Vec::new();
    for thread in threads {
        hashed.extend(thread.await?.map_err(UnusableParams)?);
    }
    per_second(hashed)
}

/// When each hash was done.
fn hash_for(params: HashParams, duration: Duration) -> Result<Vec<Instant>, argon2::Error> {
    let params = Params::new(
        params.hash_memory_kib,
        params.hash_iterations,
        params.hash_parallelism,
        Some(Params::DEFAULT_OUTPUT_LEN),
    )?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut memory = vec![Block::default(); argon2.params().block_count()];
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let mut done = Vec::new();
    let end = Instant::now() + duration;
    while Instant::now() < end {
        argon2.hash_password_into_with_memory(PASSWORD, &SALT, &mut output, &mut memory)?;
        std::hint::black_box(&output);
        done.push(Instant::now());
    }
    Ok(done)
}
