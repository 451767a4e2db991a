//! The search for few changes that bring a forecast to a target: numbers in, numbers out.
//!
//! A beam search over levers and values of the person's own days, after Mothilal, Sharma and Tan (2020,
//! "DiCE"): sparse answers, inside the person's own range, and several that use other levers. What a set
//! of changes gives is asked of the model each time; nothing is interpolated.

use std::collections::BTreeMap;

/// Sets that are kept while they grow.
const BEAM: usize = 4;
/// Steps by which a change is made smaller.
const SHRINK_STEPS: usize = 5;
/// Answers beside the best one.
pub const ALTERNATIVES: usize = 3;

/// One thing that can change, with the values it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// What it is now, if it is known.
    pub current: Option<f64>,
    /// The values it may take, ascending.
    pub values: Vec<f64>,
    /// Its spread over the person's days: the unit in which changes are compared.
    pub spread: f64,
    /// Values are multiples of this.
    pub step: f64,
}

impl Range {
    /// A value as it is suggested.
    fn rounded(&self, value: f64) -> f64 {
        let rounded = (value / self.step).round() * self.step;
        let (low, high) = (
            self.values.first().copied().unwrap_or(value),
            self.values.last().copied().unwrap_or(value),
        );
        // Thousandths of a step are no part of a number that people read.
        let rounded = (rounded * 1e6).round() / 1e6;
        rounded.clamp(low.min(value), high.max(value))
    }
}

/// A change: which range, and its new value.
pub type Chosen = (usize, f64);

/// Gives the forecast after some changes; `None` when they cannot be made together.
pub type Evaluate<'a, E> = dyn FnMut(&[Chosen]) -> Result<Option<f64>, E> + 'a;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// The forecast as it is.
    pub base: f64,
    /// The forecast to reach.
    pub target: f64,
    /// Most changes of one answer.
    pub most_changes: usize,
    /// Whether the smallest change is wanted, not the fewest.
    pub smallest: bool,
}

impl Goal {
    fn sign(self) -> f64 {
        if self.target < self.base { -1.0 } else { 1.0 }
    }

    /// How far a forecast has come towards the target.
    fn progress(self, value: f64) -> f64 {
        self.sign() * (value - self.base)
    }

    /// Whether a forecast is at the target or beyond.
    pub fn is_reached(self, value: f64) -> bool {
        self.sign() * (value - self.target) >= 0.0
    }
}

/// Changes and what they give.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The changes, by range.
    pub changes: Vec<Chosen>,
    /// The forecast.
    pub value: f64,
}

/// The best set of changes, and others that share no change with it or with each other. Empty when nothing moves the
/// forecast towards the target.
///
/// # Errors
///
/// Those of `evaluate`.
pub fn search<'a, E>(
    ranges: &'a [Range],
    goal: Goal,
    evaluate: &'a mut Evaluate<'a, E>,
) -> Result<Vec<Found>, E> {
    let mut search = Search {
        ranges,
        goal,
        evaluate,
    };
    let singles = search.singles()?;
    let mut answers: Vec<Found> = Vec::new();
    let mut used: Vec<usize> = Vec::new();
    while answers.len() <= ALTERNATIVES {
        let open: BTreeMap<usize, Vec<Found>> = singles
            .iter()
            .filter(|(range, _)| !used.contains(range))
            .map(|(range, found)| (*range, found.clone()))
            .collect();
        let Some(best) = search.grow(&open)? else {
            break;
        };
        let best = search.shrink(best)?;
        used.extend(best.changes.iter().map(|(range, _)| *range));
        answers.push(best);
    }
    if goal.smallest {
        answers.sort_by(|left, right| {
            let reached = |of: &Found| !goal.is_reached(of.value);
            let size = |of: &Found| search.size(of);
            reached(left)
                .cmp(&reached(right))
                .then_with(|| size(left).total_cmp(&size(right)))
        });
    }
    Ok(answers)
}

struct Search<'a, E> {
    ranges: &'a [Range],
    goal: Goal,
    evaluate: &'a mut Evaluate<'a, E>,
}

