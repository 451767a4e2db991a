//! Experiments in sentences.

use vitalcast_domain::{
    Condition, Experiment, ExperimentAnalysis, ExperimentPreview, ExperimentState,
    ExperimentVerdict, NoResult, PredictionMetric, StopRule,
};
use vitalcast_insight::experiment::LEAST_PAIRS;

/// What the result may be taken for.
pub(super) const NOTE: &str = "The order of the blocks was random, so a clear difference goes with the plan \
     and not with the season or the week. It holds for you and for these conditions. It is no medical advice.";

/// A plan in sentences.
pub(super) fn plan(preview: &ExperimentPreview) -> String {
    let plan = &preview.experiment.plan;
    let before = &preview.experiment.baseline;
    let metric = plan.metric;
    let mut text = format!(
        "{} days from {} to {}: {} pairs of two blocks of {}, {}. ",
        preview.days,
        plan.start,
        plan.last_day(),
        plan.pairs(),
        counted(plan.block_days, "day"),
        washout(plan.washout_days)
    );
    text.push_str(&format!(
        "Your {} days with a value before (standard deviation {}, correlation of a day with the next \
         {:.2}) say what to expect: ",
        before.days,
        amount(metric, before.standard_deviation),
        before.autocorrelation
    ));
    let effect = amount(metric, plan.smallest_effect);
    if plan.pairs() < LEAST_PAIRS {
        text.push_str(&format!(
            "with fewer than {LEAST_PAIRS} pairs no difference can become clear, however large."
        ));
    } else {
        text.push_str(&format!(
            "these days find a difference of {effect} with a probability of {}",
            percent(preview.power)
        ));
        text.push_str(&match preview.detectable_effect {
            Some(found) if amount(metric, found) != effect => format!(
                ", and one of {} with {}.",
                amount(metric, found),
                percent(plan.power)
            ),
            Some(_) | None => ".".to_owned(),
        });
    }
    match (preview.pairs_needed, preview.days_needed) {
        (Some(pairs), Some(days)) if pairs > plan.pairs() => text.push_str(&format!(
            " To find {effect} with {}, {days} days are needed.",
            percent(plan.power)
        )),
        (None, _) => text.push_str(&format!(
            " No plan that is short enough finds {effect} with {}.",
            percent(plan.power)
        )),
        _ => {}
    }
    text.push_str(match plan.stop_rule {
        StopRule::None => "",
        StopRule::ClearEffect => {
            " It may end as soon as the difference is clear; that costs some days if there is none."
        }
        StopRule::Futility => " It may end after half of the pairs if little hope is left.",
    });
    text
}

/// Which days of a block are not counted.
pub(super) fn washout(days: usize) -> String {
    match days {
        0 => "all days counted".to_owned(),
        1 => "the first day of each block not counted".to_owned(),
        more => format!("the first {more} days of each block not counted"),
    }
}

/// An analysis in sentences.
pub(super) fn analysis(experiment: &Experiment, analysis: &ExperimentAnalysis) -> String {
    let plan = &experiment.plan;
    let metric = plan.metric;
    match analysis.state {
        ExperimentState::Planned => {
            return format!("It begins on {}. Nothing has been seen yet.", plan.start);
        }
        ExperimentState::Running if analysis.pairs_over == 0 => {
            return format!(
                "The first pair of blocks is not over yet: the first look is possible after {}.",
                plan.day((2 * plan.block_days + plan.outcome_lag_days).saturating_sub(1))
            );
        }
        ExperimentState::Running | ExperimentState::Finished | ExperimentState::Stopped => {}
    }
    if let Some(reason) = without_result(experiment, analysis) {
        return reason;
    }
    let (effect, interval, evidence) = match (&analysis.final_test, &analysis.always_valid) {
        (Some(test), _) => (
            test.effect,
            test.lower.zip(test.upper),
            format!(
                "{} by the randomisation test of {} pairs",
                p_value(test.p_value),
                analysis.pairs_used
            ),
        ),
        (None, Some(now)) => (
            now.effect,
            now.lower.zip(now.upper),
            format!(
                "after {} of {} pairs",
                analysis.pairs_over, analysis.pairs_planned
            ),
        ),
        (None, None) => return "No pair of blocks has enough values yet.".to_owned(),
    };
    let kind = match analysis.final_test {
        Some(_) => "95 % interval",
        None => "95 % interval that holds at every look",
    };
    let mut text = format!(
        "After days of “{}”, {} was {} after days of “{}”",
        plan.condition_a,
        metric.title(),
        difference(metric, effect),
        plan.condition_b
    );
    text.push_str(&match interval {
        Some((lower, upper)) => format!(
            " ({kind} {} to {}; {evidence}).",
            number(metric, lower),
            amount(metric, upper)
        ),
        None => format!(" ({evidence}; too few pairs for an interval)."),
    });
    text.push(' ');
    text.push_str(&verdict(
        plan.stop_rule,
        plan.smallest_effect,
        metric,
        interval,
        analysis,
    ));
    if let (Some(treated), true) = (&analysis.as_treated, not_followed(analysis) > 0) {
        text.push_str(&format!(
            " {} not as planned; by what was really done, it was {} after days of the first.",
            match not_followed(analysis) {
                1 => "1 day was".to_owned(),
                days => format!("{days} days were"),
            },
            signed(metric, treated.effect)
        ));
    }
    if let Some(belief) = &analysis.belief {
        text.push_str(&format!(
            " With a cautious prior, “{}” is better with a probability of {}, and better by {} or more \
             with {}.",
            plan.condition_a,
            percent(belief.probability_better),
            amount(metric, plan.smallest_effect),
            percent(belief.probability_much_better)
        ));
    }
    text
}

