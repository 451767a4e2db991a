//! A model beside simple forecasts of the same person: which of them is served on an evening.
//!
//! Both are replayed over the person's last readings, none of which a forecast knew. The simple forecast that
//! erred least on these is served where it erred less beyond chance, in the test of Diebold and Mariano. It was
//! found on the same readings, so p has to be as many times smaller as there are candidates (Bonferroni).
//!
//! It was chosen on the readings before these, of which there may be seven. A poor one was then called the best
//! simple forecast, and a better one could not be served.
//!
//! What is compared is what is served: where all readings so far are whole numbers, a simple forecast is
//! rounded, as the model's is.
//!
//! The comparison of an evening rests on what was known then: late values and corrections change it from
//! the evening on which they were known.

use crate::calibrate::LEAST_READINGS as LEAST_COUNTED;
use crate::corrected::Corrected;
use crate::followed::{Expected, Followed};
use crate::model::{PooledForecast, PooledModel, Replay, in_unit, rounded};
use crate::person::{Follower, Person};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use vitalcast_evaluation::{Bounds, Distribution, SIGNIFICANT, diebold_mariano, mean};

/// The last readings on which the model and simple forecasts are compared.
const COMPARED: usize = 60;
/// The first readings of a person, which say little of either.
const FIRST_READINGS: usize = 7;
/// Readings on which two forecasts are tested.
const LEAST_TESTED: usize = 20;

/// A simple forecast of a series from nothing but its own days.
pub trait Rival: Sync {
    /// The forecast of the day `lead` (at least 1) days after the last day of `history`; `None` when there
    /// is nothing to go by.
    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64>;
}

/// The forecasts of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct GatedForecast {
    /// That of the model.
    pub of_model: PooledForecast,
    /// The place of the simple forecast that is better, and what it says.
    pub simple: Option<(usize, PooledForecast)>,
    /// How both did, one day ahead.
    pub compared: Compared,
}

impl GatedForecast {
    /// The forecast that is served.
    pub fn served(&self) -> &PooledForecast {
        match &self.simple {
            Some((_, simple)) => simple,
            None => &self.of_model,
        }
    }
}

/// A model and simple forecasts on the person's last readings, one day ahead, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Number of readings.
    pub days: usize,
    /// Mean absolute error of the model; `None` without a reading.
    pub mae: Option<f64>,
    /// The simple forecast that erred least on them; `None` when none has an error.
    pub best: Option<BestRival>,
}

/// The simple forecast that erred least on the compared readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestRival {
    /// Its place.
    pub place: usize,
    /// Its mean absolute error on the compared readings.
    pub mae: f64,
    /// p value that it errs no less than the model; `None` for fewer than 20 readings, and when one is
    /// better by the same amount on each of them. It is multiplied by the number of simple forecasts
    /// (Bonferroni), because the best of them was found on the same readings.
    pub p: Option<f64>,
    /// Whether it errs less beyond chance.
    pub is_better: bool,
}

impl PooledModel {
    /// Replays a person as [`PooledModel::replay`] does; a simple forecast is served in place of the
    /// model's on the evenings on which it had erred less, beyond chance.
    ///
    /// # Panics
    ///
    /// For days beyond the day after the person's last.
    pub fn replay_with_rivals(
        &self,
        person: &Person,
        rivals: &[&dyn Rival],
        days: RangeInclusive<usize>,
        lead: usize,
        visit: impl FnMut(usize, Option<GatedForecast>),
    ) {
        Corrected::from(self).replay_with_rivals(person, rivals, days, lead, visit);
    }
}

/// The state of the model and of simple forecasts.
#[derive(Clone)]
pub(crate) struct Gated<'a> {
    model: &'a PooledModel,
    replay: Replay<'a>,
    /// The same one day ahead, if that is another lead.
    day_ahead: Option<Replay<'a>>,
    rivals: &'a [&'a dyn Rival],
    followed: Vec<Followed<'a>>,
    readings: usize,
    /// The errors on the last readings: of the model, then of each simple forecast. `NaN` for none.
    errors: VecDeque<Arc<[f64]>>,
}