impl<E> Search<'_, E> {
    fn try_out(&mut self, changes: Vec<Chosen>) -> Result<Option<Found>, E> {
        let value = (self.evaluate)(&changes)?;
        let value = value.filter(|value| value.is_finite());
        Ok(value.map(|value| Found { changes, value }))
    }

    /// What each value of each range gives alone, where it brings the forecast nearer; the best first.
    fn singles(&mut self) -> Result<BTreeMap<usize, Vec<Found>>, E> {
        let mut singles = BTreeMap::new();
        for (place, range) in self.ranges.iter().enumerate() {
            let mut found = Vec::new();
            for value in range.values.clone() {
                if Some(value) == range.current {
                    continue;
                }
                found.extend(self.try_out(vec![(place, value)])?);
            }
            found.retain(|found| self.goal.progress(found.value) > 0.0);
            found.sort_by(|left, right| self.order(left, right));
            if !found.is_empty() {
                singles.insert(place, found);
            }
        }
        Ok(singles)
    }

    /// Sum of the changes in units of the person's own spread.
    fn size(&self, found: &Found) -> f64 {
        let of = |(place, value): &Chosen| {
            let range = &self.ranges[*place];
            let middle = || {
                let values = &range.values;
                values.get(values.len() / 2).copied().unwrap_or(*value)
            };
            (value - range.current.unwrap_or_else(middle)).abs() / range.spread.max(1e-9)
        };
        found.changes.iter().map(of).sum()
    }

    /// Reached before not reached; then fewer and smaller changes, or more progress.
    fn order(&self, left: &Found, right: &Found) -> std::cmp::Ordering {
        let goal = self.goal;
        let reached = |of: &Found| goal.is_reached(of.value);
        match (reached(left), reached(right)) {
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
            (true, true) => {
                let by_count = left.changes.len().cmp(&right.changes.len());
                let by_size = self.size(left).total_cmp(&self.size(right));
                if goal.smallest {
                    by_size
                } else {
                    by_count.then(by_size)
                }
            }
            (false, false) => goal
                .progress(right.value)
                .total_cmp(&goal.progress(left.value)),
        }
    }

    /// The best set of changes of some ranges.
    fn grow(&mut self, singles: &BTreeMap<usize, Vec<Found>>) -> Result<Option<Found>, E> {
        let mut beam: Vec<Found> = singles
            .values()
            .filter_map(|found| found.first().cloned())
            .collect();
        beam.sort_by(|left, right| self.order(left, right));
        let Some(mut best) = beam.first().cloned() else {
            return Ok(None);
        };
        beam.truncate(BEAM);
        for _ in 1..self.goal.most_changes {
            if self.goal.is_reached(best.value) {
                break;
            }
            let mut next: Vec<Found> = Vec::new();
            for set in &beam {
                for (place, found) in singles {
                    if set.changes.iter().any(|(held, _)| held == place) {
                        continue;
                    }
                    let mut changes = set.changes.clone();
                    changes.extend_from_slice(&found[0].changes);
                    changes.sort_by_key(|(range, _)| *range);
                    if next.iter().all(|other| other.changes != changes) {
                        next.extend(self.try_out(changes)?);
                    }
                }
            }
            next.sort_by(|left, right| self.order(left, right));
            next.truncate(BEAM);
            let is_better = |of: &Found| self.order(of, &best) == std::cmp::Ordering::Less;
            match next.first() {
                Some(first) if is_better(first) => best = first.clone(),
                Some(_) | None => break,
            }
            beam = next;
        }
        Ok(Some(best))
    }

    /// The same answer with every change as small as the target allows, and none that is of no use.
    fn shrink(&mut self, found: Found) -> Result<Found, E> {
        let mut found = found;
        let mut place = 0;
        while found.changes.len() > 1 && place < found.changes.len() {
            let mut fewer = found.changes.clone();
            fewer.remove(place);
            match self.try_out(fewer)? {
                Some(fewer) if self.is_as_good(&fewer, &found) => found = fewer,
                Some(_) | None => place += 1,
            }
        }
        if !self.goal.is_reached(found.value) {
            return Ok(found);
        }
        for place in 0..found.changes.len() {
            let (range, far) = found.changes[place];
            let Some(near) = self.ranges[range].current else {
                continue;
            };
            let (mut near, mut far) = (near, far);
            for _ in 0..SHRINK_STEPS {
                let middle = f64::midpoint(near, far);
                let mut changes = found.changes.clone();
                changes[place].1 = middle;
                match self.try_out(changes)? {
                    Some(smaller) if self.goal.is_reached(smaller.value) => {
                        found = smaller;
                        far = middle;
                    }
                    Some(_) | None => near = middle,
                }
            }
        }
        // Numbers that people read, where they still reach it.
        for place in 0..found.changes.len() {
            let (range, value) = found.changes[place];
            let own = &self.ranges[range];
            let further = own
                .current
                .map_or(0.0, |current| (value - current).signum());
            for rounded in [own.rounded(value), own.rounded(value + further * own.step)] {
                let mut changes = found.changes.clone();
                changes[place].1 = rounded;
                if let Some(round) = self.try_out(changes)?
                    && self.goal.is_reached(round.value)
                {
                    found = round;
                    break;
                }
            }
        }
        Ok(found)
    }

    fn is_as_good(&self, fewer: &Found, found: &Found) -> bool {
        if self.goal.is_reached(found.value) {
            return self.goal.is_reached(fewer.value);
        }
        self.goal.progress(fewer.value) >= self.goal.progress(found.value)
    }
}