fn verdict(
    stop_rule: StopRule,
    smallest: f64,
    metric: PredictionMetric,
    interval: Option<(f64, f64)>,
    analysis: &ExperimentAnalysis,
) -> String {
    let is_clear_now = analysis.always_valid.is_some_and(|now| now.is_clear);
    match analysis.verdict {
        ExperimentVerdict::Better => "That is a clear difference for the better.".to_owned(),
        ExperimentVerdict::Worse => "That is a clear difference for the worse.".to_owned(),
        ExperimentVerdict::Undecided if analysis.may_stop && stop_rule == StopRule::Futility => {
            "There is little hope left of a clear difference: by its stop rule it may end now."
                .to_owned()
        }
        ExperimentVerdict::Undecided if is_clear_now => {
            "That is clear already; by the plan, the result is decided at the end.".to_owned()
        }
        ExperimentVerdict::Undecided => "Nothing is clear yet.".to_owned(),
        ExperimentVerdict::NoClearDifference => {
            let excluded =
                interval.is_some_and(|(lower, upper)| lower > -smallest && upper < smallest);
            if excluded {
                format!(
                    "That is no clear difference, and one of {} or more is unlikely.",
                    amount(metric, smallest)
                )
            } else {
                format!(
                    "That is no clear difference; one of {} is not excluded either.",
                    amount(metric, smallest)
                )
            }
        }
    }
}

fn without_result(experiment: &Experiment, analysis: &ExperimentAnalysis) -> Option<String> {
    let plan = &experiment.plan;
    Some(match analysis.code? {
        NoResult::BeforeTheEnd => return None,
        NoResult::OneConditionMissing => {
            let missing = analysis.conditions.iter().find(|one| one.days == 0);
            let label = missing.map_or(plan.label(Condition::A), |one| one.label.as_str());
            format!("No counted day of “{label}” has a value, so there is nothing to compare.")
        }
        NoResult::TooFewPairs => format!(
            "{} of {} pairs of blocks have enough values. With fewer than {LEAST_PAIRS} no difference \
             can become clear, however large.",
            analysis.pairs_used, analysis.pairs_planned
        ),
        NoResult::NoVariance => format!(
            "{} was the same in both blocks of every pair: values that do not vary show nothing.",
            plan.metric.title()
        ),
    })
}

fn not_followed(analysis: &ExperimentAnalysis) -> usize {
    analysis
        .conditions
        .iter()
        .map(|one| one.not_followed_days)
        .sum()
}

/// A difference in words, to be followed by what it is compared with: `1.8 bpm lower than`.
fn difference(metric: PredictionMetric, effect: f64) -> String {
    if number(metric, effect.abs()) == number(metric, 0.0) {
        "as good as the same as".to_owned()
    } else {
        format!("{} than", signed(metric, effect))
    }
}

/// A difference in words: `1.8 bpm lower`.
fn signed(metric: PredictionMetric, effect: f64) -> String {
    let direction = if effect < 0.0 { "lower" } else { "higher" };
    format!("{} {direction}", amount(metric, effect.abs()))
}

/// A number with its unit, and a minus sign.
pub(super) fn amount(metric: PredictionMetric, value: f64) -> String {
    format!("{} {}", number(metric, value), metric.unit_label())
}

/// A number with as many decimals as the metric has.
pub(super) fn number(metric: PredictionMetric, value: f64) -> String {
    let text = match metric {
        PredictionMetric::SleepDuration => format!("{value:.2}"),
        PredictionMetric::RestingHeartRate
        | PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
        | PredictionMetric::RecoveryScore => format!("{value:.1}"),
    };
    let is_zero = text
        .trim_start_matches('-')
        .bytes()
        .all(|byte| matches!(byte, b'0' | b'.'));
    if is_zero {
        text.trim_start_matches('-').to_owned()
    } else {
        text.replace('-', "−")
    }
}

/// A probability in whole per cent; neither 0 nor 100 of what is not certain.
pub(super) fn percent(share: f64) -> String {
    if share > 0.99 {
        "more than 99 %".to_owned()
    } else if share < 0.01 {
        "less than 1 %".to_owned()
    } else {
        format!("{:.0} %", share * 100.0)
    }
}

fn p_value(value: f64) -> String {
    if value < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {value:.3}")
    }
}

pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let heart = PredictionMetric::RestingHeartRate;
        assert_eq!(amount(heart, -1.84), "−1.8 bpm");
        assert_eq!(amount(heart, -0.04), "0.0 bpm");
        assert_eq!(amount(PredictionMetric::SleepDuration, -0.254), "−0.25 h");
        assert_eq!(difference(heart, -2.06), "2.1 bpm lower than");
        assert_eq!(difference(heart, 0.02), "as good as the same as");
        assert_eq!(percent(0.999), "more than 99 %");
        assert_eq!(percent(0.8), "80 %");
        assert_eq!(p_value(0.000_4), "p < 0.001");
    }
}