impl<'a> Gated<'a> {
    pub(crate) fn new(
        of: Corrected<'a>,
        person: &Person,
        rivals: &'a [&'a dyn Rival],
        lead: usize,
    ) -> Option<Self> {
        let model = of.model;
        let calibration = model.calibration(person, lead);
        let day_ahead = || Replay::new(of, person, 1);
        Some(Self {
            model,
            replay: Replay::new(of, person, lead)?,
            day_ahead: if lead == 1 { None } else { Some(day_ahead()?) },
            rivals,
            followed: rivals
                .iter()
                .map(|_| Followed::new(calibration))
                .collect::<Option<_>>()?,
            readings: 0,
            errors: VecDeque::new(),
        })
    }

    pub(crate) fn forecast(
        &self,
        day: usize,
        person: &Person,
        features: &mut [f64],
    ) -> Option<GatedForecast> {
        let of_model = self.replay.forecast(day, person, features)?;
        let compared = self.compare();
        let simple = compared.best.filter(|best| best.is_better);
        let simple = simple.and_then(|best| {
            let forecast = self.of_rival(best.place, day, person, &of_model)?;
            Some((best.place, forecast))
        });
        Some(GatedForecast {
            of_model,
            simple,
            compared,
        })
    }

    /// A simple forecast with the interval of its own errors.
    fn of_rival(
        &self,
        place: usize,
        day: usize,
        person: &Person,
        model: &PooledForecast,
    ) -> Option<PooledForecast> {
        let history = person.series.known(0..day, day.saturating_sub(1));
        let value = self.rivals[place].forecast(&history, self.replay.lead)?;
        let transform = self.model.design.transform;
        let gap = self.replay.state.own.gap();
        let bounds = self.followed[place]
            .bounds(transform.apply(value)?, model.spread, gap)
            .into_iter()
            .map(|(level, lower, upper)| Bounds {
                level,
                // Not rounded to whole numbers: around a forecast that is one already, bounds less than
                // one away would shrink to it.
                lower: transform.invert(lower).min(value),
                upper: transform.invert(upper).max(value),
            });
        Some(PooledForecast {
            distribution: Distribution::new(value, bounds.collect()).ok()?,
            readings: model.readings,
            spread: model.spread,
        })
    }

    /// The errors of the last readings.
    fn compare(&self) -> Compared {
        // Of those that are kept.
        let first = FIRST_READINGS.saturating_sub(self.readings - self.errors.len());
        let rows: Vec<&[f64]> = self.errors.iter().skip(first).map(AsRef::as_ref).collect();
        let best = (1..=self.rivals.len())
            .filter_map(|column| Some((column, mean_size(&rows, column)?)))
            .min_by(|left, right| left.1.total_cmp(&right.1))
            .and_then(|(column, _)| best_rival(&rows, column, self.rivals.len()));
        Compared {
            days: rows.len(),
            mae: mean_size(&rows, 0),
            best,
        }
    }
}

/// Mean size of the errors of a column that are there.
fn mean_size(rows: &[&[f64]], column: usize) -> Option<f64> {
    mean(
        rows.iter()
            .map(|row| row[column].abs())
            .filter(|error| error.is_finite()),
    )
}

/// The simple forecast of a column, the best of so many on these readings, against the model.
fn best_rival(rows: &[&[f64]], column: usize, tests: usize) -> Option<BestRival> {
    let (own, models): (Vec<f64>, Vec<f64>) = rows
        .iter()
        .map(|row| (row[column], row[0]))
        .filter(|(own, model)| own.is_finite() && model.is_finite())
        .unzip();
    let mae = mean_size(rows, column)?;
    let is_tested = own.len() >= LEAST_TESTED;
    let p = if is_tested {
        // Errors are finite, and there are as many of each.
        let test = diebold_mariano(&own, &models, 1).ok()?;
        test.map(|test| (test.p * tests as f64).min(1.0))
    } else {
        None
    };
    // Better by the same amount on each reading is no chance, but nothing to divide by.
    let always = || {
        own.iter()
            .zip(&models)
            .all(|(own, model)| own.abs() < model.abs())
    };
    Some(BestRival {
        place: column - 1,
        mae,
        p,
        is_better: is_tested && p.map_or_else(always, |p| p < SIGNIFICANT),
    })
}

impl Follower for Gated<'_> {
    fn push(&mut self, person: &Person, day: usize, evening: usize) {
        let lead = self.replay.lead;
        let own = &self.replay.state.own;
        let (gap, counts) = (own.gap(), own.readings() >= LEAST_COUNTED);
        let is_whole = self.replay.state.is_whole();
        let spread = self.replay.state.location().map(|(_, spread)| spread);
        let transform = self.model.design.transform;
        let history = person.series.known(0..day, evening);
        let measured = person.series.value(day, evening);
        let mut errors = vec![f64::NAN; 1 + self.rivals.len()];
        for (place, (rival, followed)) in self.rivals.iter().zip(&mut self.followed).enumerate() {
            let ahead = rival.forecast(&history, lead);
            if let Some((value, spread)) =
                ahead.and_then(|value| transform.apply(value)).zip(spread)
            {
                followed.expect(Expected {
                    origin: day,
                    lead,
                    value,
                    spread,
                    gap,
                    counts,
                });
            }
            followed.arrive(person, day, evening, transform);
            if let Some(measured) = measured {
                let next = if lead == 1 {
                    ahead
                } else {
                    rival.forecast(&history, 1)
                };
                errors[1 + place] =
                    next.map_or(f64::NAN, |next| measured - rounded(is_whole, next));
            }
        }
        self.replay.push(person, day, evening);
        let said = match &mut self.day_ahead {
            Some(replay) => {
                replay.push(person, day, evening);
                replay.said
            }
            None => self.replay.said,
        };
        let Some(measured) = measured else {
            return;
        };
        if let Some(said) = said {
            errors[0] = measured - in_unit(transform, is_whole, said);
        }
        self.readings += 1;
        if self.errors.len() == COMPARED {
            self.errors.pop_front();
        }
        self.errors.push_back(errors.into());
    }
}
