//! Experiments of a person on themselves: what is planned, what is recorded, and the schedule.

use crate::bounds;
use crate::error::{DomainError, FieldError, InvalidRequest, shortened};
use crate::id::{ExperimentId, UserId};
use crate::metric::{PredictionMetric, word_enum};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

word_enum! {
    /// One of the two conditions of an experiment.
    Condition, "condition" {
        /// What is tried.
        A = "a",
        /// What it is compared with.
        B = "b",
    }
}

impl Condition {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

word_enum! {
    /// When an experiment may end before its planned end. It is decided at planning time.
    StopRule, "stop rule" {
        /// Only at its planned end.
        None = "none",
        /// As soon as the always-valid interval excludes no effect.
        ClearEffect = "clear_effect",
        /// When, after half of the pairs, the chance that the test at the end finds the smallest effect of
        /// interest is below 10 %.
        Futility = "futility",
    }
}

word_enum! {
    /// The state of an experiment.
    ExperimentState, "experiment state" {
        /// The first day has not come.
        Planned = "planned",
        /// Between the first day and the last value.
        Running = "running",
        /// Every value can be known.
        Finished = "finished",
        /// Stopped before its end.
        Stopped = "stopped",
    }
}

/// What of the records tells whether a day was one of condition A.
///
/// As text: `no_food_after=20:00`, `bedtime_before=23:00`, `steps_at_least=8000`, `workout`, `no_workout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Measure {
    /// No meal from this time on; minutes after midnight.
    NoFoodAfter(u16),
    /// Asleep before this time; minutes after midnight, those before noon of the next day.
    BedtimeBefore(u16),
    /// So many steps or more.
    StepsAtLeast(u32),
    /// A workout or a walk.
    Workout,
    /// No workout and no walk.
    NoWorkout,
}

impl Measure {
    /// What it looks at, for people.
    pub fn words(self) -> String {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        match self {
            Self::NoFoodAfter(from) => format!("no meal recorded from {} on", clock(from)),
            Self::BedtimeBefore(until) => format!("asleep before {}", clock(until)),
            Self::StepsAtLeast(steps) => format!("{steps} steps or more"),
            Self::Workout => "a workout or a walk recorded".to_owned(),
            Self::NoWorkout => "no workout and no walk recorded".to_owned(),
        }
    }
}

const MEASURES: &str =
    "no_food_after=HH:MM, bedtime_before=HH:MM, steps_at_least=N, workout, no_workout";

impl std::str::FromStr for Measure {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        let unknown = || DomainError::UnknownWord {
            what: "measure",
            got: shortened(text),
            expected: MEASURES.to_owned(),
        };
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match name {
            "no_food_after" => clock(value).map(Self::NoFoodAfter).ok_or_else(unknown),
            "bedtime_before" => clock(value).map(Self::BedtimeBefore).ok_or_else(unknown),
            "steps_at_least" => match value.parse() {
                Ok(steps) if (1..=200_000).contains(&steps) => Ok(Self::StepsAtLeast(steps)),
                _ => Err(unknown()),
            },
            "workout" if value.is_empty() && !text.contains('=') => Ok(Self::Workout),
            "no_workout" if value.is_empty() && !text.contains('=') => Ok(Self::NoWorkout),
            _ => Err(unknown()),
        }
    }
}

/// `HH:MM` or `HH` as minutes after midnight.
fn clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "00"));
    let number = |part: &str, below: u16| -> Option<u16> {
        let is_digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        is_digits
            .then(|| part.parse().ok())
            .flatten()
            .filter(|number| *number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

impl std::fmt::Display for Measure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        match self {
            Self::NoFoodAfter(from) => write!(formatter, "no_food_after={}", clock(*from)),
            Self::BedtimeBefore(until) => write!(formatter, "bedtime_before={}", clock(*until)),
            Self::StepsAtLeast(steps) => write!(formatter, "steps_at_least={steps}"),
            Self::Workout => formatter.write_str("workout"),
            Self::NoWorkout => formatter.write_str("no_workout"),
        }
    }
}

impl TryFrom<String> for Measure {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        measure.to_string()
    }
}

