//! Forecasts of a metric that no model of many people knows: the simple forecasts of [`SIMPLE_RUNGS`], chosen
//! and calibrated on the person's own past.
//!
//! Exponential smoothing is served unless another one erred less on the last 60 readings, beyond chance. The
//! interval comes from the last 730 errors of the served forecast at the same lead, each made with what was known on
//! its evening, in the scale of the metric's recipe (logarithms of HRV). It follows the last errors
//! (`vitalcast_evaluation::Calibration`), is wider after days without a reading, and has no level that so few
//! errors do not support.

use crate::error::InferenceError;
use crate::gap_growth::{AfterGap, GapGrowth};
use crate::panel::PooledRecipe;
use crate::rungs::{SIMPLE_RUNGS, SimpleRung, is_whole, newest_reading, whole_numbers};
use std::ops::RangeInclusive;
use vitalcast_domain::PredictionMetric;
use vitalcast_evaluation::{
    Bounds, Calibration, Distribution, GapFactors, SIGNIFICANT, Step, diebold_mariano, mean,
};
use vitalcast_models::{SeriesForecaster, SeriesModel};
use vitalcast_pooled::{LEVELS, Transform, rounded};
use vitalcast_windows::{Evenings, KnownSeries};

/// The place of exponential smoothing.
const USUAL: usize = SIMPLE_RUNGS.len() - 1;
/// The last readings on which the simple forecasts are compared.
const COMPARED: usize = 60;
/// Readings on which two of them are tested.
const LEAST_TESTED: usize = 20;
/// Errors without which there is no interval: they support 80 %.
const LEAST_ERRORS: usize = 4;
/// The last errors that intervals are made of. Their scale is found anew on each evening, so with all of them a
/// replay would take as many times longer as there are days, squared.
const MOST_ERRORS: usize = 730;

/// A simple forecast that is served, and how it did.
#[derive(Debug, Clone, PartialEq)]
pub struct SimpleForecast {
    /// Its place in [`SIMPLE_RUNGS`].
    pub place: usize,
    /// The value with its intervals, in the unit of the metric.
    pub distribution: Distribution,
    /// Readings on which the simple forecasts were compared, one day ahead.
    pub days: usize,
    /// Its mean absolute error on these; `None` without a reading.
    pub mae: Option<f64>,
    /// Mean absolute error of exponential smoothing on these.
    pub usual_mae: Option<f64>,
    /// p value that it errs no less than exponential smoothing, times the number of other forecasts
    /// (Bonferroni); `None` for smoothing itself.
    pub p: Option<f64>,
}

/// Replays a person with the simple forecast that is served on each evening. There is none before the seventh
/// reading, nor three months after the last one, nor while too few errors of that lead are known.
///
/// # Errors
///
/// [`InferenceError::Evaluation`] for values that are not finite.
///
/// # Panics
///
/// For days beyond the day after the person's last.
pub fn replay_simple(
    metric: PredictionMetric,
    series: &KnownSeries,
    days: RangeInclusive<usize>,
    lead: usize,
    mut visit: impl FnMut(usize, Option<SimpleForecast>),
) -> Result<(), InferenceError> {
    let transform = PooledRecipe::of(metric).design().transform;
    let mut said = Said::new(series, lead.max(1));
    for origin in days {
        said.go_on_to(origin);
        let forecast = match newest_reading(said.known(), origin + said.lead - 1) {
            Ok(_) => said.forecast(transform)?.ok(),
            Err(_) => None,
        };
        visit(origin, forecast);
    }
    Ok(())
}

/// The simple forecast of one evening.
///
/// # Errors
///
/// Those of [`replay_simple`]. `Ok(Err(missing))` while so many errors of that lead are missing.
pub(crate) fn simple_forecast(
    metric: PredictionMetric,
    series: &KnownSeries,
    origin: usize,
    lead: usize,
) -> Result<Result<SimpleForecast, usize>, InferenceError> {
    let transform = PooledRecipe::of(metric).design().transform;
    let mut said = Said::new(series, lead);
    said.go_on_to(origin);
    said.forecast(transform)
}

