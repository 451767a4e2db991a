//! What a model of many people has to beat on a person's own days: simple forecasts.

use crate::ladder::{said_of, with_bounds};
use std::ops::RangeInclusive;
use vitalcast_evaluation::{Bounds, Distribution, GapFactors};
use vitalcast_models::{ExponentialSmoothing, MovingAverage, SeriesForecaster, SeriesModel};
use vitalcast_pooled::{Corrected, GatedForecast, Person, PooledForecast, Rival, Transform};
use vitalcast_windows::KnownSeries;

/// A simple forecast that is served where it is better than a model of many people.
#[derive(Debug)]
pub struct SimpleRung {
    /// Its name in answers and tables.
    pub name: &'static str,
    /// How it forecasts.
    pub model: SeriesModel,
}

/// All of them, simplest first.
pub static SIMPLE_RUNGS: [SimpleRung; 5] = [
    SimpleRung {
        name: "naive",
        model: SeriesModel::Naive,
    },
    SimpleRung {
        name: "seasonal_naive",
        model: SeriesModel::SeasonalNaive,
    },
    SimpleRung {
        name: "moving_average",
        model: SeriesModel::MovingAverage(MovingAverage::WEEK),
    },
    SimpleRung {
        name: "mean_30",
        model: SeriesModel::MovingAverage(MovingAverage { days: 30 }),
    },
    SimpleRung {
        name: "exponential_smoothing",
        model: SeriesModel::ExponentialSmoothing(ExponentialSmoothing { alpha: 0.3 }),
    },
];

impl Rival for SimpleRung {
    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        self.model.forecast(history, lead)
    }
}

/// Readings from which on a person gets a forecast without a training.
pub const LEAST_READINGS: usize = 7;
/// The last of them is at most so many days before the target.
pub const RECENT_DAYS: usize = 90;

/// What a person lacks for a forecast without a training.
pub(crate) enum Lack {
    /// There are only so many readings.
    Readings(usize),
    /// The last reading is too long ago.
    Recent,
}

/// The last day with a reading, if the days are enough for a forecast of the day `target` without a training.
/// A forecast that is served and one that is replayed both ask here.
pub(crate) fn newest_reading(known: &[Option<f64>], target: usize) -> Result<usize, Lack> {
    let found = known.iter().flatten().take(LEAST_READINGS).count();
    if found < LEAST_READINGS {
        return Err(Lack::Readings(found));
    }
    let newest = known.iter().rposition(Option::is_some);
    newest
        .filter(|newest| newest + RECENT_DAYS >= target)
        .ok_or(Lack::Recent)
}

/// Whether a reading is a whole number, or there is none. Where all of a person's are, what is served is one, too.
pub(crate) fn is_whole(reading: Option<f64>) -> bool {
    reading.is_none_or(|reading| reading.fract() == 0.0)
}

/// A forecast in whole numbers, as a model of many people gives it, where all readings are (`is_whole`); else
/// `None`. The bounds contain the same readings as before.
pub(crate) fn whole_numbers(is_whole: bool, forecast: &Distribution) -> Option<Distribution> {
    let value = forecast.value().round();
    let bounds = forecast.intervals().iter().map(|bounds| Bounds {
        level: bounds.level,
        lower: bounds.lower.ceil().min(value),
        upper: bounds.upper.floor().max(value),
    });
    let bounds = is_whole.then(|| bounds.collect())?;
    Distribution::new(value, bounds).ok()
}

/// The intervals of simple forecasts that are served in place of a model's: those of their own errors at the
/// same lead. The model's errors grow otherwise with the lead, and say nothing of them. What a gap does to
/// errors is taken from many people, as far as the person's own gaps do not tell.
struct OwnIntervals<'a> {
    series: &'a KnownSeries,
    /// The last day on whose evening before anything is said.
    last: usize,
    lead: usize,
    transform: Transform,
    gaps: GapFactors,
    /// What each said on each evening, once it is needed.
    said: [Option<Vec<Option<f64>>>; SIMPLE_RUNGS.len()],
}

impl OwnIntervals<'_> {
    /// A forecast of the evening before a day, in whole numbers where all readings are. Before there are four
    /// errors it keeps the intervals that it has.
    fn around(&mut self, origin: usize, place: usize, forecast: &Distribution) -> Distribution {
        let known = self.series.known(0..origin, origin.saturating_sub(1));
        let said = self.said[place]
            .get_or_insert_with(|| said_of(self.series, self.last, self.lead, place));
        let of = (place, forecast.value(), self.lead);
        let own = with_bounds(said, &known, of, self.transform, &self.gaps);
        let own = own.ok().and_then(Result::ok);
        let own = own.unwrap_or_else(|| forecast.clone());
        let is_whole = known.iter().copied().all(is_whole);
        whole_numbers(is_whole, &own).unwrap_or(own)
    }
}