impl utoipa::PartialSchema for Measure {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(format!("What of the records is read: {MEASURES}")))
            .into()
    }
}

impl utoipa::ToSchema for Measure {}

/// A request for an experiment. What is not given is chosen from the person's own days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperimentRequest {
    /// What the person wants to know.
    pub question: String,
    /// The metric that is looked at.
    pub metric: PredictionMetric,
    /// What is done on days of condition A.
    pub condition_a: String,
    /// What is done on days of condition B.
    pub condition_b: String,
    /// What of the records tells whether a day was one of condition A.
    pub measure: Option<Measure>,
    /// Smallest difference of interest, in the metric's unit; a noticeable one when not given.
    pub smallest_effect: Option<f64>,
    /// Probability to find it, 0.5 to 0.99.
    pub power: f64,
    /// Days of a block, 1 to 28.
    pub block_days: usize,
    /// First days of each block that are not counted.
    pub washout_days: usize,
    /// Pairs of blocks, 2 to 60; as many as the power needs when not given.
    pub pairs: Option<usize>,
    /// First day; tomorrow when not given.
    pub start: Option<NaiveDate>,
    /// Days from what is done to the value that shows it, 0 to 3.
    pub outcome_lag_days: usize,
    /// When the experiment may end before its planned end.
    pub stop_rule: StopRule,
    /// Random seed of the order of the blocks; from person, metric and first day when not given.
    pub seed: Option<u64>,
    /// Plan it although another experiment has days in common.
    pub allow_overlap: bool,
}

impl ExperimentRequest {
    /// A request with the defaults: blocks of three days, the first of them not counted.
    pub fn new(question: &str, metric: PredictionMetric, a: &str, b: &str) -> Self {
        Self {
            question: question.to_owned(),
            metric,
            condition_a: a.to_owned(),
            condition_b: b.to_owned(),
            measure: None,
            smallest_effect: None,
            power: 0.8,
            block_days: 3,
            washout_days: 1,
            pairs: None,
            start: None,
            outcome_lag_days: 1,
            stop_rule: StopRule::None,
            seed: None,
            allow_overlap: false,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, message: String| {
            faults.push(FieldError { field, message });
        };
        for (field, text, most) in [
            ("question", &self.question, bounds::EXPERIMENT_QUESTION),
            ("condition_a", &self.condition_a, bounds::EXPERIMENT_LABEL),
            ("condition_b", &self.condition_b, bounds::EXPERIMENT_LABEL),
        ] {
            let length = text.trim().chars().count();
            if length == 0 || text.chars().count() > most || text.chars().any(char::is_control) {
                fault(
                    field,
                    format!("must be 1 to {most} characters in one line, not only spaces"),
                );
            }
        }
        if self.condition_a.trim() == self.condition_b.trim() {
            fault("condition_b", "must differ from condition_a".to_owned());
        }
        if let Some(effect) = self.smallest_effect
            && !(effect > 0.0 && effect <= bounds::EXPERIMENT_EFFECT)
        {
            fault(
                "smallest_effect",
                format!("must be above 0 and at most {}", bounds::EXPERIMENT_EFFECT),
            );
        }
        if self.washout_days >= self.block_days {
            fault(
                "washout_days",
                format!(
                    "must be less than block_days, {}, so that days are left to count",
                    self.block_days
                ),
            );
        }
        bounds::EXPERIMENT_POWER.check(&mut faults, "power", self.power);
        bounds::BLOCK_DAYS.check(&mut faults, "block_days", self.block_days);
        bounds::OUTCOME_LAG.check(&mut faults, "outcome_lag_days", self.outcome_lag_days);
        if let Some(pairs) = self.pairs {
            bounds::PAIRS.check(&mut faults, "pairs", pairs);
            let most = bounds::EXPERIMENT_DAYS;
            if faults.is_empty() && 2 * pairs * self.block_days > most {
                faults.push(FieldError {
                    field: "pairs",
                    message: format!(
                        "must leave at most {most} days, but 2 × {pairs} blocks of {} days are {}",
                        self.block_days,
                        2 * pairs * self.block_days
                    ),
                });
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(InvalidRequest(faults))
        }
    }
}

/// The plan of an experiment; it never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentPlan {
    /// What the person wants to know.
    pub question: String,
    /// The metric that is looked at.
    pub metric: PredictionMetric,
    /// What is done on days of condition A.
    pub condition_a: String,
    /// What is done on days of condition B.
    pub condition_b: String,
    /// What of the records tells whether a day was one of condition A.
    pub measure: Option<Measure>,
    /// Smallest difference of interest, in the metric's unit.
    pub smallest_effect: f64,
    /// Probability to find it that was asked for.
    pub power: f64,
    /// Days of a block, those of the washout included.
    pub block_days: usize,
    /// First days of each block that are not counted.
    pub washout_days: usize,
    /// First day.
    pub start: NaiveDate,
    /// Days from what is done to the value that shows it.
    pub outcome_lag_days: usize,
    /// When the experiment may end before its planned end.
    pub stop_rule: StopRule,
    /// Random seed of the order of the blocks.
    pub seed: u64,
    /// For each pair of blocks the condition that comes first.
    pub first_of_pairs: Vec<Condition>,
}

impl ExperimentPlan {
    /// Number of pairs of blocks.
    pub fn pairs(&self) -> usize {
        self.first_of_pairs.len()
    }