/// What each simple forecast said on each evening so far, with what was known then.
struct Said<'a> {
    lead: usize,
    evenings: Evenings<'a>,
    /// Whether all readings up to each day are whole numbers.
    whole: Vec<bool>,
    /// By place.
    rungs: Vec<FollowedRung>,
    /// By place and origin: of the next day, as it would have been served.
    next: Vec<Vec<Option<f64>>>,
    /// The same `lead` days ahead, not rounded: bounds around a whole number, less than one away, shrink to it.
    ahead: Vec<Vec<Option<f64>>>,
}

impl<'a> Said<'a> {
    /// Before the first evening.
    fn new(series: &'a KnownSeries, lead: usize) -> Self {
        let none = || vec![Vec::new(); SIMPLE_RUNGS.len()];
        let mut said = Self {
            lead,
            evenings: series.evenings(),
            whole: Vec::new(),
            rungs: SIMPLE_RUNGS.iter().map(FollowedRung::from).collect(),
            next: none(),
            ahead: none(),
        };
        said.ask();
        said
    }

    /// The days that are over, as known on the evening of the last of them.
    fn known(&self) -> &[Option<f64>] {
        self.evenings.known()
    }

    /// Whether all readings so far are whole numbers.
    fn is_whole(&self) -> bool {
        self.whole.last().is_none_or(|is_whole| *is_whole)
    }

    /// Goes on to the evening before a day, which is not before that of now.
    ///
    /// # Panics
    ///
    /// For a day beyond the day after the last.
    fn go_on_to(&mut self, origin: usize) {
        while self.known().len() < origin {
            let changed = self.evenings.go_on().expect("a day of the series");
            self.whole.truncate(changed);
            for reading in &self.evenings.known()[changed..] {
                let before = self.whole.last().is_none_or(|before| *before);
                self.whole.push(before && is_whole(*reading));
            }
            for rung in &mut self.rungs {
                rung.learn(self.evenings.known(), changed);
            }
            self.ask();
        }
    }

    /// Asks all of them for their forecasts.
    fn ask(&mut self) {
        let known = self.evenings.known();
        let is_whole = self.is_whole();
        let said = self.next.iter_mut().zip(&mut self.ahead);
        for (rung, (next, ahead)) in self.rungs.iter().zip(said) {
            let value = rung.forecast(known, 1);
            next.push(value.map(|value| rounded(is_whole, value)));
            ahead.push(rung.forecast(known, self.lead));
        }
    }

    /// What is served on this evening.
    fn forecast(
        &self,
        transform: Transform,
    ) -> Result<Result<SimpleForecast, usize>, InferenceError> {
        let known = self.known();
        let (place, days, p) = self.best()?;
        let mae = |place: usize| mean(self.errors(place, days).into_iter().map(f64::abs));
        let Some(value) = self.ahead[place][known.len()] else {
            return Ok(Err(LEAST_ERRORS));
        };
        let of = (place, value, self.lead);
        let distribution = match with_bounds(
            &self.ahead[place],
            known,
            of,
            transform,
            &GapFactors::default(),
        )? {
            Ok(distribution) => distribution,
            Err(missing) => return Ok(Err(missing)),
        };
        Ok(Ok(SimpleForecast {
            place,
            distribution: whole_numbers(self.is_whole(), &distribution).unwrap_or(distribution),
            days,
            mae: mae(place),
            usual_mae: mae(USUAL),
            p,
        }))
    }

    /// The last errors of a simple forecast of the next day, the newest one at the end.
    fn errors(&self, place: usize, count: usize) -> Vec<f64> {
        let said = self.next[place].iter().zip(self.known()).rev();
        let errors = said.filter_map(|(said, measured)| Some((*measured)? - (*said)?));
        let mut errors: Vec<f64> = errors.take(count).collect();
        errors.reverse();
        errors
    }

