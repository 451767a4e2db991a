//! Scores of forecasts of past days: errors, their difference with an interval over people, coverage.
//!
//! Computed here from the rows that `vitalcast backtest` writes, and not by the crate that it uses, so
//! that the table is a check of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

/// The nominal levels of the intervals, per cent, as the columns of the rows name them.
pub(crate) const LEVELS: [u32; 3] = [80, 90, 95];

/// Times people are drawn anew.
const DRAWS: usize = 4000;
const SEED: u64 = 42;
/// How far the coverage of one person may be from the level.
const NEAR: f64 = 0.1;

/// Person and target day.
pub(crate) type Key = (String, String);

/// A scored day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Day {
    pub(crate) observed: f64,
    /// By model.
    pub(crate) forecasts: BTreeMap<String, f64>,
    /// Lower and upper bound of the first model's intervals, one for each level.
    pub(crate) bounds: [Option<(f64, f64)>; LEVELS.len()],
}

/// Adds the rows of `vitalcast backtest --output`; intervals are those of `model`.
pub(crate) fn add_replay(
    days: &mut BTreeMap<Key, Day>,
    rows: &[u8],
    model: &str,
) -> anyhow::Result<()> {
    let mut reader = csv::Reader::from_reader(rows);
    for row in reader.deserialize() {
        let row: BTreeMap<String, String> = row?;
        let text = |name: &str| row.get(name).with_context(|| format!("no column `{name}`"));
        let number = |name: &str| -> anyhow::Result<f64> {
            let cell = text(name)?;
            cell.parse()
                .with_context(|| format!("column `{name}` is not a number"))
        };
        let key = (text("user_id")?.clone(), text("target_date")?.clone());
        let day = days.entry(key).or_default();
        day.observed = number("observed")?;
        let of = text("model")?;
        day.forecasts.insert(of.clone(), number("forecast")?);
        if of == model {
            for (bounds, level) in day.bounds.iter_mut().zip(LEVELS) {
                let [lower, upper] =
                    ["lower", "upper"].map(|side| number(&format!("{side}_{level}")));
                *bounds = lower.ok().zip(upper.ok());
            }
        }
    }
    Ok(())
}

/// Five parts of the people: the one at place `i` of the sorted ids is in part `i mod 5`.
pub(crate) fn folds(people: &BTreeSet<String>) -> [Vec<String>; 5] {
    let mut folds: [Vec<String>; 5] = Default::default();
    for (place, person) in people.iter().enumerate() {
        folds[place % folds.len()].push(person.clone());
    }
    folds
}

/// The mean absolute error of a model on the days that it has forecast, and how many these are.
pub(crate) fn mean_absolute_error(days: &BTreeMap<Key, Day>, model: &str) -> (f64, usize) {
    let errors: Vec<f64> = days.values().filter_map(|day| error(day, model)).collect();
    (mean(&errors), errors.len())
}

/// The mean absolute error of `model` minus that of `other`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    pub(crate) value: f64,
    /// The middle 95 % when people are drawn anew.
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// Compares two models on the days that both have forecast. The days of a person are drawn together,
/// because they are not independent.
pub(crate) fn difference(days: &BTreeMap<Key, Day>, model: &str, other: &str) -> Difference {
    let mut people: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for ((person, _), day) in days {
        if let (Some(own), Some(theirs)) = (error(day, model), error(day, other)) {
            let (sum, count) = people.entry(person).or_default();
            *sum += own - theirs;
            *count += 1.0;
        }
    }
    let people: Vec<(f64, f64)> = people.into_values().collect();
    let ratio = |drawn: &mut dyn Iterator<Item = (f64, f64)>| {
        let (sum, count) = drawn.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        sum / count
    };
    let mut random = Random(SEED);
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| ratio(&mut (0..people.len()).map(|_| people[random.below(people.len())])))
        .collect();
    draws.sort_unstable_by(f64::total_cmp);
    Difference {
        value: ratio(&mut people.iter().copied()),
        lower: quantile(&draws, 0.025),
        upper: quantile(&draws, 0.975),
    }
}

/// How often the truth was inside the intervals of one level.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Coverage {
    pub(crate) days: usize,
    pub(crate) held: usize,
    width: f64,
    /// People with an interval, and those of them whose own coverage is within ten points of the level.
    pub(crate) people: usize,
    pub(crate) near: usize,
    /// How many of them would be that near on average if every interval held with the chance that its level
    /// says, on each day anew.
    near_by_chance: f64,
}

