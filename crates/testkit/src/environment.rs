//! The environment variables that hand a test run its servers. `cargo xtask test` sets them.

use std::io::Write;
use std::path::PathBuf;

/// A superuser's URL of a maintenance database, for example
/// `postgres://postgres@127.0.0.1:5432/postgres`. Tests create their own databases beside it.
pub const POSTGRES_URL: &str = "PLUMBLINE_TEST_POSTGRES_URL";
/// For example `redis://127.0.0.1:6379`.
pub const REDIS_URL: &str = "PLUMBLINE_TEST_REDIS_URL";
/// For example `amqp://guest:guest@127.0.0.1:5672/%2f`.
pub const AMQP_URL: &str = "PLUMBLINE_TEST_AMQP_URL";
/// The file to which every PostgreSQL database of the run adds its statements (`database::RECORDING`).
pub const STATEMENTS: &str = "PLUMBLINE_RECORD_STATEMENTS";
/// `embedded` or `distributed`.
pub const MODE: &str = "PLUMBLINE_TEST_MODE";
/// The Chromium to drive in browser tests.
pub const CHROMIUM: &str = "PLUMBLINE_TEST_CHROMIUM";
/// The `node_modules` folder of what `crates/testkit/npm/package.json` names.
pub const NODE_MODULES: &str = "PLUMBLINE_TEST_NODE_MODULES";
/// The Python interpreter that has what `crates/testkit/python/requirements.txt` names.
pub const PYTHON: &str = "PLUMBLINE_TEST_PYTHON";

/// The servers that a distributed run uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrls {
    pub postgres: String,
    pub redis: String,
    pub amqp: String,
}

/// The servers to test against, or `None`, said on standard error, when any is missing.
///
/// Tests that need them return early on `None`: plain `cargo test` stays green with nothing
/// installed, and tells what it left out.
#[must_use]
pub fn distributed(test: &str) -> Option<ServiceUrls> {
    let urls = from_lookup(|name| std::env::var(name).ok());
    if urls.is_none() {
        left_out(test, "PostgreSQL, Redis and RabbitMQ");
    }
    urls
}

/// The folder of npm's packages, or `None`, said on standard error, when it is not given.
#[must_use]
pub fn node_modules(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(NODE_MODULES).map(PathBuf::from);
    if folder.is_none() {
        left_out(test, "Node.js and packages from npm");
    }
    folder
}

/// The interpreter with PyPI's packages, or `None`, said on standard error, when it is not given.
#[must_use]
pub fn python(test: &str) -> Option<PathBuf> {
    let interpreter = std::env::var_os(PYTHON).map(PathBuf::from);
    if interpreter.is_none() {
        left_out(test, "Python and packages from PyPI");
    }
    interpreter
}

/// Says that a test did not run, past the capture that would hide it because the test passes.
pub fn left_out(test: &str, needs: &str) {
    // Nobody may be listening.
    let _ = writeln!(
        std::io::stderr(),
        "LEFT OUT: {test} needs {needs}: run `cargo xtask test`"
    );
}

fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Option<ServiceUrls> {
    let given = |name| lookup(name).filter(|value| !value.is_empty());
    Some(ServiceUrls {
        postgres: given(POSTGRES_URL)?,
        redis: given(REDIS_URL)?,
        amqp: given(AMQP_URL)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_servers_make_a_distributed_run() {
        let urls = from_lookup(|name| Some(name.to_lowercase())).unwrap();
        assert_eq!(urls.redis, "plumbline_test_redis_url");
    }

    #[test]
    fn a_missing_or_empty_url_makes_it_embedded() {
        assert_eq!(
            from_lookup(|name| (name != REDIS_URL).then(|| "url".to_owned())),
            None
        );
        assert_eq!(
            from_lookup(|name| Some(if name == AMQP_URL { "" } else { "url" }.to_owned())),
            None
        );
    }
}
