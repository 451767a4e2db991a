//! Explanations in words. They say what goes with what, never that one thing causes the other.

use crate::explanation::{ExplainedForecast, ExplainedPart};
use vitalcast_domain::{GlobalFeatureImportance, ImportanceMethod, PredictionMetric};

/// Parts that get words of their own.
const TOLD: usize = 3;
/// Standard errors that a contribution is away from 0 to be told.
const SURE: f64 = 2.0;

/// Parts that say nothing of the person.
const TECHNICAL: [&str; 3] = ["health_whole_numbers", "health_limits", "health_every_day"];

/// Decimals of a metric: hours have two, all others one.
fn decimals(metric: PredictionMetric) -> usize {
    match metric {
        PredictionMetric::SleepDuration => 2,
        PredictionMetric::RestingHeartRate
        | PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
        | PredictionMetric::RecoveryScore => 1,
    }
}

fn with_unit(metric: PredictionMetric, value: f64) -> String {
    let digits = decimals(metric);
    format!("{value:.digits$} {}", metric.unit_label())
}

/// `+1.1 bpm`, with a minus sign where it is below 0.
fn signed(metric: PredictionMetric, value: f64) -> String {
    let digits = decimals(metric);
    format!("{value:+.digits$} {}", metric.unit_label()).replace('-', "−")
}

/// Whether nothing is left of it when it is rounded for people.
fn is_nothing(metric: PredictionMetric, value: f64) -> bool {
    value.abs() < 0.5 * 10_f64.powi(-(decimals(metric) as i32))
}

/// A number with digits that fit its size, for the value of a feature.
fn number(value: f64) -> String {
    let size = value.abs();
    let digits = if size >= 100.0 || value.fract() == 0.0 {
        0
    } else if size >= 1.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}").replace('-', "−")
}

/// `last night's sleep of 5.2 h`
fn named(part: &ExplainedPart) -> String {
    let feature = &part.feature;
    match feature.value {
        Some(value) if feature.unit.is_empty() => {
            format!("{} ({})", feature.label, number(value))
        }
        Some(value) => format!("{} of {} {}", feature.label, number(value), feature.unit),
        None => feature.label.clone(),
    }
}

/// One forecast; the parts come largest first.
pub(crate) fn of_forecast(of: &ExplainedForecast<'_>, parts: &[ExplainedPart]) -> String {
    let metric = of.metric;
    let mut text = format!("Expected {}", with_unit(metric, of.value));
    match of.average {
        Some(average) if is_nothing(metric, of.value - average) => {
            text.push_str(&format!(
                ", as usual: your mean is {}.",
                with_unit(metric, average)
            ));
        }
        Some(average) => {
            let place = if of.value > average { "above" } else { "below" };
            text.push_str(&format!(
                ", {} {place} your usual {}.",
                with_unit(metric, (of.value - average).abs()),
                with_unit(metric, average)
            ));
        }
        None => text.push('.'),
    }
    if let Some(nothing) = &of.learned_nothing {
        text.push(' ');
        text.push_str(nothing);
    }
    if of.method == ImportanceMethod::Attention {
        return text;
    }
    let is_told = |part: &&ExplainedPart| {
        if TECHNICAL.contains(&part.feature.name.as_str()) {
            return false;
        }
        let is_sure = part
            .standard_error
            .is_none_or(|error| part.size > SURE * error);
        is_sure && !is_nothing(metric, part.size)
    };
    let told: Vec<String> = parts
        .iter()
        .filter(is_told)
        .take(TOLD)
        .map(|part| format!("{} ({})", named(part), signed(metric, part.amount)))
        .collect();
    let lead = match of.method {
        ImportanceMethod::Shap => "What goes with it most",
        ImportanceMethod::Lime => "In a linear model around this forecast, what goes with it most",
        ImportanceMethod::Permutation => {
            "Against the values of your other days, one at a time, what goes with it most"
        }
        ImportanceMethod::Attention => "",
    };
    if told.is_empty() {
        text.push_str(&format!(
            " Nothing moves it by as much as {} beyond chance.",
            with_unit(metric, 10_f64.powi(-(decimals(metric) as i32)))
        ));
    } else {
        text.push_str(&format!(" {lead}: {}.", told.join(", ")));
    }
    match (of.method, of.local_fit) {
        (ImportanceMethod::Shap, _) => text.push_str(&format!(
            " The amounts start from {}, {}.",
            with_unit(metric, of.base),
            of.base_meaning
        )),
        (ImportanceMethod::Lime, Some(fit)) => text.push_str(&format!(
            " The linear model tells {:.0} % of how the forecast changes nearby.",
            100.0 * fit.max(0.0)
        )),
        (
            ImportanceMethod::Lime | ImportanceMethod::Permutation | ImportanceMethod::Attention,
            _,
        ) => {}
    }
    text
}

