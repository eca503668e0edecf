//! The build of the drills.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{FAIL_POINT, FailPoint, Safeguard, WITHOUT};

static FAILURE: OnceLock<Option<Failure>> = OnceLock::new();
static REMOVED: OnceLock<Option<Safeguard>> = OnceLock::new();
static HITS: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Abort,
    Panic,
}

/// What is to happen, and where, at which time of passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failure {
    point: FailPoint,
    action: Action,
    hit: u32,
}

/// Fails here, if the environment says so.
pub fn reached(point: FailPoint) {
    let armed = FAILURE.get_or_init(|| variable(FAIL_POINT, Failure::parse));
    let Some(failure) = armed.filter(|failure| failure.point == point) else {
        return;
    };
    if HITS.fetch_add(1, Ordering::Relaxed) + 1 != failure.hit {
        return;
    }
    match failure.action {
        Action::Abort => std::process::abort(),
        Action::Panic => panic!("the drill asked for a panic at {}", point.as_str()),
    }
}

/// Whether the environment says that the safeguard is to be left out.
#[must_use]
pub fn is_removed(safeguard: Safeguard) -> bool {
    let parse = |name: &str| Safeguard::ALL.into_iter().find(|one| one.as_str() == name);
    *REMOVED.get_or_init(|| variable(WITHOUT, parse)) == Some(safeguard)
}

/// A drill that asks for what there is not must not pass.
fn variable<T>(name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = std::env::var(name).ok()?;
    let parsed = parse(&value);
    if parsed.is_none() {
        eprintln!("{name}={value}: there is no such thing");
        std::process::abort();
    }
    parsed
}

impl Failure {
    /// `POINT=ACTION@HIT`
    fn parse(text: &str) -> Option<Self> {
        let (point, rest) = text.split_once('=')?;
        let (action, hit) = rest.split_once('@')?;
        Some(Self {
            point: FailPoint::ALL
                .into_iter()
                .find(|one| one.as_str() == point)?,
            action: match action {
                "abort" => Action::Abort,
                "panic" => Action::Panic,
                _ => return None,
            },
            hit: hit.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_can_be_armed() {
        for point in FailPoint::ALL {
            let text = format!("{}=panic@7", point.as_str());
            let expected = Failure {
                point,
                action: Action::Panic,
                hit: 7,
            };
            assert_eq!(Failure::parse(&text), Some(expected));
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "handler",
            "handler=abort",
            "handler=sleep@1",
            "x=abort@1",
        ] {
            assert_eq!(Failure::parse(text), None, "{text}");
        }
    }
}