impl Coverage {
    #[expect(clippy::cast_precision_loss, reason = "days and people are few")]
    pub(crate) fn share(&self) -> f64 {
        self.held as f64 / self.days as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "days and people are few")]
    pub(crate) fn mean_width(&self) -> f64 {
        self.width / self.days as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "days and people are few")]
    pub(crate) fn near_share(&self) -> f64 {
        self.near as f64 / self.people as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "people are few")]
    pub(crate) fn near_share_by_chance(&self) -> f64 {
        self.near_by_chance / self.people as f64
    }

    /// Both together; a person of two series counts twice.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            days: self.days + other.days,
            held: self.held + other.held,
            width: self.width + other.width,
            people: self.people + other.people,
            near: self.near + other.near,
            near_by_chance: self.near_by_chance + other.near_by_chance,
        }
    }
}

/// The coverage of the level at `place` of [`LEVELS`].
pub(crate) fn coverage(days: &BTreeMap<Key, Day>, place: usize) -> Coverage {
    let mut people: BTreeMap<&str, Coverage> = BTreeMap::new();
    for ((person, _), day) in days {
        if let Some((lower, upper)) = day.bounds[place] {
            let of = people.entry(person).or_default();
            of.days += 1;
            of.held += usize::from((lower..=upper).contains(&day.observed));
            of.width += upper - lower;
        }
    }
    let nominal = f64::from(LEVELS[place]) / 100.0;
    people
        .into_values()
        .map(|of| Coverage {
            people: 1,
            near: usize::from(is_near(of.share(), nominal)),
            near_by_chance: chance_of_near(of.days, nominal),
            ..of
        })
        .fold(Coverage::default(), Coverage::with)
}

/// A share that is exactly ten points away counts, whatever rounding makes of it.
fn is_near(share: f64, nominal: f64) -> bool {
    (share - nominal).abs() <= NEAR + 1e-9
}

/// The probability that the share of so many days inside an interval is near its level, if each is inside
/// with the probability `nominal`, whatever happened on others (binomial distribution).
#[expect(clippy::cast_precision_loss, reason = "days are few")]
fn chance_of_near(days: usize, nominal: f64) -> f64 {
    // By the number of days inside, day by day.
    let mut chances = vec![1.0];
    for _ in 0..days {
        let mut next = vec![0.0; chances.len() + 1];
        for (held, chance) in chances.into_iter().enumerate() {
            next[held] += chance * (1.0 - nominal);
            next[held + 1] += chance * nominal;
        }
        chances = next;
    }
    let near = chances.iter().enumerate();
    near.filter(|(held, _)| is_near(*held as f64 / days as f64, nominal))
        .map(|(_, chance)| chance)
        .sum()
}

fn error(day: &Day, model: &str) -> Option<f64> {
    Some((day.forecasts.get(model)? - day.observed).abs())
}

#[expect(clippy::cast_precision_loss, reason = "days are few")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The value at a share of sorted values, between neighbours in proportion.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a short list"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = share * last as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (at - at.floor()) * (sorted[above] - sorted[below])
}