    /// Number of days on which something is due.
    pub fn days(&self) -> usize {
        2 * self.block_days * self.pairs()
    }

    /// Last day on which something is due.
    pub fn last_day(&self) -> NaiveDate {
        self.day(self.days().saturating_sub(1))
    }

    /// Last day whose value counts.
    pub fn last_outcome_day(&self) -> NaiveDate {
        self.day((self.days() + self.outcome_lag_days).saturating_sub(1))
    }

    /// A day by its number from 0; the end of the calendar if it lies beyond.
    pub fn day(&self, number: usize) -> NaiveDate {
        self.start
            .checked_add_days(Days::new(number as u64))
            .unwrap_or(NaiveDate::MAX)
    }

    /// The number of a day from 0; `None` outside the experiment.
    pub fn number_of(&self, day: NaiveDate) -> Option<usize> {
        let number = usize::try_from((day - self.start).num_days()).ok()?;
        (number < self.days()).then_some(number)
    }

    /// The condition that is due on a day of this number, and whether the day is one of washout.
    pub fn due(&self, number: usize) -> Option<(Condition, bool)> {
        let block = number / self.block_days.max(1);
        let first = *self.first_of_pairs.get(block / 2)?;
        let condition = if block.is_multiple_of(2) {
            first
        } else {
            first.other()
        };
        Some((condition, number % self.block_days < self.washout_days))
    }

    /// The name of a condition.
    pub fn label(&self, condition: Condition) -> &str {
        match condition {
            Condition::A => &self.condition_a,
            Condition::B => &self.condition_b,
        }
    }
}

/// What a person said of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Adherence {
    /// Whether they did what was due.
    pub followed: bool,
    /// A remark.
    pub note: Option<String>,
    /// When they said it.
    pub said_at: DateTime<Utc>,
}

/// How the person's days varied before the experiment was planned. They enter no result.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentBaseline {
    /// First of the days looked at.
    pub first_day: NaiveDate,
    /// Last of them.
    pub last_day: NaiveDate,
    /// Days with a value.
    pub days: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation from day to day.
    pub standard_deviation: f64,
    /// Correlation of a day with the next.
    pub autocorrelation: f64,
    /// Standard deviation of the difference of one pair of blocks that differ in nothing.
    pub pair_spread: f64,
}

/// An experiment, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Experiment {
    /// Id of the experiment, unique for the person.
    pub experiment_id: ExperimentId,
    /// Id of the person.
    pub user_id: UserId,
    /// The plan.
    pub plan: ExperimentPlan,
    /// When it was planned. What became known before enters no result.
    pub planned_at: DateTime<Utc>,
    /// The days before.
    pub baseline: ExperimentBaseline,
    /// What the person said, by day.
    pub adherence: BTreeMap<NaiveDate, Adherence>,
    /// When it was stopped before its end.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Last day that counts, if it was stopped.
    pub stopped_after: Option<NaiveDate>,
}

