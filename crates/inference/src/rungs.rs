//! What a model of many people has to beat on a person's own days: simple forecasts.

use std::ops::RangeInclusive;
use vitalcast_models::{ExponentialSmoothing, MovingAverage, SeriesForecaster, SeriesModel};
use vitalcast_pooled::{Corrected, GatedForecast, Person, Rival};

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

/// Replays a person with what is served on each evening: the model of many people, or the best of
/// [`SIMPLE_RUNGS`] where it had erred less, beyond chance. See [`Corrected::replay_with_rivals`].
///
/// # Panics
///
/// For days beyond the day after the person's last.
pub fn replay_served(
    model: Corrected<'_>,
    person: &Person,
    days: RangeInclusive<usize>,
    lead: usize,
    visit: impl FnMut(usize, Option<GatedForecast>),
) {
    let rivals = SIMPLE_RUNGS.each_ref().map(|rung| rung as &dyn Rival);
    model.replay_with_rivals(person, &rivals, days, lead, visit);
}

#[cfg(test)]
mod tests {
    use super::*;

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