/// A model; the importances come largest first.
pub(crate) fn of_model(
    metric: PredictionMetric,
    method: ImportanceMethod,
    all: &[GlobalFeatureImportance],
    days: usize,
    learned_nothing: Option<&str>,
) -> String {
    let told: Vec<String> = all
        .iter()
        .filter(|one| one.mean_importance > 0.0 && !is_nothing(metric, one.mean_importance))
        .take(TOLD + 2)
        .map(|one| format!("{} ({})", one.label, with_unit(metric, one.mean_importance)))
        .collect();
    let counted = match days {
        0 => return "There is no day to explain.".to_owned(),
        1 => "On one day".to_owned(),
        days => format!("Over {days} days"),
    };
    let mut text = if told.is_empty() {
        format!(
            "{counted} nothing that the model reads goes with its forecasts by as much as {}.",
            with_unit(metric, 10_f64.powi(-(decimals(metric) as i32)))
        )
    } else {
        let lead = match method {
            ImportanceMethod::Shap => "what goes with the model's forecasts most, on average",
            ImportanceMethod::Lime => {
                "what goes with the model's forecasts most in linear models around them"
            }
            ImportanceMethod::Permutation => {
                "the error of the model rises most with the values of other days for"
            }
            ImportanceMethod::Attention => "the model weighs most",
        };
        format!("{counted}, {lead}: {}.", told.join(", "))
    };
    if let Some(nothing) = learned_nothing {
        text.push(' ');
        text.push_str(nothing);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation::tests::{feature, forecast};

    fn part(name: &str, value: Option<f64>, amount: f64, error: f64) -> ExplainedPart {
        ExplainedPart::new(feature(name, value), amount, Some(error))
    }

    #[test]
    fn two_or_three_things_are_told_with_value_amount_and_sign() {
        let parts = [
            part("last night's sleep", Some(5.2), 1.1, 0.1),
            part("your level", None, -0.6, 0.0),
            part("chance", Some(1.0), 0.4, 0.3),
            part("steps", Some(12_000.0), 0.2, 0.0),
            part("a fourth", None, 0.1, 0.0),
        ];
        let text = of_forecast(&forecast(), &parts);
        assert_eq!(
            text,
            "Expected 61.0 bpm, 2.0 bpm above your usual 59.0 bpm. What goes with it most: last \
             night's sleep of 5.2 h (+1.1 bpm), your level (−0.6 bpm), steps of 12000 h (+0.2 bpm). \
             The amounts start from 59.5 bpm, the mean of your days."
        );
        assert!(!text.contains("because") && !text.contains("cause"));
    }

    #[test]
    fn a_network_that_learned_nothing_says_so() {
        let mut of = forecast();
        of.learned_nothing = Some("The network found nothing.".to_owned());
        of.value = 59.01;
        let text = of_forecast(&of, &[part("sleep", None, 0.01, 0.0)]);
        assert!(text.starts_with("Expected 59.0 bpm, as usual: your mean is 59.0 bpm."));
        assert!(text.contains("The network found nothing."), "{text}");
        assert!(text.contains("Nothing moves it by as much as 0.1 bpm beyond chance."));
    }

    #[test]
    fn lime_says_how_much_it_tells() {
        let mut of = forecast();
        of.method = ImportanceMethod::Lime;
        of.local_fit = Some(0.934);
        of.average = None;
        let text = of_forecast(&of, &[part("sleep", None, 1.0, 0.0)]);
        assert!(
            text.starts_with("Expected 61.0 bpm. In a linear model"),
            "{text}"
        );
        assert!(
            text.ends_with("tells 93 % of how the forecast changes nearby."),
            "{text}"
        );
    }
}
