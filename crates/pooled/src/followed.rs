//! Intervals around the forecasts of one person, which learn from their errors day by day.

use crate::calibrate::{LeadCalibration, without_gap};
use crate::design::Transform;
use crate::person::Person;
use std::collections::VecDeque;
use vitalcast_evaluation::{FollowedIntervals, GapFactors, Step};

/// The intervals of forecasts of one lead.
#[derive(Debug, Clone)]
pub(crate) struct Followed<'a> {
    intervals: FollowedIntervals<'a>,
    gaps: GapFactors,
    /// Forecasts that wait for their day, without its value, and the factor of the gap before each.
    pending: VecDeque<(Step, f64)>,
}

/// A forecast of a day to come, in the scale of the model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The first day that was not known.
    pub(crate) origin: usize,
    pub(crate) lead: usize,
    pub(crate) value: f64,
    pub(crate) spread: f64,
    /// Days without a reading before the origin.
    pub(crate) gap: usize,
    /// Whether the error says something of errors in general.
    pub(crate) counts: bool,
}

impl<'a> Followed<'a> {
    pub(crate) fn new(calibration: &'a LeadCalibration) -> Option<Self> {
        Some(Self {
            intervals: calibration.intervals.follow().ok()?,
            gaps: calibration.gaps,
            pending: VecDeque::new(),
        })
    }

    /// Adds what was forecast before its day is known.
    pub(crate) fn expect(&mut self, forecast: Expected) {
        let step = Step {
            origin: forecast.origin,
            target: forecast.origin + forecast.lead - 1,
            forecast: forecast.value,
            observed: f64::NAN,
            scale: forecast.spread,
            counts: forecast.counts,
        };
        let factor = self.gaps.after(forecast.gap);
        self.pending.push_back((step, factor));
    }

    /// Learns from a day and those before, as known on an evening.
    pub(crate) fn arrive(
        &mut self,
        person: &Person,
        day: usize,
        evening: usize,
        transform: Transform,
    ) {
        while let Some((step, factor)) = self.pending.pop_front_if(|(step, _)| step.target <= day) {
            let measured = person.series.value(step.target, evening);
            if let Some(observed) = measured.and_then(|value| transform.apply(value)) {
                self.intervals
                    .push(without_gap(Step { observed, ..step }, factor));
            }
        }
        self.intervals.learn_until(day + 1);
    }

    /// Level, lower and upper bound around a forecast, by ascending level.
    pub(crate) fn bounds(&self, value: f64, spread: f64, gap: usize) -> Vec<(f64, f64, f64)> {
        let factor = self.gaps.after(gap);
        let mut bounds = self.intervals.bounds(value, spread);
        for (_, lower, upper) in &mut bounds {
            *lower = value + (*lower - value) * factor;
            *upper = value + (*upper - value) * factor;
        }
        bounds
    }
}