/// Whether a person gets a forecast on the evening before the day `origin`.
fn is_answered(person: &Person, origin: usize, lead: usize) -> bool {
    let known = person.series.known(0..origin, origin.saturating_sub(1));
    newest_reading(&known, (origin + lead).saturating_sub(1)).is_ok()
}

/// Replays a person with a model of many people alone. There is no forecast on the evenings on which none
/// would be served.
///
/// # Panics
///
/// For days beyond the day after the person's last.
pub fn replay_of_many_people(
    model: Corrected<'_>,
    person: &Person,
    days: RangeInclusive<usize>,
    lead: usize,
    mut visit: impl FnMut(usize, Option<PooledForecast>),
) {
    model.replay(person, days, lead, |origin, forecast| {
        visit(
            origin,
            forecast.filter(|_| is_answered(person, origin, lead)),
        );
    });
}

/// Replays a person with what is served on each evening: the model of many people, or the best of
/// [`SIMPLE_RUNGS`] where it had erred less, beyond chance. See [`Corrected::replay_with_rivals`]. There is no
/// forecast before the seventh reading, nor three months after the last one.
///
/// # Panics
///
/// For days beyond the day after the person's last.
pub fn replay_served(
    model: Corrected<'_>,
    person: &Person,
    days: RangeInclusive<usize>,
    lead: usize,
    mut visit: impl FnMut(usize, Option<GatedForecast>),
) {
    let rivals = SIMPLE_RUNGS.each_ref().map(|rung| rung as &dyn Rival);
    let mut intervals = OwnIntervals {
        series: &person.series,
        last: *days.end(),
        lead: lead.max(1),
        transform: model.model.design().transform,
        gaps: model.model.gap_factors(person, lead),
        said: [const { None }; SIMPLE_RUNGS.len()],
    };
    model.replay_with_rivals(person, &rivals, days, lead, |origin, forecast| {
        let mut forecast = forecast.filter(|_| is_answered(person, origin, lead));
        if let Some((place, simple)) = forecast
            .as_mut()
            .and_then(|forecast| forecast.simple.as_mut())
        {
            simple.distribution = intervals.around(origin, *place, &simple.distribution);
        }
        visit(origin, forecast);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_domain::PredictionMetric;

    #[test]
    fn a_simple_forecast_of_whole_numbers_was_none() {
        let bounds = [(0.5, 60.9, 62.2), (0.8, 58.2, 64.9)];
        let bounds = bounds.map(|(level, lower, upper)| Bounds {
            level,
            lower,
            upper,
        });
        let said = Distribution::new(61.5, bounds.to_vec()).unwrap();
        let whole = whole_numbers(true, &said).unwrap();
        assert_eq!(whole.value(), 62.0);
        for reading in 50..70 {
            let reading = f64::from(reading);
            for (before, after) in said.intervals().iter().zip(whole.intervals()) {
                let before = (before.lower..=before.upper).contains(&reading);
                let after = (after.lower..=after.upper).contains(&reading);
                assert_eq!(before, after, "{reading}");
            }
        }
        assert!(whole_numbers(false, &said).is_none());
    }

    #[test]
    fn two_months_after_the_last_reading_a_simple_forecast_was_as_sure_as_the_day_after() {
        let population = crate::population(PredictionMetric::RestingHeartRate);
        let model = population.unwrap().unwrap().model.as_pooled().unwrap();
        // A week of its own, with a little noise.
        let week = [50.0, 60.0, 55.0, 65.0, 52.0, 63.0, 58.0];
        let mut days: Vec<Option<f64>> = (0..120)
            .map(|day| Some(week[day % 7] + ((day * 7_919) % 13) as f64 / 10.0))
            .collect();
        days.extend([None; 60]);
        let person = Person {
            first_weekday: 0,
            source: "own table".to_owned(),
            series: KnownSeries::from(days),
            covariates: vec![None; model.design().covariates.len()],
        };
        let mut widths = Vec::new();
        replay_served(model.into(), &person, 120..=180, 1, |_, forecast| {
            let (_, simple) = forecast
                .and_then(|of| of.simple)
                .expect("the weekday knows better");
            let bounds = simple.distribution.interval(0.8).unwrap();
            widths.push(bounds.upper - bounds.lower);
        });
        assert!(widths[60] > 1.1 * widths[0], "{widths:?}");
        let never_narrower = |pair: &[f64]| pair[1] > pair[0] - 1e-9;
        assert!(widths.windows(2).all(never_narrower), "{widths:?}");
    }

    #[test]
    fn every_simple_baseline_is_a_rung_of_the_same_name() {
        for baseline in SeriesModel::simple() {
            let rung = SIMPLE_RUNGS
                .iter()
                .find(|rung| rung.name == baseline.name());
            assert_eq!(rung.map(|rung| &rung.model), Some(&baseline));
        }
    }
}
