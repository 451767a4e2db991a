//! The analysis of an experiment: which days enter, and what is said when.

use super::words;
use chrono::{DateTime, NaiveDate, Utc};
use vitalcast_domain::{
    ASSOCIATION, AlwaysValidAnswer, AsTreatedAnswer, Condition, ConditionMean, Experiment,
    ExperimentAnalysis, ExperimentBelief, ExperimentDay, ExperimentState, ExperimentVerdict,
    FinalTest, NoResult, PredictionMetric, StopRule,
};
use vitalcast_insight::experiment::{
    AlwaysValid, BlockDesign, LEAST_PAIRS, LEVEL, PairDifference, as_treated, belief,
    conditional_power, mean_with_interval, pair_differences, sign_flip_test,
};

/// Below so small a chance of a clear result the futility rule says to stop.
const LITTLE_HOPE: f64 = 0.1;

/// Analyses the days of an experiment. Only days of the schedule, whole pairs of blocks, and values of days
/// that are over are looked at.
pub(super) fn analyse(
    experiment: &Experiment,
    days: &[ExperimentDay],
    today: NaiveDate,
    as_of: DateTime<Utc>,
) -> ExperimentAnalysis {
    let plan = &experiment.plan;
    let design = BlockDesign {
        block_days: plan.block_days,
        washout_days: plan.washout_days,
        pairs: plan.pairs(),
    };
    let state = experiment.state(today);
    let over = days.partition_point(|day| day.outcome_day < today);
    let pairs_over = design.pairs_over(over);
    let whole = &days[..(2 * plan.block_days * pairs_over).min(days.len())];
    let values: Vec<Option<f64>> = whole.iter().map(|day| day.value).collect();
    let b_first: Vec<bool> = plan
        .first_of_pairs
        .iter()
        .map(|first| *first == Condition::B)
        .collect();
    let pairs = pair_differences(&values, &b_first, &design);
    let differences: Vec<f64> = pairs.iter().map(PairDifference::difference).collect();
    let has_ended = match state {
        ExperimentState::Planned | ExperimentState::Running => false,
        ExperimentState::Finished | ExperimentState::Stopped => true,
    };
    let always_valid = always_valid(&differences, experiment);
    let final_test = (state == ExperimentState::Finished
        && plan.stop_rule != StopRule::ClearEffect)
        .then(|| final_test(&differences, plan.seed))
        .flatten();
    let clear_effect = match (final_test, always_valid) {
        (Some(test), _) => test.is_clear.then_some(test.effect),
        (None, Some(now)) => now.is_clear.then_some(now.effect),
        (None, None) => None,
    };
    let mut analysis = ExperimentAnalysis {
        experiment_id: experiment.experiment_id.clone(),
        user_id: experiment.user_id.clone(),
        metric: plan.metric,
        unit: plan.metric.unit_label().to_owned(),
        state,
        as_of,
        pairs_planned: plan.pairs(),
        pairs_over,
        pairs_used: pairs.len(),
        conditions: Condition::ALL
            .iter()
            .map(|condition| condition_mean(*condition, experiment, days, &pairs))
            .collect(),
        verdict: if has_ended || plan.stop_rule == StopRule::ClearEffect {
            verdict(plan.metric, clear_effect, has_ended)
        } else {
            // Whether a plan without such a rule has found something is decided once, at its end.
            ExperimentVerdict::Undecided
        },
        code: None,
        always_valid,
        final_test,
        as_treated: has_ended
            .then(|| treated(whole, &values, &design))
            .flatten(),
        belief: has_ended
            .then(|| believed(&differences, experiment))
            .flatten(),
        stop_rule: plan.stop_rule,
        may_stop: state == ExperimentState::Running
            && may_stop(experiment, &differences, pairs_over, always_valid),
        before: experiment.baseline,
        summary: String::new(),
        note: words::NOTE.to_owned(),
    };
    analysis.code = no_result(&analysis, whole, &differences, has_ended);
    analysis.summary = words::analysis(experiment, &analysis);
    analysis
}

fn always_valid(differences: &[f64], experiment: &Experiment) -> Option<AlwaysValidAnswer> {
    let effect = vitalcast_evaluation::mean(differences.iter().copied())?;
    // The bets are those of the plan, fixed before the first day.
    let bets = AlwaysValid::new(experiment.baseline.pair_spread, LEVEL);
    let found = bets.interval(differences);
    Some(AlwaysValidAnswer {
        effect,
        lower: found.lower,
        upper: found.upper,
        level: LEVEL,
        p_value: found.p_value,
        is_clear: found.excludes_zero(),
    })
}

