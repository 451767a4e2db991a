//! What a forecast of a series is made of: a base and parts that add up to it.
//!
//! The base is the mean of the days that the model was shown. The part of the level is then how far the
//! model's level lies from that mean, and so on: a forecast of a series that never changes has no parts.
//! All models but boosted trees are sums by themselves, so their parts are exact and need no sampling;
//! trees are taken apart by exact Shapley values, see [`crate::TreeExplainer`].

use super::{AverageModel, SeriesForecaster, SeriesModel, WEEK, mean};
use crate::error::ModelError;

/// What a part of a forecast stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeriesPart {
    /// The level of the series now.
    Level,
    /// The last value observed.
    LastValue,
    /// The mean of the last days.
    LastDays(usize),
    /// The mean of so many days, the last of them that of the newest value.
    DaysToNewest(usize),
    /// The change from day to day that goes on.
    Trend,
    /// The weekday of the day that is forecast.
    Weekday,
    /// The value so many days before the day after the history: 1 is its last day.
    Lag(usize),
    /// The last week against the week before.
    WeekChange,
    /// How much the days differ from one another.
    Spread,
    /// Which of the last days have a value.
    Gaps,
    /// What the model adds on every day.
    Constant,
}

/// How boosted trees are taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeGame {
    /// What is not known is as in the training days that came the same way (Lundberg et al. 2020).
    PathDependent,
    /// What is not known is as on the days of the history, each as likely as any other.
    Interventional,
}

/// A forecast as a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesParts {
    /// The mean of what the history observed.
    pub base: f64,
    /// Each part once, in a fixed order; with the base they add up to the forecast.
    pub parts: Vec<(SeriesPart, f64)>,
    /// The forecast, to the last bit that of [`SeriesForecaster::forecast`].
    pub value: f64,
    /// How boosted trees were taken apart, if there are any. Trees of the first release cannot be taken
    /// apart path-dependently and are always interventional.
    pub trees: Option<TreeGame>,
    /// The members of an average that had something to go by; empty for other models.
    pub members: Vec<MemberShare>,
}

/// A member of an average.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberShare {
    /// Its stable name.
    pub name: &'static str,
    /// Its weight in the average; all add up to 1.
    pub share: f64,
    /// What it forecasts alone.
    pub forecast: f64,
}

/// Parts, not yet in order.
type Amounts = Vec<(SeriesPart, f64)>;

impl SeriesModel {
    /// What the forecast of the day `lead` days after the history is made of. `None` when the history
    /// holds nothing to go by.
    ///
    /// # Errors
    ///
    /// [`ModelError::Trees`] for trees that cannot be explained.
    pub fn parts(
        &self,
        history: &[Option<f64>],
        lead: usize,
        game: TreeGame,
    ) -> Result<Option<SeriesParts>, ModelError> {
        let (Some(base), Some(value)) = (mean(history), self.forecast(history, lead)) else {
            return Ok(None);
        };
        let sum = self.kind().sum(history, lead.max(1), game)?;
        let trees = sum.as_ref().and_then(|sum| sum.trees);
        // A forecast that ran away is the last value.
        let parts = sum
            .map(|sum| above(base, sum.parts))
            .filter(|parts| parts.iter().all(|(_, amount)| amount.is_finite()))
            .unwrap_or_else(|| vec![(SeriesPart::LastValue, value - base)]);
        Ok(Some(SeriesParts {
            base,
            parts: merged(parts),
            value,
            trees,
            members: Vec::new(),
        }))
    }
}

impl AverageModel {
    /// What the average's forecast is made of: its members' parts, each by its share.
    ///
    /// # Errors
    ///
    /// As [`SeriesModel::parts`].
    pub fn parts(
        &self,
        history: &[Option<f64>],
        lead: usize,
        game: TreeGame,
    ) -> Result<Option<SeriesParts>, ModelError> {
        let mut all = Vec::new();
        for member in &self.members {
            if let Some(parts) = member.parts(history, lead, game)? {
                all.push((member.name(), parts));
            }
        }
        let (Some(value), Some((_, first))) = (self.forecast(history, lead), all.first()) else {
            return Ok(None);
        };
        let share = 1.0 / all.len() as f64;
        let base = first.base;
        let trees = all.iter().find_map(|(_, parts)| parts.trees);
        let members = all
            .iter()
            .map(|(name, parts)| MemberShare {
                name,
                share,
                forecast: parts.value,
            })
            .collect();
        let sum = all
            .into_iter()
            .flat_map(|(_, parts)| parts.parts)
            .map(|(part, amount)| (part, share * amount))
            .collect();
        Ok(Some(SeriesParts {
            base,
            parts: merged(sum),
            value,
            trees,
            members,
        }))
    }
}

/// The parts as they count from the base: it is taken off the level, or off the one part that stands for
/// the level.
fn above(base: f64, mut parts: Amounts) -> Amounts {
    let level = parts
        .iter()
        .position(|(part, _)| *part == SeriesPart::Level);
    if let Some((_, amount)) = parts.get_mut(level.unwrap_or(0)) {
        *amount -= base;
    }
    parts
}