/// `SplitMix64` (Steele, Lea, Flood 2014): enough to draw people.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper half of the product: no remainder, and an error below 2⁻⁵⁰ for a few people.
        let drawn = (u128::from(mixed) * count as u128) >> 64;
        usize::try_from(drawn).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of people: name, observed value, forecasts of `ours` and `theirs`.
    fn scored(of: &[(&str, f64, f64, f64)]) -> BTreeMap<Key, Day> {
        of.iter()
            .enumerate()
            .map(|(place, &(person, observed, ours, theirs))| {
                let forecasts = [("ours", ours), ("theirs", theirs)]
                    .map(|(model, forecast)| (model.to_owned(), forecast));
                let day = Day {
                    observed,
                    forecasts: forecasts.into(),
                    bounds: [None; 3],
                };
                (
                    (person.to_owned(), format!("2026-01-{:02}", place + 1)),
                    day,
                )
            })
            .collect()
    }

    #[test]
    fn each_person_is_in_one_fold_and_folds_take_turns() {
        let people: BTreeSet<String> = ["g", "a", "c", "b", "f", "e", "d"]
            .map(str::to_owned)
            .into();
        assert_eq!(
            folds(&people).map(|fold| fold.concat()),
            ["af", "bg", "c", "d", "e"]
        );
    }

    #[test]
    fn the_difference_is_that_of_the_mean_errors() {
        let days = scored(&[
            ("a", 60.0, 61.0, 62.0),
            ("a", 60.0, 60.0, 62.0),
            ("b", 50.0, 49.0, 50.0),
        ]);
        let difference = difference(&days, "ours", "theirs");
        assert!((difference.value - -2.0 / 3.0).abs() < 1e-12);
        let errors = ["ours", "theirs"].map(|model| mean_absolute_error(&days, model).0);
        assert!((errors[0] - errors[1] - difference.value).abs() < 1e-12);
        // Draws of two people: both, the better one twice, or the worse one twice.
        assert_eq!((difference.lower, difference.upper), (-1.5, 1.0));
    }

    #[test]
    fn the_same_people_give_the_same_interval() {
        let days = scored(&[
            ("a", 60.0, 61.0, 62.5),
            ("b", 60.0, 60.5, 60.0),
            ("c", 50.0, 49.0, 47.0),
            ("d", 50.0, 49.0, 50.5),
            ("e", 50.0, 50.0, 51.0),
        ]);
        let first = difference(&days, "ours", "theirs");
        assert_eq!(first, difference(&days, "ours", "theirs"));
        assert!(first.lower < first.value && first.value < first.upper);
    }

    #[test]
    fn draws_reach_every_person_equally_often() {
        let mut random = Random(SEED);
        let mut counts = [0_usize; 3];
        for _ in 0..30_000 {
            counts[random.below(3)] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_700..=10_300).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn coverage_counts_days_and_people() {
        let mut days = scored(&[("a", 60.0, 0.0, 0.0); 10]);
        days.extend(scored(&[("b", 60.0, 0.0, 0.0); 5]));
        // Of a, 9 of 10 days inside, a bound among them; of b, 3 of 5. The level is 80 %.
        for (place, day) in days.values_mut().enumerate() {
            let lower = if [9, 13, 14].contains(&place) {
                61.0
            } else {
                60.0
            };
            day.bounds[0] = Some((lower, 62.0));
        }
        let coverage = coverage(&days, 0);
        assert_eq!((coverage.days, coverage.held), (15, 12));
        assert_eq!((coverage.people, coverage.near), (2, 1));
        assert!((coverage.mean_width() - (12.0 * 2.0 + 3.0) / 15.0).abs() < 1e-12);
        assert_eq!(super::coverage(&days, 1).days, 0);
    }

    #[test]
    fn few_days_are_often_far_from_the_level_by_chance() {
        // Of five days, 4 and 5 inside are 80 and 100 %, both just near 90 %.
        let of_five = 0.9_f64.powi(5) + 5.0 * 0.1 * 0.9_f64.powi(4);
        assert!((chance_of_near(5, 0.9) - of_five).abs() < 1e-12);
        // Of one day neither: 0 and 100 % are both far from 80 %.
        assert_eq!(chance_of_near(1, 0.8), 0.0);
        assert!(chance_of_near(25, 0.8) < 0.8 && chance_of_near(400, 0.8) > 0.99);
        let mut days = scored(&[("a", 60.0, 0.0, 0.0); 5]);
        days.extend(scored(&[("b", 60.0, 0.0, 0.0); 5]));
        for day in days.values_mut() {
            day.bounds[1] = Some((60.0, 62.0));
        }
        let coverage = coverage(&days, 1);
        assert!((coverage.near_share_by_chance() - of_five).abs() < 1e-12);
    }

    #[test]
    fn rows_of_a_replay_are_read_by_the_names_of_their_columns() {
        let rows = "user_id,target_date,horizon,model,observed,forecast,lower_80,upper_80,lower_90,\
                    upper_90,lower_95,upper_95,origin\n\
                    ada,2026-03-02,1,auto,60,61.5,59,64,58,65,,,2026-03-01\n\
                    ada,2026-03-02,1,naive,60,62,1,2,3,4,5,6,2026-03-01\n";
        let mut days = BTreeMap::new();
        add_replay(&mut days, rows.as_bytes(), "auto").unwrap();
        let day = &days[&("ada".to_owned(), "2026-03-02".to_owned())];
        assert_eq!(day.bounds, [Some((59.0, 64.0)), Some((58.0, 65.0)), None]);
        assert_eq!(error(day, "auto"), Some(1.5));
        assert_eq!(error(day, "naive"), Some(2.0));
    }

    #[test]
    fn a_column_that_is_missing_is_named() {
        let error = add_replay(&mut BTreeMap::new(), b"user_id\nada\n", "auto").unwrap_err();
        assert_eq!(error.to_string(), "no column `target_date`");
    }
}