    /// Which one is served, on how many readings they were compared, and its p value against smoothing.
    fn best(&self) -> Result<(usize, usize, Option<f64>), InferenceError> {
        // All of them answer from the second reading on.
        let usual = self.errors(USUAL, COMPARED);
        let days = usual.len();
        let size = |errors: &[f64]| mean(errors.iter().map(|error| error.abs()));
        let mut best: Option<(usize, f64, Vec<f64>)> = None;
        for place in (0..SIMPLE_RUNGS.len()).filter(|place| *place != USUAL) {
            let errors = self.errors(place, days);
            if let Some(mae) = size(&errors).filter(|_| errors.len() == days)
                && best.as_ref().is_none_or(|(_, least, _)| mae < *least)
            {
                best = Some((place, mae, errors));
            }
        }
        if days >= LEAST_TESTED
            && let Some((place, mae, errors)) = best
            && size(&usual).is_some_and(|usual| mae < usual)
            && let Some(test) = diebold_mariano(&errors, &usual, 1)?
        {
            let p = (test.p * USUAL as f64).min(1.0);
            if p < SIGNIFICANT {
                return Ok((place, days, Some(p)));
            }
        }
        Ok((USUAL, days, None))
    }
}

/// What a simple forecast said on each evening up to that before a day, `lead` days ahead.
pub(crate) fn said_of(
    series: &KnownSeries,
    last: usize,
    lead: usize,
    place: usize,
) -> Vec<Option<f64>> {
    let mut evenings = series.evenings();
    let mut rung = FollowedRung::from(&SIMPLE_RUNGS[place]);
    let mut said = vec![rung.forecast(evenings.known(), lead)];
    while said.len() <= last
        && let Some(changed) = evenings.go_on()
    {
        rung.learn(evenings.known(), changed);
        said.push(rung.forecast(evenings.known(), lead));
    }
    said
}

/// A simple forecast that learns day by day.
struct FollowedRung {
    model: &'static SeriesModel,
    /// The level after each day, where the model smooths: what it would otherwise add up anew.
    levels: Vec<Option<f64>>,
}

impl From<&'static SimpleRung> for FollowedRung {
    fn from(rung: &'static SimpleRung) -> Self {
        Self {
            model: &rung.model,
            levels: Vec::new(),
        }
    }
}

impl FollowedRung {
    /// Reads the days from `changed` on, the first one that is new or another one than before.
    fn learn(&mut self, known: &[Option<f64>], changed: usize) {
        let SeriesModel::ExponentialSmoothing(smoothing) = self.model else {
            return;
        };
        self.levels.truncate(changed);
        for value in &known[self.levels.len()..] {
            let before = self.levels.last().copied().flatten();
            self.levels.push(smoothing.level_after(before, *value));
        }
    }

    /// The forecast `lead` days after the last day that it has learned, which is that of `known`.
    fn forecast(&self, known: &[Option<f64>], lead: usize) -> Option<f64> {
        if let SeriesModel::ExponentialSmoothing(_) = self.model {
            return self.levels.last().copied().flatten();
        }
        self.model.forecast(known, lead)
    }
}

