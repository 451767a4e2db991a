//! Intervals around any forecasts: calibrated on people that a model has not seen, and following a person
//! day by day.

use crate::adaptive::{AdaptiveSpread, ScoreTable};
use crate::error::EvaluationError;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The median of absolute errors in mean absolute errors: 0.85 for normal errors, less for heavier tails.
const MEDIAN_SHARE: f64 = 0.8;
/// The smallest error that a spread is scaled by.
const LEAST_ERROR: f64 = 1e-6;

/// A forecast of a day that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The first day after the origin of the forecast.
    pub origin: usize,
    /// The day that was forecast, not before `origin`.
    pub target: usize,
    /// The forecast.
    pub forecast: f64,
    /// The value, in the unit of the forecast.
    pub observed: f64,
    /// The person's scale at the time, in the same unit.
    pub scale: f64,
    /// Whether the score counts. A person's first forecasts only teach the spread.
    pub counts: bool,
}

/// How large errors are in people's scale, and which multiples of it contain how many of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Calibration {
    error: f64,
    scores: ScoreTable,
}

/// What is read, before it is checked.
#[derive(Deserialize)]
struct Unchecked {
    error: f64,
    scores: ScoreTable,
}

impl TryFrom<Unchecked> for Calibration {
    type Error = EvaluationError;

    fn try_from(unchecked: Unchecked) -> Result<Self, EvaluationError> {
        AdaptiveSpread::new(unchecked.error)?;
        Ok(Self {
            error: unchecked.error,
            scores: unchecked.scores,
        })
    }
}

impl Calibration {
    /// From the steps of people, each in the order of their origins. Symmetric intervals have one
    /// quantile on both sides; others a quantile on each.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`] for a number that is not finite, a scale that is not above 0, and a level that
    /// is not above 0 and below 1.
    pub fn fit<P: AsRef<[Step]>>(
        people: &[P],
        levels: &[f64],
        symmetric: bool,
    ) -> Result<Self, EvaluationError> {
        let steps = || people.iter().flat_map(AsRef::as_ref);
        if steps().any(|step| step.scale <= 0.0) {
            return Err(EvaluationError::NotPositive("scale of a forecast"));
        }
        let mut relative: Vec<f64> = steps()
            .map(|step| (step.observed - step.forecast).abs() / step.scale)
            .collect();
        crate::error::check_finite("error in people's scale", &relative)?;
        let middle = relative.len() / 2;
        let error = if relative.is_empty() {
            1.0
        } else {
            let (_, median, _) = relative.select_nth_unstable_by(middle, f64::total_cmp);
            (*median / MEDIAN_SHARE).max(LEAST_ERROR)
        };
        let nothing = Self {
            error,
            scores: ScoreTable::default(),
        };
        let mut scores = Vec::new();
        for steps in people {
            let mut intervals = nothing.follow()?;
            for step in steps.as_ref() {
                intervals.learn_until(step.origin);
                if step.counts {
                    let spread = intervals.spread.spread(step.scale);
                    scores.push((step.observed - step.forecast) / spread);
                }
                intervals.push(*step);
            }
        }
        Ok(Self {
            error,
            scores: ScoreTable::fit(&scores, levels, symmetric)?,
        })
    }

    /// The levels that the errors support.
    pub fn levels(&self) -> impl Iterator<Item = f64> {
        self.scores
            .quantiles()
            .iter()
            .map(|quantiles| quantiles.level)
    }

    /// The intervals of a person without forecasts so far.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotPositive`] for a calibration without an error, which none is.
    pub fn follow(&self) -> Result<FollowedIntervals<'_>, EvaluationError> {
        Ok(FollowedIntervals {
            calibration: self,
            spread: AdaptiveSpread::new(self.error)?,
            pending: VecDeque::new(),
        })
    }
}

/// The intervals of one person, which follow the errors of the forecasts so far.
#[derive(Debug, Clone)]
pub struct FollowedIntervals<'a> {
    calibration: &'a Calibration,
    spread: AdaptiveSpread,
    pending: VecDeque<Step>,
}

impl FollowedIntervals<'_> {
    /// Level, lower and upper bound around a forecast, by ascending level.
    pub fn bounds(&self, forecast: f64, scale: f64) -> Vec<(f64, f64, f64)> {
        self.spread
            .bounds(forecast, scale, &self.calibration.scores)
    }

    /// Adds a forecast whose day is known, in the order of the days. It counts from the first origin after
    /// its day on.
    pub fn push(&mut self, step: Step) {
        self.pending.push_back(step);
    }

    /// Learns from the days before `origin`.
    pub fn learn_until(&mut self, origin: usize) {
        while let Some(step) = self.pending.pop_front_if(|step| step.target < origin) {
            // What is not finite teaches nothing.
            let scores = &self.calibration.scores;
            let _ = self
                .spread
                .observe(step.observed, step.forecast, step.scale, scores);
        }
    }
}
