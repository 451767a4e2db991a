//! What ridge and trees read of a history: the last days, weeks and weekdays, relative to the
//! series' own level, so that one model can learn from many people.

use super::{WEEK, mean};
use vitalcast_evaluation::beyond_rounding;

/// Days that make up the level.
pub const LEVEL_DAYS: usize = 4 * WEEK;
/// Values of a row: seven lags, the last week, the target's weekday, the spread, the week's change,
/// how much of the last week is known.
pub(super) const WIDTH: usize = WEEK + 5;

/// What is known at the end of a history, for the day `lead` days later; NaN where it is not.
pub(super) struct Known {
    /// Mean of the last four weeks; while these are empty, of the four weeks up to the newest value.
    pub(super) level: f64,
    pub(super) values: [f32; WIDTH],
}

impl Known {
    /// `None` when nothing was ever observed.
    pub(super) fn at(history: &[Option<f64>], lead: usize) -> Option<Self> {
        let tail = |days: usize| &history[history.len().saturating_sub(days)..];
        let month = tail(LEVEL_DAYS);
        let level = mean(month).or_else(|| {
            let end = history.iter().rposition(Option::is_some)? + 1;
            mean(&history[end.saturating_sub(LEVEL_DAYS)..end])
        })?;
        // Days that differ by rounding only do not differ.
        let relative = |value: Option<f64>| {
            value.map_or(f32::NAN, |value| {
                beyond_rounding(value - level, level) as f32
            })
        };
        let mut values = [f32::NAN; WIDTH];
        for (back, value) in values[..WEEK].iter_mut().enumerate() {
            let day = history.len().checked_sub(back + 1);
            *value = relative(day.and_then(|day| history[day]));
        }
        let week = tail(WEEK);
        let week_before = &month[..month.len().saturating_sub(WEEK)];
        let week_before = &week_before[week_before.len().saturating_sub(WEEK)..];
        // Days back from the end to the target's weekday: 1 is the last day.
        let back = WEEK - (lead.max(1) - 1) % WEEK;
        let weekday: Vec<Option<f64>> = (back..=month.len())
            .step_by(WEEK)
            .map(|back| month[month.len() - back])
            .collect();
        let squares: Vec<Option<f64>> = month
            .iter()
            .map(|value| value.map(|value| (value - level).powi(2)))
            .collect();
        values[WEEK] = relative(mean(week));
        values[WEEK + 1] = relative(mean(&weekday));
        values[WEEK + 2] = mean(&squares).map_or(f32::NAN, |variance| {
            beyond_rounding(variance.sqrt(), level) as f32
        });
        values[WEEK + 3] = match (mean(week), mean(week_before)) {
            (Some(now), Some(before)) => beyond_rounding(now - before, level) as f32,
            _ => f32::NAN,
        };
        values[WEEK + 4] = week.iter().flatten().count() as f32 / WEEK as f32;
        Some(Self { level, values })
    }
}

impl Known {
    /// The last value observed within the week, relative to the level; zero while there is none.
    pub(super) fn last(values: &[f32; WIDTH]) -> f64 {
        let last = values[..WEEK].iter().find(|value| !value.is_nan());
        last.map_or(0.0, |value| f64::from(*value))
    }
}

/// How much of the last value's difference from the level is still there when the target comes: 0
/// where days scatter around a level, 1 in a random walk. What ridge and trees learn is what this
/// leaves, so that where there is nothing to learn they forecast it.
pub(super) fn persistence(known: &[[f32; WIDTH]], targets: &[f64]) -> f64 {
    let last: Vec<f64> = known.iter().map(Known::last).collect();
    let squares: f64 = last.iter().map(|last| last * last).sum();
    let products: f64 = last
        .iter()
        .zip(targets)
        .map(|(last, target)| last * target)
        .sum();
    if squares > 0.0 {
        (products / squares).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// What was known and what came, relative to the level, for every observed day of some histories that
/// has at least a week before its origin.
pub(super) fn examples(histories: &[&[Option<f64>]], lead: usize) -> (Vec<[f32; WIDTH]>, Vec<f64>) {
    histories
        .iter()
        .flat_map(|history| {
            (WEEK + lead - 1..history.len()).filter_map(move |day| {
                let target = history[day]?;
                let known = Known::at(&history[..=day - lead], lead)?;
                Some((
                    known.values,
                    beyond_rounding(target - known.level, known.level),
                ))
            })
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn what_is_known_is_relative_to_the_last_four_weeks() {
        // Day d has the value 100 + d; five weeks.
        let mut history: Vec<Option<f64>> =
            (0..35).map(|day| Some(100.0 + f64::from(day))).collect();
        history[33] = None;
        let known = Known::at(&history, 1).unwrap();
        // Days 7 to 34 without 33 are 27: mean of 107..=134 is 120.5; without 133 it is (3374-133)/27.
        let level = (3374.0 - 133.0) / 27.0;
        assert!((known.level - level).abs() < 1e-9);
        assert!((f64::from(known.values[0]) - (134.0 - level)).abs() < 1e-5);
        assert!(known.values[1].is_nan());
        assert!((f64::from(known.values[WEEK]) - (784.0 / 6.0 - level)).abs() < 1e-5);
        // Tomorrow is day 35: its weekday is that of days 28, 21, 14, 7.
        assert!((f64::from(known.values[WEEK + 1]) - (117.5 - level)).abs() < 1e-5);
        assert!((known.values[WEEK + 4] - 6.0 / 7.0).abs() < 1e-6);
        // The day after tomorrow's weekday: days 29, 22, 15, 8.
        let known = Known::at(&history, 2).unwrap();
        assert!((f64::from(known.values[WEEK + 1]) - (118.5 - level)).abs() < 1e-5);
    }

    #[test]
    fn after_a_gap_the_level_was_the_last_value() {
        let mut history: Vec<Option<f64>> = (0..40).map(|day| Some(f64::from(day % 2))).collect();
        history.extend([None; 27]);
        assert_eq!(Known::at(&history, 1).map(|known| known.level), Some(1.0));
        history.push(None);
        assert_eq!(Known::at(&history, 1).map(|known| known.level), Some(0.5));
    }

    #[test]
    fn a_walk_persists_and_noise_does_not() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let noise: Vec<f64> = (0..300).map(|_| random.random_range(-1.0..1.0)).collect();
        let mut level = 60.0;
        let walk: Vec<Option<f64>> = noise
            .iter()
            .map(|step| {
                level += step;
                Some(level)
            })
            .collect();
        let around: Vec<Option<f64>> = noise.iter().map(|error| Some(60.0 + error)).collect();
        let of = |history: &[Option<f64>]| {
            let (known, targets) = examples(&[history], 1);
            persistence(&known, &targets)
        };
        assert!(of(&walk) > 0.9, "{}", of(&walk));
        assert!(of(&around) < 0.2, "{}", of(&around));
        assert_eq!(of(&[Some(60.0); 40]), 0.0);
        // Added up in another order, a day can be off by its last digit.
        let rounding: Vec<Option<f64>> = (0..40)
            .map(|day| Some(if day % 3 == 0 { 60.1 + 7e-15 } else { 60.1 }))
            .collect();
        assert_eq!(of(&rounding), 0.0);
    }

    #[test]
    fn nothing_observed_is_nothing_known() {
        assert!(Known::at(&[None, None], 1).is_none());
        assert!(Known::at(&[], 1).is_none());
    }
}
