//! What an experiment answers: how sure a plan is, what is due, what was seen.

use crate::experiment::{Condition, Experiment, ExperimentBaseline, ExperimentState, StopRule};
use crate::id::{ExperimentId, UserId};
use crate::metric::{PredictionMetric, word_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// What an experiment says of condition A, compared with B.
    ExperimentVerdict, "experiment verdict" {
        /// A is clearly better.
        Better = "better",
        /// A is clearly worse.
        Worse = "worse",
        /// It has ended without a clear difference.
        NoClearDifference = "no_clear_difference",
        /// It has not ended, and nothing is clear yet.
        Undecided = "undecided",
    }
}

word_enum! {
    /// Why an experiment has no final result.
    NoResult, "reason" {
        /// It has not ended; intervals that hold at every look are all there is.
        BeforeTheEnd = "BEFORE_THE_END",
        /// No counted day of one condition has a value.
        OneConditionMissing = "ONE_CONDITION_MISSING",
        /// Fewer pairs than any difference can become clear with.
        TooFewPairs = "TOO_FEW_PAIRS",
        /// All differences are 0: the values do not vary.
        NoVariance = "NO_VARIANCE",
    }
}

/// What another length would find.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PowerOption {
    /// Pairs of blocks.
    pub pairs: usize,
    /// Days.
    pub days: usize,
    /// Smallest difference that is found with the power asked for; null if none is.
    pub detectable_effect: Option<f64>,
}

/// A plan, and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentPreview {
    /// The experiment.
    pub experiment: Experiment,
    /// Whether it was stored.
    pub is_stored: bool,
    /// Days on which something is due.
    pub days: usize,
    /// Probability that the plan finds the smallest difference of interest.
    pub power: f64,
    /// Smallest difference that the plan finds with the power asked for; null if none.
    pub detectable_effect: Option<f64>,
    /// Pairs that find the smallest difference of interest with the power asked for; null if more than the
    /// longest plan has.
    pub pairs_needed: Option<usize>,
    /// The same in days.
    pub days_needed: Option<usize>,
    /// Other lengths.
    pub options: Vec<PowerOption>,
    /// All of it in words.
    pub summary: String,
}

/// A day of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentDay {
    /// The local day.
    pub day: NaiveDate,
    /// Its pair of blocks, counted from 1.
    pub pair: usize,
    /// What is due.
    pub condition: Condition,
    /// What is due, in the person's words.
    pub label: String,
    /// Whether it is one of the first days of a block, which are not counted.
    pub is_washout: bool,
    /// The day whose value shows it.
    pub outcome_day: NaiveDate,
    /// That value; null if it is missing or not known yet.
    pub value: Option<f64>,
    /// Whether the person says they did it; null if they said nothing.
    pub said: Option<bool>,
    /// The person's remark.
    pub note: Option<String>,
    /// Which condition the records show; null if they tell nothing.
    pub read: Option<Condition>,
    /// Which condition was done: as the person says, else as the records show.
    pub done: Option<Condition>,
}

impl ExperimentDay {
    /// Whether what was due was done: as the person says, else as the records show; `None` if nobody knows.
    ///
    /// On a day of B records that show A say nothing: "as usual" may include what A asks for.
    pub fn followed(&self) -> Option<bool> {
        self.said.or_else(|| match (self.condition, self.read?) {
            (Condition::A, read) => Some(read == Condition::A),
            (Condition::B, Condition::B) => Some(true),
            (Condition::B, Condition::A) => None,
        })
    }
}

/// The counted days of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConditionMean {
    /// The condition.
    pub condition: Condition,
    /// Its name.
    pub label: String,
    /// Counted days with a value, in the pairs that are used.
    pub days: usize,
    /// Mean over pairs; null without any.
    pub mean: Option<f64>,
    /// Lower end of a 95 % interval of the mean by Student's t over pairs; null with fewer than three.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Days on which it was due and, as far as known, done.
    pub followed_days: usize,
    /// Days on which it was due and not done.
    pub not_followed_days: usize,
}

/// The difference with an interval that holds at every look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlwaysValidAnswer {
    /// Mean of the pair differences, A less B, so far.
    pub effect: f64,
    /// Lower end; null if there are too few pairs for one.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Level of the interval.
    pub level: f64,
    /// p value that holds at every look.
    pub p_value: f64,
    /// Whether the interval excludes no effect.
    pub is_clear: bool,
}

/// The randomisation test at the planned end, by what was due (intention to treat).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FinalTest {
    /// Mean of the pair differences, A less B.
    pub effect: f64,
    /// Lower end of the interval; null if there are too few pairs for one.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Level of the interval.
    pub level: f64,
    /// Share of the possible orders of blocks with a difference at least as large.
    pub p_value: f64,
    /// Orders looked at.
    pub orders: usize,
    /// Whether these are all orders.
    pub is_exact: bool,
    /// Whether the p value is at most one minus the level.
    pub is_clear: bool,
}

