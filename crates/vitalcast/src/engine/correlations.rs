//! Correlations of features and tags with metrics of a person.

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use vitalcast_domain::{
    CorrelationMethod, CorrelationRequest, CorrelationResponse, CorrelationSummary,
    FeatureCorrelation, HealthMetricTarget, History, InvalidRequest, LagRequest, LagResolution,
    LagResponse, Pairing, Profile, UserId, tag_in,
};
use vitalcast_features::{
    Feature, FeatureId, LOOK_BACK_DAYS, TagDays, amounts_before_sleep, daily_values,
    hindsight_table, tag_days,
};
use vitalcast_insight::{
    DriverSettings, Factor, LaggedFeature, Lags, Looked, NoLags, by_own_day, columns,
    correlation_answer, daily_lags, drivers, lag_answer, lags, may_stand_against, tag_columns,
};
use vitalcast_store::Store;

/// Days before the first day of the target, for the lags of the Granger test and for the pairing.
const HISTORY_DAYS: usize = 4;
/// Number of correlations in a summary, per direction.
const SUMMARY: usize = 5;

/// The days of an analysis.
struct Window {
    history: History,
    looked: Looked,
    /// First day of the feature table, before the first day of the target.
    begin: NaiveDate,
}

impl Engine {
    /// Correlates all features and tags with a metric, with all data known now.
    ///
    /// For an unknown person, or one without data, the response has a warning, as in the contract.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`], also for days outside the calendar; [`EngineError::Store`].
    pub fn correlate(
        &self,
        request: &CorrelationRequest,
        now: DateTime<Utc>,
    ) -> Result<CorrelationResponse, EngineError> {
        request.validate()?;
        let same_day = request.pairing == Pairing::SameDay;
        let window = self.window(
            &request.user_id,
            request.last_day,
            request.lookback_days,
            HISTORY_DAYS,
            same_day,
            now,
        )?;
        let target = window.target(request.target_metric)?;
        let looked = window.looked;
        let table = hindsight_table(&window.history, window.begin, looked.last_day, now)?;
        let mut methods = request.methods.clone();
        let mut seen = Vec::new();
        methods.retain(|method| {
            let is_new = !seen.contains(method);
            seen.push(*method);
            is_new
        });
        let settings = DriverSettings {
            methods,
            lag_days: request.pairing.lag_days(),
            history_days: HISTORY_DAYS,
            significance: request.significance_threshold,
            least: request.min_correlation,
            first_weekday: window.begin.weekday().num_days_from_monday() as usize,
        };
        let metric = request.target_metric.metric_type();
        let mut columns = columns(&table, metric, settings.lag_days);
        let (tags, left_out) = tag_columns(window.tags()?);
        columns.extend(tags);
        let mut found = drivers(&columns, &target, &settings);
        found.untested_tags += left_out;
        Ok(correlation_answer(
            request,
            looked,
            &target[HISTORY_DAYS..],
            &found,
        ))
    }

    /// Makes a short list of the strongest Pearson correlations.
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::correlate`].
    pub fn correlation_summary(
        &self,
        user: &UserId,
        target: HealthMetricTarget,
        lookback_days: usize,
        now: DateTime<Utc>,
    ) -> Result<CorrelationSummary, EngineError> {
        let request = CorrelationRequest {
            methods: vec![CorrelationMethod::Pearson],
            lookback_days,
            top_k: 1_000,
            ..CorrelationRequest::new(user.clone(), target)
        };
        let answer = self.correlate(&request, now)?;
        let of_sign = |sign: f64| {
            answer
                .correlations
                .iter()
                .filter(|one| one.correlation * sign > 0.0)
                .take(SUMMARY)
                .map(|one| FeatureCorrelation {
                    feature: one.feature_name.clone(),
                    correlation: one.correlation,
                })
                .collect()
        };
        Ok(CorrelationSummary {
            top_positive: of_sign(1.0),
            top_negative: of_sign(-1.0),
            user_id: answer.user_id,
            target_metric: answer.target_metric,
            lookback_days: answer.lookback_days,
            total_significant: answer.significant_correlations,
            data_quality_score: answer.data_quality_score,
            summary: answer.summary,
        })
    }

    /// Correlates a feature with a metric at several lags.
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::correlate`].
    pub fn lag_analysis(
        &self,
        request: &LagRequest,
        now: DateTime<Utc>,
    ) -> Result<LagResponse, EngineError> {
        request.validate()?;
        let most_days = request.max_lag_hours / 24;
        // And what Granger's test looks back on before the longest lag.
        let history_days = most_days + 2;
        let window = self.window(
            &request.user_id,
            request.last_day,
            request.lookback_days,
            history_days,
            false,
            now,
        )?;
        let target = window.target(request.target_metric)?;
        let found = window.lags(request, &target, history_days, now)?;
        let found = match &found {
            Ok((lags, factor, unit)) => Ok((lags, factor, *unit)),
            Err(why) => Err(*why),
        };
        Ok(lag_answer(
            request,
            window.looked,
            found,
            &target[history_days..],
        ))
    }

    /// `lookback_days` days of the target up to `last_day` (default: today), and `history_days` before
    /// them. A day that is not over has no features yet.
    fn window(
        &self,
        user: &UserId,
        last_day: Option<NaiveDate>,
        lookback_days: usize,
        history_days: usize,
        only_whole_days: bool,
        now: DateTime<Utc>,
    ) -> Result<Window, EngineError> {
        let nobody = || History::new(user.clone(), Profile::default());
        let profile = self.wait(self.store.profile(user))?;
        let today = profile.clone().unwrap_or_default().day_of(now);
        let mut last_day = last_day.unwrap_or(today);
        if only_whole_days && last_day >= today {
            last_day = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        }
        let back = |days: u64| {
            last_day
                .checked_sub_days(Days::new(days))
                .filter(|_| last_day.checked_add_days(Days::new(3)).is_some())
                .ok_or_else(|| {
                    EngineError::from(InvalidRequest(vec![vitalcast_domain::FieldError {
                        field: "last_day",
                        message: format!("is {last_day}, too close to the end of the calendar"),
                    }]))
                })
        };
        let first_day = back(lookback_days as u64 - 1)?;
        let begin = back((lookback_days + history_days) as u64 - 1)?;
        let recorded = back((lookback_days + history_days + LOOK_BACK_DAYS) as u64 - 1)?;
        let history = match profile {
            None => nobody(),
            Some(_) => {
                let until = last_day.checked_add_days(Days::new(1)).unwrap_or(last_day);
                let days = Some(recorded..=until);
                self.wait(self.store.history(user, days))?
                    .unwrap_or_else(nobody)
            }
        };
        Ok(Window {
            history,
            looked: Looked {
                first_day,
                last_day,
                at: now,
            },
            begin,
        })
    }
}