/// How usual a day is among others: the share of the others that lie at least as far from their own nearest
/// neighbours, in (0, 1] (the p value of conformal anomaly detection: Laxhammar and Falkman, 2010).
///
/// A day is a list of values in any units; each column is measured in its own standard deviation, and
/// values that are missing on either of two days do not count. 1 without days to compare with.
pub fn plausibility(day: &[Option<f64>], others: &[Vec<Option<f64>>]) -> f64 {
    /// Neighbours whose mean distance counts.
    const NEIGHBOURS: usize = 3;
    let spreads: Vec<f64> = (0..day.len())
        .map(|column| {
            spread(
                others
                    .iter()
                    .filter_map(|other| other.get(column).copied().flatten()),
            )
        })
        .collect();
    let distance = |one: &[Option<f64>], other: &[Option<f64>]| {
        let mut sum = 0.0;
        let mut count = 0;
        for ((one, other), spread) in one.iter().zip(other).zip(&spreads) {
            if let (Some(one), Some(other)) = (one, other)
                && *spread > 0.0
            {
                sum += ((one - other) / spread).powi(2);
                count += 1;
            }
        }
        (count > 0).then(|| (sum / f64::from(count)).sqrt())
    };
    let nearest = |one: &[Option<f64>], without: Option<usize>| {
        let others = others.iter().enumerate();
        let others = others.filter(|(place, _)| Some(*place) != without);
        let mut distances: Vec<f64> = others
            .filter_map(|(_, other)| distance(one, other))
            .collect();
        distances.sort_by(f64::total_cmp);
        distances.truncate(NEIGHBOURS);
        let count = distances.len();
        (count > 0).then(|| distances.iter().sum::<f64>() / count as f64)
    };
    let Some(own) = nearest(day, None) else {
        return 1.0;
    };
    let usual: Vec<f64> = (0..others.len())
        .filter_map(|place| nearest(&others[place], Some(place)))
        .collect();
    let as_far = usual.iter().filter(|other| **other >= own - 1e-12).count();
    (1 + as_far) as f64 / (1 + usual.len()) as f64
}

/// Population standard deviation.
fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let Some(mean) = vitalcast_evaluation::mean(values.iter().copied()) else {
        return 0.0;
    };
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn range(current: f64, values: &[f64]) -> Range {
        Range {
            current: Some(current),
            values: values.to_vec(),
            spread: 1.0,
            step: 0.5,
        }
    }

    fn of_line(ranges: &[Range], weights: &[f64], goal: Goal) -> Vec<Found> {
        let mut evaluate = |changes: &[Chosen]| -> Result<Option<f64>, Infallible> {
            let moved = changes
                .iter()
                .map(|(place, value)| weights[*place] * (value - ranges[*place].current.unwrap()));
            Ok(Some(goal.base + moved.sum::<f64>()))
        };
        search(ranges, goal, &mut evaluate).unwrap_or_else(|error| match error {})
    }

    const GOAL: Goal = Goal {
        base: 60.0,
        target: 58.0,
        most_changes: 3,
        smallest: false,
    };

    #[test]
    fn one_change_is_found_and_is_no_larger_than_it_must_be() {
        let ranges = [range(0.0, &[-4.0, 4.0]), range(0.0, &[-1.0, 1.0])];
        let found = of_line(&ranges, &[-1.0, -0.1], GOAL);
        assert_eq!(found[0].changes, vec![(0, 2.0)]);
        assert_eq!(found[0].value, 58.0);
    }

    #[test]
    fn several_changes_are_put_together_where_one_does_not_do() {
        let ranges = [
            range(0.0, &[1.0]),
            range(0.0, &[-1.0, 1.0]),
            range(0.0, &[1.0]),
        ];
        let found = of_line(&ranges, &[-1.0, 1.2, 0.0], GOAL);
        let changed: Vec<usize> = found[0].changes.iter().map(|(range, _)| *range).collect();
        assert_eq!(changed, vec![0, 1]);
        assert!(GOAL.is_reached(found[0].value));
        // Nothing is left that moves it.
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn what_cannot_be_reached_is_the_nearest_that_there_is() {
        let ranges = [range(0.0, &[0.5, 1.0])];
        let found = of_line(&ranges, &[-0.5], GOAL);
        assert_eq!(found[0].changes, vec![(0, 1.0)]);
        assert_eq!(found[0].value, 59.5);
        assert!(of_line(&ranges, &[0.0], GOAL).is_empty());
    }

    #[test]
    fn alternatives_use_other_levers() {
        let ranges = [range(0.0, &[4.0]), range(0.0, &[4.0]), range(0.0, &[4.0])];
        let found = of_line(&ranges, &[-1.0, -0.9, -0.8], GOAL);
        let levers: Vec<usize> = found.iter().map(|found| found.changes[0].0).collect();
        assert_eq!(levers.len(), 3);
        assert!(levers.contains(&0) && levers.contains(&1) && levers.contains(&2));
        assert!(found.iter().all(|found| GOAL.is_reached(found.value)));
    }

    #[test]
    fn a_usual_day_is_plausible_and_a_strange_one_is_not() {
        let days: Vec<Vec<Option<f64>>> = (0..40)
            .map(|day| {
                let x = f64::from(day % 8);
                vec![Some(x), Some(2.0 * x), None]
            })
            .collect();
        let of = |one: f64, other: f64| plausibility(&[Some(one), Some(other), Some(1.0)], &days);
        assert!(of(3.0, 6.0) > 0.9);
        // Each value is usual alone, both together are not.
        assert!(of(0.0, 14.0) < 0.05);
        assert!(of(90.0, 180.0) < 0.05);
        assert_eq!(plausibility(&[Some(1.0)], &[]), 1.0);
    }
}
