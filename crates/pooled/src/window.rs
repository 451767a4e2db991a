//! The last days before an origin as a network reads them, and what a network makes of the deviation that
//! the coefficients give.

use crate::covariate::CovariateHistory;
use crate::design::Design;
use crate::learn::Learner;
use crate::model::PooledModel;
use crate::own::{WEEK, WEEKDAY_MEAN};
use crate::person::{Person, State, walk, width};

/// Farthest from the base, in the person's spread: a series that wanders is some spreads away from its last
/// reading after weeks.
const FARTHEST: f64 = 8.0;

/// Another model of the deviation, which reads the last days one by one.
pub trait Correction: std::fmt::Debug + Sync {
    /// Days of a window, at least 1.
    fn days(&self) -> usize;

    /// The deviation from the base `lead` days ahead (1 for the day after the window), in the person's
    /// spread, where the coefficients say `said`. The window has [`Design::window_width`] values a day, the
    /// oldest day first. `None` where it has nothing to say.
    fn deviation(&self, window: &[f32], lead: usize, said: f64) -> Option<f64>;
}

/// A window with what happened after it.
#[derive(Debug, Clone, Copy)]
pub struct Example<'w> {
    /// The first day that was not known.
    pub origin: usize,
    /// [`Design::window_width`] values a day, the oldest day first.
    pub window: &'w [f32],
    /// The deviation from the base by lead, in the person's spread; `None` for a day without a reading.
    pub happened: &'w [Option<f64>],
    /// What the coefficients say of it.
    pub said: &'w [f64],
}

impl Design {
    /// Values of a day in a window: the series and each covariate as deviations, each with a mask (1 where
    /// there is a value), and the weekday of the day after.
    pub fn window_width(&self) -> usize {
        2 * (1 + self.covariates.len()) + WEEK
    }
}

impl PooledModel {
    /// Shows a window of so many days before each day that is a target, with what happened then. Days on
    /// which nothing can be forecast are left out, and those of whose leads none has a reading. Nothing
    /// after the last target is read.
    pub fn examples(&self, learner: &Learner<'_>, days: usize, mut visit: impl FnMut(Example<'_>)) {
        let design = self.design();
        let person = learner.person;
        let source = self.learned.source(&person.source);
        let regression = self.learned.regression(source);
        let end = learner.targets.end;
        let Some(last) = end.checked_sub(1).filter(|_| !learner.targets.is_empty()) else {
            return;
        };
        let mut features = vec![0.0; width(design)];
        let mut window = Vec::with_capacity(days * design.window_width());
        let state = State::new(design, &source.population);
        walk(person, state, learner.targets.start..=last, |day, state| {
            let Some((base, spread)) = state.location() else {
                return;
            };
            let happened = |ahead: usize| {
                let target = day + ahead;
                let known = (target < end).then(|| person.series.value(target, end));
                known
                    .flatten()
                    .and_then(|value| design.transform.apply(value))
                    .map(|value| (value - base) / spread)
            };
            let happened: Vec<Option<f64>> = (0..design.horizon).map(happened).collect();
            let next = person.weekday(day);
            if happened.iter().all(Option::is_none)
                || state.features(1, next, &mut features).is_none()
                || state
                    .window(person, day, day.saturating_sub(1), days, &mut window)
                    .is_none()
            {
                return;
            }
            regression.standardise(&mut features);
            let said: Vec<f64> = (1..=design.horizon)
                .map(|lead| {
                    let own_mean = state.weekday_mean(lead, next, spread);
                    features[WEEKDAY_MEAN] = regression.standardise_one(WEEKDAY_MEAN, own_mean);
                    regression.deviation(lead, &features)
                })
                .collect();
            visit(Example {
                origin: day,
                window: &window,
                happened: &happened,
                said: &said,
            });
        });
    }
}

impl State<'_> {
    /// Writes the last days before an origin, as known on an evening; `None` while there is no base. Levels
    /// and spreads are those of the origin.
    pub(crate) fn window(
        &self,
        person: &Person,
        origin: usize,
        evening: usize,
        days: usize,
        into: &mut Vec<f32>,
    ) -> Option<()> {
        into.clear();
        let (base, spread) = self.location()?;
        let scales: Vec<Option<(f64, f64)>> = self
            .covariates
            .iter()
            .map(CovariateHistory::scale)
            .collect();
        for ago in (1..=days).rev() {
            let day = origin.checked_sub(ago);
            let own = day
                .and_then(|day| person.series.value(day, evening))
                .and_then(|value| self.design.transform.apply(value));
            put(own, Some((base, spread)), FARTHEST, into);
            let others = person.covariates.iter().zip(&self.design.covariates);
            for ((series, covariate), scale) in others.zip(&scales) {
                let value = series
                    .as_ref()
                    .zip(day)
                    .and_then(|(series, day)| series.value(day, evening))
                    .and_then(|value| covariate.transform.apply(value));
                put(value, *scale, crate::covariate::FARTHEST, into);
            }
            let after = (person.weekday(origin) + WEEK - (ago - 1) % WEEK) % WEEK;
            into.extend((0..WEEK).map(|weekday| f32::from(u8::from(weekday == after))));
        }
        Some(())
    }
}

/// A value against its level, in its spread, and the mask.
fn put(value: Option<f64>, scale: Option<(f64, f64)>, farthest: f64, into: &mut Vec<f32>) {
    into.extend(match value.zip(scale) {
        Some((value, (level, spread))) => {
            let deviation = (value - level) / spread;
            [deviation.clamp(-farthest, farthest) as f32, 1.0]
        }
        None => [0.0; 2],
    });
}