/// The difference between days by what was really done. Nothing of it is random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AsTreatedAnswer {
    /// Mean over pairs, A less B.
    pub effect: f64,
    /// Lower end of a 95 % interval by Student's t over pairs; null with fewer than three.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Pairs with days of both conditions.
    pub pairs: usize,
    /// Days done as A.
    pub a_days: usize,
    /// Days done as B.
    pub b_days: usize,
    /// How far it can be believed.
    pub note: String,
}

/// What to believe of the effect, with a prior around none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentBelief {
    /// Mean of the posterior, A less B.
    pub effect: f64,
    /// Lower end of the interval with a probability of 95 %.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Probability that A is better.
    pub probability_better: f64,
    /// Probability that A is better by the smallest difference of interest or more.
    pub probability_much_better: f64,
}

/// The analysis of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentAnalysis {
    /// Id of the experiment.
    pub experiment_id: ExperimentId,
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// Its unit.
    pub unit: String,
    /// State of the experiment.
    pub state: ExperimentState,
    /// Cut-off time of the data.
    pub as_of: DateTime<Utc>,
    /// Pairs that are planned.
    pub pairs_planned: usize,
    /// Pairs whose last value can be known.
    pub pairs_over: usize,
    /// Those with enough values in both blocks.
    pub pairs_used: usize,
    /// The conditions, A first.
    pub conditions: Vec<ConditionMean>,
    /// What the experiment says of A.
    pub verdict: ExperimentVerdict,
    /// Why there is no final result; null if there is one.
    pub code: Option<NoResult>,
    /// The difference so far, with an interval that holds at every look; null without a pair.
    pub always_valid: Option<AlwaysValidAnswer>,
    /// The test at the planned end; null before it, and if the stop rule decides by every look.
    pub final_test: Option<FinalTest>,
    /// By what was really done; null before the end.
    pub as_treated: Option<AsTreatedAnswer>,
    /// With a prior; null before the end.
    pub belief: Option<ExperimentBelief>,
    /// The stop rule decided at planning time.
    pub stop_rule: StopRule,
    /// Whether that rule says to stop now.
    pub may_stop: bool,
    /// The days before it was planned, which enter nothing of this.
    pub before: ExperimentBaseline,
    /// All of it in words.
    pub summary: String,
    /// What the result may be taken for.
    pub note: String,
}

/// What one way of looking at an experiment says of A less B.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExperimentDifference {
    /// The way of looking, in words.
    pub name: &'static str,
    /// The difference, in the metric's unit.
    pub effect: f64,
    /// Its 95 % interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// The p value, where there is one.
    pub p_value: Option<f64>,
}

impl ExperimentAnalysis {
    /// The differences that are there, the deciding ones first.
    pub fn differences(&self) -> Vec<ExperimentDifference> {
        let test = self.final_test.as_ref().map(|test| ExperimentDifference {
            name: "by what was due, at the end",
            effect: test.effect,
            interval: test.lower.zip(test.upper),
            p_value: Some(test.p_value),
        });
        let now = self.always_valid.as_ref().map(|now| ExperimentDifference {
            name: "by what was due, at every look",
            effect: now.effect,
            interval: now.lower.zip(now.upper),
            p_value: Some(now.p_value),
        });
        let treated = self.as_treated.as_ref().map(|of| ExperimentDifference {
            name: "by what was done",
            effect: of.effect,
            interval: of.lower.zip(of.upper),
            p_value: None,
        });
        let belief = self.belief.as_ref().map(|of| ExperimentDifference {
            name: "with a prior",
            effect: of.effect,
            interval: Some((of.lower, of.upper)),
            p_value: None,
        });
        [test, now, treated, belief].into_iter().flatten().collect()
    }
}

/// An experiment with its days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentView {
    /// The experiment.
    pub experiment: Experiment,
    /// Its state.
    pub state: ExperimentState,
    /// What is due today; null if nothing is.
    pub today: Option<ExperimentDay>,
    /// All days.
    pub days: Vec<ExperimentDay>,
    /// What was seen so far.
    pub analysis: ExperimentAnalysis,
}

/// The experiments of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentList {
    /// Id of the person.
    pub user_id: UserId,
    /// In the order of their first days.
    pub experiments: Vec<ExperimentSummary>,
    /// Those that this release cannot read, in the order of their first days.
    #[serde(default)]
    pub unreadable_experiments: Vec<UnreadableExperimentInfo>,
}

/// An experiment that this release cannot read: it is damaged, or of a newer release. It can be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnreadableExperimentInfo {
    /// Id of the experiment.
    pub experiment_id: ExperimentId,
    /// What cannot be read.
    pub reason: String,
}

/// An experiment in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExperimentSummary {
    /// Id of the experiment.
    pub experiment_id: ExperimentId,
    /// What the person wants to know.
    pub question: String,
    /// The metric.
    pub metric: PredictionMetric,
    /// Its state.
    pub state: ExperimentState,
    /// First day.
    pub first_day: NaiveDate,
    /// Last day on which something is or was due.
    pub last_day: NaiveDate,
    /// What is due today, in the person's words; null if nothing is.
    pub today: Option<String>,
}
