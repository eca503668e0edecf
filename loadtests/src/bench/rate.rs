use std::time::Instant;

use super::BenchError;

/// Events a second, from the first to the last: neither what came before the first nor the piece
/// of one that the end cut off counts.
pub(super) fn per_second(mut events: Vec<Instant>) -> Result<f64, BenchError> {
    events.sort_unstable();
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(BenchError::TooFew);
    };
    let seconds = (*last - *first).as_secs_f64();
    if seconds > 0.0 {
        Ok((events.len() - 1) as f64 / seconds)
    } else {
        Err(BenchError::TooFew)
    }
}

/// The middle one, or the mean of both; 0 of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => 0.0,
        values if values.len() % 2 == 1 => values[middle],
        values => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_counted_between_events() {
        let start = Instant::now();
        let events = [30, 10, 20, 40].map(|ms| start + Duration::from_millis(ms));
        assert!((per_second(events.to_vec()).unwrap() - 100.0).abs() < 1e-6);
        assert!(per_second(vec![start]).is_err());
        assert!(per_second(vec![]).is_err());
    }

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        assert_eq!(median([1.0, 900.0, 2.0]), 2.0);
        assert_eq!(median([1.0, 2.0, 3.0, 900.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
