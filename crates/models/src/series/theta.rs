//! The Theta method (Assimakopoulos and Nikolopoulos 2000), which is simple exponential smoothing
//! with half the slope of a straight line as drift (Hyndman and Billah 2003), on a series whose weekly
//! season, where there is one, was taken off.

use super::{
    EtsModel, SeriesForecaster, SeriesKind, SeriesPart, Sum, TreeGame, WEEK, enough, finite, mean,
    shows_a_week_twice,
};
use crate::error::ModelError;
use serde::{Deserialize, Serialize};

/// The normal distribution's 95th percentile.
const THRESHOLD: f64 = 1.645;

/// A Theta model. Level, drift and season are found anew in whatever history it forecasts from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThetaModel {
    /// Weight of the newest value in the level, 0 to 1.
    pub alpha: f64,
    /// Whether a weekly season is taken off first, where a history reaches over two whole weeks.
    pub seasonal: bool,
}

impl ThetaModel {
    /// Fits to four values or more.
    pub(super) fn fit(history: &[Option<f64>]) -> Result<Self, ModelError> {
        let is_enough = history.iter().flatten().count() >= 4;
        enough(is_enough.then_some(()), history, "observed days for Theta")?;
        let seasonal = shows_a_week_twice(history) && has_season(history);
        let plain = if seasonal {
            without(history, &season(history))
        } else {
            history.to_vec()
        };
        Ok(Self {
            alpha: EtsModel::fit_level(&plain).alpha,
            seasonal,
        })
    }
}

impl SeriesForecaster for ThetaModel {
    fn name(&self) -> &'static str {
        "theta"
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        let [level, trend, season] = self.components(history, lead)?;
        finite(level + trend + season, history)
    }
}

impl ThetaModel {
    /// Level, half a trend and season of a forecast, which add up to it.
    fn components(&self, history: &[Option<f64>], lead: usize) -> Option<[f64; 3]> {
        let lead = lead.max(1);
        let season = if self.seasonal && shows_a_week_twice(history) {
            season(history)
        } else {
            [0.0; WEEK]
        };
        let plain = without(history, &season);
        let smoothing = EtsModel {
            alpha: self.alpha,
            beta: None,
            gamma: None,
            damping: 1.0,
        };
        let level = smoothing.level(&plain)?;
        let count = plain.len() as f64;
        let days = (lead - 1) as f64 + (1.0 - (1.0 - self.alpha).powf(count)) / self.alpha;
        Some([
            level,
            0.5 * slope(&plain) * days,
            season[(history.len() + lead - 1) % WEEK],
        ])
    }
}

impl SeriesKind for ThetaModel {
    fn sum(
        &self,
        history: &[Option<f64>],
        lead: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let components = self.components(history, lead);
        Ok(components.map(|[level, trend, season]| {
            Sum::of([
                (SeriesPart::Level, level),
                (SeriesPart::Trend, trend),
                (SeriesPart::Weekday, season),
            ])
        }))
    }

    /// The weight of the newest value, and whether there is a season.
    fn parameter_count(&self) -> usize {
        2
    }
}

/// Slope of the least-squares line over days; zero for fewer than two.
fn slope(history: &[Option<f64>]) -> f64 {
    let points: Vec<(f64, f64)> = history
        .iter()
        .enumerate()
        .filter_map(|(day, value)| Some((day as f64, (*value)?)))
        .collect();
    let (Some(day), Some(value)) = (
        vitalcast_evaluation::mean(points.iter().map(|(day, _)| *day)),
        vitalcast_evaluation::mean(points.iter().map(|(_, value)| *value)),
    ) else {
        return 0.0;
    };
    let (mut above, mut below) = (0.0, 0.0);
    for (at, found) in points {
        above += (at - day) * (found - value);
        below += (at - day).powi(2);
    }
    if below > 0.0 { above / below } else { 0.0 }
}

/// What each phase of the week adds to the centred mean of seven days; adds up to zero.
fn season(history: &[Option<f64>]) -> [f64; WEEK] {
    let half = WEEK / 2;
    let mut sums = [(0.0, 0_usize); WEEK];
    for centre in half..history.len().saturating_sub(half) {
        let around = &history[centre - half..=centre + half];
        let observed = around.iter().flatten().count();
        if let (Some(value), Some(trend), true) = (history[centre], mean(around), observed > half) {
            let (sum, count) = &mut sums[centre % WEEK];
            *sum += value - trend;
            *count += 1;
        }
    }
    let phases = sums.map(|(sum, count)| if count > 0 { sum / count as f64 } else { 0.0 });
    let middle = phases.iter().sum::<f64>() / WEEK as f64;
    phases.map(|phase| phase - middle)
}