fn final_test(differences: &[f64], seed: u64) -> Option<FinalTest> {
    let test = sign_flip_test(differences, LEVEL, seed).ok()?;
    let (lower, upper) = test.interval.unzip();
    Some(FinalTest {
        effect: test.effect,
        lower,
        upper,
        level: LEVEL,
        p_value: test.p_value,
        orders: test.orders,
        is_exact: test.is_exact,
        is_clear: test.p_value <= 1.0 - LEVEL,
    })
}

fn verdict(metric: PredictionMetric, clear: Option<f64>, has_ended: bool) -> ExperimentVerdict {
    match clear {
        Some(effect) if effect * metric.better().sign() > 0.0 => ExperimentVerdict::Better,
        Some(_) => ExperimentVerdict::Worse,
        None if has_ended => ExperimentVerdict::NoClearDifference,
        None => ExperimentVerdict::Undecided,
    }
}

fn condition_mean(
    condition: Condition,
    experiment: &Experiment,
    days: &[ExperimentDay],
    pairs: &[PairDifference],
) -> ConditionMean {
    let of_pair = |pair: &PairDifference| match condition {
        Condition::A => (pair.a, pair.a_days),
        Condition::B => (pair.b, pair.b_days),
    };
    let means: Vec<f64> = pairs.iter().map(|pair| of_pair(pair).0).collect();
    let mean = mean_with_interval(&means);
    let interval = mean.and_then(|(_, interval)| interval);
    let due = days.iter().filter(|day| day.condition == condition);
    ConditionMean {
        condition,
        label: experiment.plan.label(condition).to_owned(),
        days: pairs.iter().map(|pair| of_pair(pair).1).sum(),
        mean: mean.map(|(mean, _)| mean),
        lower: interval.map(|(lower, _)| lower),
        upper: interval.map(|(_, upper)| upper),
        followed_days: due
            .clone()
            .filter(|day| day.followed() == Some(true))
            .count(),
        not_followed_days: due.filter(|day| day.followed() == Some(false)).count(),
    }
}

fn treated(
    days: &[ExperimentDay],
    values: &[Option<f64>],
    design: &BlockDesign,
) -> Option<AsTreatedAnswer> {
    let done: Vec<Option<bool>> = days
        .iter()
        .map(|day| day.done.map(|done| done == Condition::B))
        .collect();
    let found = as_treated(values, &done, design)?;
    let (lower, upper) = found.interval.unzip();
    Some(AsTreatedAnswer {
        effect: found.effect,
        lower,
        upper,
        pairs: found.pairs,
        a_days: found.a_days,
        b_days: found.b_days,
        note: ASSOCIATION.to_owned(),
    })
}

fn believed(differences: &[f64], experiment: &Experiment) -> Option<ExperimentBelief> {
    let baseline = &experiment.baseline;
    let found = belief(
        differences,
        baseline.pair_spread,
        baseline.standard_deviation,
    )?;
    let sign = experiment.plan.metric.better().sign();
    let at_least = |effect: f64| {
        if sign > 0.0 {
            found.above(effect)
        } else {
            found.below(-effect)
        }
    };
    Some(ExperimentBelief {
        effect: found.mean,
        lower: found.interval.0,
        upper: found.interval.1,
        probability_better: at_least(0.0),
        probability_much_better: at_least(experiment.plan.smallest_effect),
    })
}

/// Whether the rule of the plan says to stop now.
fn may_stop(
    experiment: &Experiment,
    differences: &[f64],
    pairs_over: usize,
    always_valid: Option<AlwaysValidAnswer>,
) -> bool {
    let plan = &experiment.plan;
    match plan.stop_rule {
        StopRule::None => false,
        StopRule::ClearEffect => always_valid.is_some_and(|now| now.is_clear),
        StopRule::Futility => {
            2 * pairs_over >= plan.pairs()
                && conditional_power(
                    differences,
                    experiment.baseline.pair_spread,
                    plan.pairs() - pairs_over,
                    plan.smallest_effect,
                ) < LITTLE_HOPE
        }
    }
}

/// Why there is no final result.
fn no_result(
    analysis: &ExperimentAnalysis,
    whole: &[ExperimentDay],
    differences: &[f64],
    has_ended: bool,
) -> Option<NoResult> {
    if !has_ended {
        return Some(NoResult::BeforeTheEnd);
    }
    let has_values = |condition| {
        let mut days = whole.iter();
        days.any(|day| day.condition == condition && !day.is_washout && day.value.is_some())
    };
    let (a, b) = (has_values(Condition::A), has_values(Condition::B));
    if a != b {
        Some(NoResult::OneConditionMissing)
    } else if analysis.pairs_used < LEAST_PAIRS {
        Some(NoResult::TooFewPairs)
    } else if differences.iter().all(|one| *one == 0.0) {
        Some(NoResult::NoVariance)
    } else {
        None
    }
}