impl Experiment {
    /// Its state on a day.
    pub fn state(&self, today: NaiveDate) -> ExperimentState {
        if self.stopped_at.is_some() {
            ExperimentState::Stopped
        } else if today < self.plan.start {
            ExperimentState::Planned
        } else if today <= self.plan.last_outcome_day() {
            ExperimentState::Running
        } else {
            ExperimentState::Finished
        }
    }

    /// Last day on which something is or was due.
    pub fn last_day(&self) -> NaiveDate {
        let planned = self.plan.last_day();
        self.stopped_after.map_or(planned, |last| last.min(planned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> ExperimentPlan {
        ExperimentPlan {
            question: "Does late food matter?".to_owned(),
            metric: PredictionMetric::RestingHeartRate,
            condition_a: "no food after 20:00".to_owned(),
            condition_b: "as usual".to_owned(),
            measure: None,
            smallest_effect: 2.0,
            power: 0.8,
            block_days: 3,
            washout_days: 1,
            start: "2026-03-30".parse().unwrap(),
            outcome_lag_days: 1,
            stop_rule: StopRule::None,
            seed: 1,
            first_of_pairs: vec![Condition::B, Condition::A],
        }
    }

    #[test]
    fn the_schedule_by_hand() {
        let plan = plan();
        assert_eq!(plan.days(), 12);
        assert_eq!(plan.last_day().to_string(), "2026-04-10");
        assert_eq!(plan.last_outcome_day().to_string(), "2026-04-11");
        let due: Vec<_> = (0..13).map(|number| plan.due(number)).collect();
        assert_eq!(due[0], Some((Condition::B, true)));
        assert_eq!(due[2], Some((Condition::B, false)));
        assert_eq!(due[3], Some((Condition::A, true)));
        assert_eq!(due[6], Some((Condition::A, true)));
        assert_eq!(due[11], Some((Condition::B, false)));
        assert_eq!(due[12], None);
        assert_eq!(plan.number_of("2026-03-29".parse().unwrap()), None);
        assert_eq!(plan.number_of("2026-04-10".parse().unwrap()), Some(11));
        assert_eq!(plan.number_of("2026-04-11".parse().unwrap()), None);
    }

    #[test]
    fn measures_are_read_and_written() {
        for text in [
            "no_food_after=20:00",
            "bedtime_before=23:30",
            "steps_at_least=8000",
            "workout",
            "no_workout",
        ] {
            assert_eq!(text.parse::<Measure>().unwrap().to_string(), text);
        }
        assert_eq!("no_food_after=9".parse(), Ok(Measure::NoFoodAfter(540)));
        for text in [
            "",
            "mood",
            "no_food_after",
            "no_food_after=25",
            "no_food_after=20:60",
            "workout=1",
            "no_food_after=+8",
            "steps_at_least=0",
            "steps_at_least=-5",
            "bedtime_before=1:2:3",
        ] {
            let error = text.parse::<Measure>().unwrap_err().to_string();
            assert!(error.contains("no_food_after=HH:MM"), "{text}: {error}");
        }
    }

    #[test]
    fn every_fault_of_a_request_is_named() {
        let metric = PredictionMetric::RestingHeartRate;
        assert_eq!(
            ExperimentRequest::new("Q?", metric, "x", "y").validate(),
            Ok(())
        );
        let request = ExperimentRequest {
            power: 1.0,
            block_days: 3,
            washout_days: 3,
            pairs: Some(61),
            smallest_effect: Some(f64::NAN),
            outcome_lag_days: 9,
            ..ExperimentRequest::new(" ", metric, "same", "same ")
        };
        let faults = request.validate().unwrap_err().0;
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field).collect();
        assert_eq!(
            fields,
            [
                "question",
                "condition_b",
                "smallest_effect",
                "washout_days",
                "power",
                "outcome_lag_days",
                "pairs"
            ]
        );
        let long = ExperimentRequest {
            pairs: Some(20),
            block_days: 14,
            ..ExperimentRequest::new("Q?", metric, "x", "y")
        };
        assert!(long.validate().unwrap_err().to_string().contains("560"));
    }
}