/// A forecast of so many days ahead with the intervals of its own errors at that lead, where these days are known
/// and `said` is what the same forecast said on each evening; else how many errors are missing. As far as the
/// person's own gaps do not tell how errors grow with them, those of many people do.
pub(crate) fn with_bounds(
    said: &[Option<f64>],
    known: &[Option<f64>],
    (place, value, lead): (usize, f64, usize),
    transform: Transform,
    gaps_of_many: &GapFactors,
) -> Result<Result<Distribution, usize>, InferenceError> {
    let measured = (0..known.len().saturating_sub(lead - 1)).rev();
    let from = measured
        .filter(|origin| said[*origin].and(known[origin + lead - 1]).is_some())
        .take(MOST_ERRORS)
        .last()
        .unwrap_or(known.len());
    let mut gap = days_without_a_reading(&known[..from]);
    let mut steps: Vec<(Step, usize)> = Vec::new();
    for origin in from..known.len() {
        let target = origin + lead - 1;
        let measured = known.get(target).copied().flatten();
        let both = measured.zip(said[origin]);
        if let Some((observed, forecast)) = both
            .and_then(|(measured, said)| Some((transform.apply(measured)?, transform.apply(said)?)))
        {
            let step = Step {
                origin,
                target,
                forecast,
                observed,
                scale: 1.0,
                counts: true,
            };
            steps.push((step, gap));
        }
        gap = if known[origin].is_some() { 0 } else { gap + 1 };
    }
    if steps.len() < LEAST_ERRORS {
        return Ok(Err(LEAST_ERRORS - steps.len()));
    }
    let growth = growth(
        said,
        known,
        (place, lead),
        transform,
        &steps,
        gap,
        gaps_of_many,
    );
    // What intervals learn from is the error as it would have been without a gap.
    let steps: Vec<Step> = steps
        .into_iter()
        .map(|(step, gap)| Step {
            observed: step.forecast + (step.observed - step.forecast) / growth.after(gap),
            ..step
        })
        .collect();
    let calibration = Calibration::fit(&[&steps], &LEVELS, true)?;
    let mut intervals = calibration.follow()?;
    for step in steps {
        intervals.push(step);
    }
    intervals.learn_until(known.len());
    let factor = growth.after(gap);
    let middle = transform.apply(value).unwrap_or(f64::NAN);
    let bounds = intervals
        .bounds(middle, 1.0)
        .into_iter()
        .map(|(level, lower, upper)| Bounds {
            level,
            lower: transform
                .invert(middle + (lower - middle) * factor)
                .min(value),
            upper: transform
                .invert(middle + (upper - middle) * factor)
                .max(value),
        });
    Ok(Ok(Distribution::new(value, bounds.collect())?))
}

/// How the errors of a simple forecast grow with the days without a reading before it.
fn growth(
    said: &[Option<f64>],
    known: &[Option<f64>],
    (place, lead): (usize, usize),
    transform: Transform,
    steps: &[(Step, usize)],
    gap: usize,
    of_many: &GapFactors,
) -> GapGrowth {
    if gap == 0 && steps.iter().all(|(_, gap)| *gap == 0) {
        return GapGrowth::default();
    }
    let errors: Vec<AfterGap> = steps
        .iter()
        .map(|(step, gap)| AfterGap {
            origin: step.origin,
            gap: *gap,
            size: (step.observed - step.forecast).abs(),
        })
        .collect();
    let is_by_weekday = matches!(SIMPLE_RUNGS[place].model, SeriesModel::SeasonalNaive);
    let first = errors.first().map_or(known.len(), |error| error.origin);
    let first = first.saturating_sub(GapGrowth::LONGEST + 1);
    let scaled = |values: &[Option<f64>]| -> Vec<f64> {
        let scaled = values[first..known.len()].iter();
        let scaled = scaled.map(|value| value.and_then(|value| transform.apply(value)));
        scaled.map(|value| value.unwrap_or(f64::NAN)).collect()
    };
    let (said, known) = (scaled(said), scaled(known));
    GapGrowth::fit(is_by_weekday, lead, &errors, of_many, |from, origin| {
        let from = from.checked_sub(first + 1)?;
        let size = (known[origin - first + lead - 1] - said[from + 1]).abs();
        (!known[from].is_nan() && !size.is_nan()).then_some(size)
    })
}