/// The data that give the time of falling asleep, counted back from waking.
fn night() -> &'static Feature {
    FeatureId::SleepDurationLast.feature()
}

impl Window {
    fn target(&self, target: HealthMetricTarget) -> Result<Vec<Option<f64>>, EngineError> {
        Ok(daily_values(
            &self.history,
            target.metric_type(),
            self.begin,
            self.looked.last_day,
            self.looked.at,
        )?)
    }

    /// The tags of the days of the table.
    fn tags(&self) -> Result<Vec<TagDays>, EngineError> {
        let Looked { last_day, at, .. } = self.looked;
        Ok(tag_days(&self.history, self.begin, last_day, at)?)
    }

    /// The lags of a feature or a tag and the hours of one lag, or the reason why there are none.
    #[allow(clippy::type_complexity, reason = "what it is is said above")]
    fn lags(
        &self,
        request: &LagRequest,
        target: &[Option<f64>],
        history_days: usize,
        now: DateTime<Utc>,
    ) -> Result<Result<(Lags, Factor, u32), NoLags>, EngineError> {
        if let Some(name) = tag_in(&request.feature_name) {
            return self.lags_of_tag(name, request, target, history_days);
        }
        let Ok(feature) = request.feature_name.parse::<FeatureId>() else {
            return Ok(Err(NoLags::UnknownFeature));
        };
        let feature = feature.feature();
        let metric = request.target_metric.metric_type();
        if feature.is_made_of(metric) {
            return Ok(Err(NoLags::FeatureIsTarget));
        }
        if request.resolution == LagResolution::Hour && !may_stand_against(night(), metric, 0) {
            return Ok(Err(NoLags::NightIsTarget));
        }
        // Without the metric it does not matter what else is there.
        if target.iter().all(Option::is_none) {
            return Ok(Ok((Lags::default(), Factor::Feature(feature), 1)));
        }
        let (series, unit): (Vec<LaggedFeature>, u32) = match request.resolution {
            LagResolution::Day => {
                let (begin, last_day) = (self.begin, self.looked.last_day);
                let table = hindsight_table(&self.history, begin, last_day, now)?;
                let today = self.history.profile.day_of(now);
                let values: Vec<Option<f64>> = begin
                    .iter_days()
                    .zip(by_own_day(&table, feature))
                    // What a day that is not over adds up to is not known.
                    .map(|(day, value)| value.filter(|_| day < today))
                    .collect();
                let mut series = daily_lags(&values, request.max_lag_hours / 24);
                series.retain(|one| may_stand_against(feature, metric, one.lag as usize));
                (series, 24)
            }
            LagResolution::Hour => {
                let starts = (0..=request.max_lag_hours).step_by(request.lag_step_hours);
                let windows: Vec<(f64, f64)> = starts
                    .clone()
                    .map(|near| (near as f64, (near + request.lag_step_hours) as f64))
                    .collect();
                let amounts = amounts_before_sleep(
                    &self.history,
                    feature.id,
                    &windows,
                    self.begin,
                    self.looked.last_day,
                    now,
                )?;
                let Some(amounts) = amounts else {
                    return Ok(Err(NoLags::NoTimes));
                };
                let series = starts
                    .zip(amounts)
                    .map(|(near, values)| LaggedFeature {
                        lag: u32::try_from(near).unwrap_or(u32::MAX),
                        values,
                    })
                    .collect();
                (series, 1)
            }
        };
        let factor = Factor::Feature(feature);
        let found = lags(
            &factor,
            &series,
            target,
            history_days,
            request.method,
            request.significance_threshold,
        );
        Ok(Ok((found, factor, unit)))
    }

    /// The lags of a tag. It tells of days, not of hours.
    #[allow(clippy::type_complexity, reason = "what it is is said above")]
    fn lags_of_tag(
        &self,
        name: &str,
        request: &LagRequest,
        target: &[Option<f64>],
        history_days: usize,
    ) -> Result<Result<(Lags, Factor, u32), NoLags>, EngineError> {
        let name = name.to_lowercase();
        let tags = self.tags()?;
        let Some(tag) = tags.into_iter().find(|tag| tag.name.to_lowercase() == name) else {
            return Ok(Err(NoLags::UnknownFeature));
        };
        if request.resolution == LagResolution::Hour {
            return Ok(Err(NoLags::NoTimes));
        }
        let factor = Factor::Tag(tag.name);
        let found = lags(
            &factor,
            &daily_lags(&tag.values, request.max_lag_hours / 24),
            target,
            history_days,
            request.method,
            request.significance_threshold,
        );
        Ok(Ok((found, factor, 24)))
    }
}