fn without(history: &[Option<f64>], season: &[f64; WEEK]) -> Vec<Option<f64>> {
    history
        .iter()
        .enumerate()
        .map(|(day, value)| Some((*value)? - season[day % WEEK]))
        .collect()
}

/// Whether the change from day to day resembles that of a week before, at the 10 % level: the
/// autocorrelation at seven days against Bartlett's formula, as in the Theta method's own test. Of the
/// values themselves that test finds a week in every series that wanders.
fn has_season(history: &[Option<f64>]) -> bool {
    let changes: Vec<Option<f64>> = history
        .windows(2)
        .map(|days| Some(days[1]? - days[0]?))
        .collect();
    let Some(middle) = mean(&changes) else {
        return false;
    };
    let covariance = |lag: usize| -> f64 {
        changes
            .iter()
            .zip(&changes[lag.min(changes.len())..])
            .filter_map(|(earlier, later)| Some(((*earlier)? - middle) * ((*later)? - middle)))
            .sum()
    };
    let variance = covariance(0);
    if variance <= 0.0 {
        return false;
    }
    let correlation = |lag: usize| covariance(lag) / variance;
    let squares: f64 = (1..WEEK).map(|lag| correlation(lag).powi(2)).sum();
    let count = changes.iter().flatten().count() as f64;
    correlation(WEEK) > THRESHOLD * ((1.0 + 2.0 * squares) / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::reference::series;

    #[test]
    fn with_the_parameters_of_statsmodels_the_forecasts_are_its_own() {
        for series in series() {
            let history: Vec<Option<f64>> = series.values.iter().copied().map(Some).collect();
            let model = ThetaModel {
                alpha: series.theta.alpha,
                seasonal: series.theta.seasonal,
            };
            for (lead, expected) in (1..).zip(&series.theta.forecast) {
                let found = model.forecast(&history, lead).unwrap();
                // The first level of the smoothing is solved for here and searched for there.
                assert!(
                    (found - expected).abs() < 0.1,
                    "{} lead {lead}: {found} {expected}",
                    series.name
                );
            }
        }
    }

    #[test]
    fn a_week_is_found_where_there_is_one_and_not_in_what_wanders() {
        for series in series() {
            let history: Vec<Option<f64>> = series.values.iter().copied().map(Some).collect();
            let model = ThetaModel::fit(&history).unwrap();
            assert_eq!(model.seasonal, series.name == "weekly", "{model:?}");
        }
    }

    #[test]
    fn a_straight_line_goes_on_with_half_its_slope() {
        let history: Vec<Option<f64>> = (0..40).map(|day| Some(f64::from(day))).collect();
        let model = ThetaModel {
            alpha: 1.0,
            seasonal: false,
        };
        // The last level and half a step for each day ahead.
        assert!((model.forecast(&history, 1).unwrap() - 39.5).abs() < 1e-9);
        assert!((model.forecast(&history, 3).unwrap() - 40.5).abs() < 1e-9);
    }

    #[test]
    fn a_season_was_made_of_less_than_two_weeks() {
        let week = [55.0, 58.0, 60.0, 57.0, 62.0, 64.0, 59.0];
        let of = |days: usize| -> Vec<Option<f64>> {
            (0..days).map(|day| Some(week[day % WEEK])).collect()
        };
        let model = ThetaModel::fit(&of(75)).unwrap();
        assert!(model.seasonal);
        let plain = ThetaModel {
            seasonal: false,
            ..model
        };
        for days in [7, 10, 13] {
            assert_eq!(model.forecast(&of(days), 1), plain.forecast(&of(days), 1));
        }
        for days in [14, 20, 75] {
            let found = model.forecast(&of(days), 1).unwrap();
            assert!((found - week[days % WEEK]).abs() < 0.1, "{days}: {found}");
        }
    }

    #[test]
    fn little_and_nothing_are_told_apart() {
        assert!(ThetaModel::fit(&[Some(1.0), None, Some(2.0)]).is_err());
        let model = ThetaModel::fit(&[1.0, 2.0, 1.0, 2.0, 1.5].map(Some)).unwrap();
        assert_eq!(model.forecast(&[None], 1), None);
        assert!((model.forecast(&[Some(5.0)], 1).unwrap() - 5.0).abs() < 1e-6);
    }
}