/// Each part once, in order, without those that add nothing.
fn merged(mut parts: Amounts) -> Amounts {
    parts.sort_by_key(|(part, _)| *part);
    let mut once: Amounts = Vec::with_capacity(parts.len());
    for (part, amount) in parts {
        match once.last_mut() {
            Some((before, sum)) if *before == part => *sum += amount,
            _ => once.push((part, amount)),
        }
    }
    once.retain(|(_, amount)| *amount != 0.0);
    once
}

/// What a place of a row of lags stands for.
pub(super) fn of_lag(place: usize) -> SeriesPart {
    match place {
        lag if lag < WEEK => SeriesPart::Lag(lag + 1),
        WEEK => SeriesPart::LastDays(WEEK),
        place if place == WEEK + 1 => SeriesPart::Weekday,
        place if place == WEEK + 2 => SeriesPart::Spread,
        place if place == WEEK + 3 => SeriesPart::WeekChange,
        _ => SeriesPart::Gaps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::SeriesMethod;

    /// Days with a level, a week, a trend and a gap.
    fn history(days: usize) -> Vec<Option<f64>> {
        (0..days)
            .map(|day| {
                let noise = ((day * 7_919) % 13) as f64 / 6.0;
                let value = 58.0 + 0.02 * day as f64 + (day % 7) as f64 * 0.4 + noise;
                (day % 11 != 5).then_some(value)
            })
            .collect()
    }

    fn fitted() -> Vec<SeriesModel> {
        let mut methods = SeriesMethod::every();
        for method in &mut methods {
            if let SeriesMethod::Trees { options, .. } = method {
                options.trees = 20;
            }
        }
        methods
            .iter()
            .map(|method| method.fit(&history(120)).unwrap())
            .collect()
    }

    #[track_caller]
    fn adds_up(parts: &SeriesParts) {
        let sum: f64 = parts.base + parts.parts.iter().map(|(_, amount)| amount).sum::<f64>();
        assert!((sum - parts.value).abs() < 1e-9, "{parts:?}");
        let names: Vec<SeriesPart> = parts.parts.iter().map(|(part, _)| *part).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn base_and_parts_add_up_to_the_forecast_of_every_model() {
        let all = history(120);
        for model in fitted() {
            for game in [TreeGame::PathDependent, TreeGame::Interventional] {
                for days in [1, 6, 15, 28, 90, 120] {
                    for lead in 1..=8 {
                        let known = &all[all.len() - days..];
                        let parts = model.parts(known, lead, game).unwrap().unwrap();
                        assert_eq!(Some(parts.value), model.forecast(known, lead));
                        adds_up(&parts);
                    }
                }
            }
        }
    }

    #[test]
    fn an_average_is_made_of_its_members_parts_by_their_shares() {
        let all = history(120);
        let average = AverageModel { members: fitted() };
        let parts = average.parts(&all, 2, TreeGame::PathDependent);
        let parts = parts.unwrap().unwrap();
        adds_up(&parts);
        assert_eq!(Some(parts.value), average.forecast(&all, 2));
        assert_eq!(parts.members.len(), 8);
        let shares: f64 = parts.members.iter().map(|member| member.share).sum();
        assert!((shares - 1.0).abs() < 1e-12);
        let mean: f64 = parts
            .members
            .iter()
            .map(|member| member.share * member.forecast)
            .sum();
        assert!((mean - parts.value).abs() < 1e-9);
    }

    #[test]
    fn a_series_that_never_changes_has_no_parts() {
        let flat = [Some(61.0); 40];
        for model in fitted() {
            let parts = model.parts(&flat, 1, TreeGame::Interventional);
            let parts = parts.unwrap().unwrap();
            assert_eq!(parts.base, 61.0);
            // What a model adds on every day it adds here, too.
            let moved: f64 = parts
                .parts
                .iter()
                .filter(|(part, _)| {
                    matches!(
                        part,
                        SeriesPart::Level | SeriesPart::LastValue | SeriesPart::DaysToNewest(_)
                    )
                })
                .map(|(_, amount)| amount.abs())
                .sum();
            let learns = model.is_fitted_closely();
            assert!(moved < 1e-6 || learns, "{} {parts:?}", model.name());
        }
    }

    #[test]
    fn the_part_of_a_weekday_is_the_season() {
        // Mondays are 3 above, and nothing else happens.
        let history: Vec<Option<f64>> = (0..56)
            .map(|day| Some(if day % 7 == 0 { 63.0 } else { 60.0 }))
            .collect();
        for method in [SeriesMethod::Ets, SeriesMethod::Theta] {
            let model = method.fit(&history).unwrap();
            let parts = model.parts(&history, 1, TreeGame::PathDependent);
            let parts = parts.unwrap().unwrap();
            let weekday = parts
                .parts
                .iter()
                .find(|(of, _)| *of == SeriesPart::Weekday);
            let (_, amount) = weekday.unwrap();
            // Against the mean of the week, of which the Monday itself is a seventh.
            assert!((amount - 3.0 * 6.0 / 7.0).abs() < 0.2, "{parts:?}");
        }
    }

    #[test]
    fn nothing_observed_has_no_parts() {
        for model in fitted() {
            let parts = model.parts(&[None, None], 1, TreeGame::PathDependent);
            assert_eq!(parts.unwrap(), None, "{}", model.name());
        }
        let nobody = AverageModel { members: vec![] };
        let parts = nobody.parts(&[Some(1.0)], 1, TreeGame::PathDependent);
        assert_eq!(parts.unwrap(), None);
    }
}