/// How many days at the end are without a reading.
fn days_without_a_reading(known: &[Option<f64>]) -> usize {
    known.iter().rev().take_while(|day| day.is_none()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vitalcast_windows::LaterValue;

    const SDNN: PredictionMetric = PredictionMetric::HeartRateVariabilitySdnn;

    /// What is served on an evening, each forecast made from the first day on.
    fn from_the_first_day(
        series: &KnownSeries,
        origin: usize,
        lead: usize,
    ) -> Option<SimpleForecast> {
        let transform = PooledRecipe::of(SDNN).design().transform;
        let on = |origin: usize| series.known(0..origin, origin.saturating_sub(1));
        let said = |place: usize, lead: usize| -> Vec<Option<f64>> {
            let model = &SIMPLE_RUNGS[place].model;
            (0..=origin)
                .map(|origin| model.forecast(&on(origin), lead))
                .collect()
        };
        let known = on(origin);
        newest_reading(&known, origin + lead - 1).ok()?;
        let errors: Vec<Vec<f64>> = (0..SIMPLE_RUNGS.len())
            .map(|place| {
                let said = said(place, 1);
                let errors = (0..origin).filter_map(|day| {
                    let is_whole = on(day).iter().copied().all(is_whole);
                    Some(known[day]? - rounded(is_whole, said[day]?))
                });
                let errors: Vec<f64> = errors.collect();
                errors[errors.len().saturating_sub(COMPARED)..].to_vec()
            })
            .collect();
        let mae = |place: usize| mean(errors[place].iter().map(|error| error.abs()));
        let days = errors[USUAL].len();
        let best =
            (0..USUAL).min_by(|left, right| mae(*left).partial_cmp(&mae(*right)).unwrap())?;
        let mut served = (USUAL, None);
        if days >= LEAST_TESTED && mae(best) < mae(USUAL) {
            let test = diebold_mariano(&errors[best], &errors[USUAL], 1).unwrap()?;
            let p = (test.p * USUAL as f64).min(1.0);
            if p < SIGNIFICANT {
                served = (best, Some(p));
            }
        }
        let (place, p) = served;
        let said = said(place, lead);
        let (of, gaps) = ((place, said[origin]?, lead), GapFactors::default());
        let distribution = with_bounds(&said, &known, of, transform, &gaps);
        let distribution = distribution.unwrap().ok()?;
        Some(SimpleForecast {
            place,
            distribution: whole_numbers(known.iter().copied().all(is_whole), &distribution)
                .unwrap_or(distribution),
            days,
            mae: mae(place),
            usual_mae: mae(USUAL),
            p,
        })
    }

    /// Readings with gaps, of which some came late, were corrected or were taken back.
    fn someone() -> impl Strategy<Value = KnownSeries> {
        let value = |noise: f64| {
            prop_oneof![
                6 => (45.0..45.0 + noise).prop_map(Some),
                1 => Just(None),
            ]
        };
        let later = prop::collection::vec((0_usize..90, 1_usize..30, value(30.0)), 0..12);
        let first = prop::collection::vec(value(30.0), 90);
        (first, later, 0_usize..90, 0_usize..40, any::<bool>()).prop_map(
            |(mut first, mut later, gap, days, is_whole)| {
                for value in &mut first[gap..(gap + days).min(90)] {
                    *value = None;
                }
                later.sort_by_key(|(day, after, _)| (*day, *after));
                later.dedup_by_key(|(day, after, _)| (*day, *after));
                let round = |value: f64| if is_whole { value.round() } else { value };
                let later = later.into_iter().map(|(day, after, value)| LaterValue {
                    day,
                    from: day + after,
                    value: value.map(round),
                });
                let first = first.into_iter().map(|value| value.map(round));
                KnownSeries::new(first.collect(), later.collect()).unwrap()
            },
        )
    }

    #[test]
    fn a_simple_forecast_was_compared_before_it_was_rounded() {
        // Smoothed, every second day moves the level by 0.3: rounded, by nothing.
        let sum = |first: f64| {
            let days = (0..40).map(|day| {
                if day == 0 {
                    first
                } else {
                    60.0 + f64::from(day % 2)
                }
            });
            let series = KnownSeries::from(days.map(Some).collect::<Vec<_>>());
            let forecast = simple_forecast(SDNN, &series, 40, 1).unwrap().unwrap();
            assert_eq!(forecast.days, 39);
            39.0 * forecast.usual_mae.unwrap()
        };
        let is_whole = |sum: f64| (sum - sum.round()).abs() < 1e-9;
        assert!(is_whole(sum(60.0)), "{}", sum(60.0));
        assert!(!is_whole(sum(60.5)), "{}", sum(60.5));
    }

    /// Of 40 people whose readings wander so far a day, beside noise: the share of readings that the interval of 80 %
    /// held after so many days without a reading, the first such days of the person, and how wide it was.
    fn held_after(gap: usize, wander: f64) -> (f64, f64) {
        let mut seed = 7_u64;
        let mut noise = || {
            let of_dice = (0..4).map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
            });
            of_dice.sum::<f64>()
        };
        let (mut held, mut width, mut count) = (0.0, 0.0, 0.0);
        for _ in 0..40 {
            let mut level = 4.0;
            let days = (0..121).map(|_| {
                level += wander * noise();
                (level + 0.1 * noise()).exp()
            });
            let days: Vec<f64> = days.collect();
            for last in [70, 80, 90, 100] {
                let readings = days[..last].iter().copied().map(Some);
                let known: Vec<_> = readings.chain(vec![None; gap]).collect();
                let served = simple_forecast(SDNN, &KnownSeries::from(known), last + gap, 1);
                let served = served.unwrap().unwrap().distribution;
                let bounds = served.interval(0.8).unwrap();
                held += f64::from((bounds.lower..=bounds.upper).contains(&days[last + gap]));
                width += (bounds.upper / bounds.lower).ln();
                count += 1.0;
            }
        }
        (held / count, width / count)
    }

    #[test]
    fn the_first_gap_of_a_person_whose_level_wanders_was_as_sure_as_no_gap() {
        for wander in [0.05, 0.1] {
            for gap in [0, 3, 7, 14] {
                let (held, _) = held_after(gap, wander);
                // Readings of one person are alike: 160 of 40 people.
                assert!((held - 0.8).abs() < 0.08, "{wander}, {gap} days: {held}");
            }
        }
        // Where nothing wanders, nothing grows beyond chance.
        let (usual, after) = (held_after(0, 0.0).1, held_after(14, 0.0).1);
        assert!(after < 1.1 * usual, "{usual}, {after}");
    }

    #[test]
    fn each_evening_of_a_replay_read_all_evenings_before() {
        let noise = |day: usize| ((day * 7_919) % 101) as f64 / 10.0;
        let mut days: Vec<Option<f64>> = (0..MOST_ERRORS + 40)
            .map(|day| (day % 9 > 0).then(|| 60.0 + noise(day)))
            .collect();
        days.extend((0..MOST_ERRORS).map(|day| Some(60.0 + noise(day))));
        let of = |days: &[Option<f64>], lead: usize| {
            let said: Vec<_> = (0..=days.len())
                .map(|origin| (origin > 3).then(|| 63.0 + noise(3 * origin)))
                .collect();
            let gaps = GapFactors::default();
            let found = with_bounds(&said, days, (USUAL, 65.0, lead), Transform::Identity, &gaps);
            found.unwrap().unwrap()
        };
        for lead in [1, 7] {
            let whole = of(&days, lead);
            let mut others = days.clone();
            for day in &mut others[..MOST_ERRORS] {
                *day = day.map(|value| 3.0 * value);
            }
            assert_eq!(of(&others, lead), whole, "{lead}");
            let last = days.len() - MOST_ERRORS;
            others[last] = Some(200.0);
            assert_ne!(of(&others, lead), whole, "{lead}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_evening_was_forecast_from_the_first_day_again(
            series in someone(), lead in 1_usize..8, from in 0_usize..80,
        ) {
            let mut visited = 0;
            replay_simple(SDNN, &series, from..=90, lead, |origin, forecast| {
                let plain = from_the_first_day(&series, origin, lead);
                assert_eq!(forecast, plain, "{origin}, {lead} ahead");
                if let (Some(left), Some(right)) = (forecast, plain) {
                    let value = |of: &SimpleForecast| of.distribution.value().to_bits();
                    assert_eq!(value(&left), value(&right));
                }
                visited += 1;
            })
            .unwrap();
            prop_assert_eq!(visited, 91 - from);
        }
    }
}
