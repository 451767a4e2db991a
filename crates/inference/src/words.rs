//! Sentences that explain a forecast: comparison with the person's last 30 days, confidence, and a
//! recommendation. Wellness wording only; nothing here is medical advice.

use crate::interval::Interval;
use chrono::{NaiveDate, TimeDelta};
use vitalcast_artifact::Deviation;
use vitalcast_domain::{
    AsOf, ForecastChoice, IntervalMethod, PredictionMetric, PredictionResult, Profile, RangeVerdict,
};
use vitalcast_evaluation::{SIGNIFICANT, highest_level, level_in_words};

/// Below this share of the 30-day average a forecast is called "similar to" it.
const SIMILAR_SHARE: f64 = 0.05;
/// Confidence scores above these are called high and moderate.
const HIGH_CONFIDENCE: f64 = 0.8;
const MODERATE_CONFIDENCE: f64 = 0.6;

/// One or two sentences: the value against the 30-day average, the confidence, and the error of the
/// model compared with the best simple baseline on days that were not used for training.
pub fn interpretation(prediction: &PredictionResult) -> String {
    let metric = prediction.metric;
    let value = with_unit(metric, prediction.predicted_value);
    let mut text = match (
        prediction.historical_average,
        prediction.deviation_from_average,
    ) {
        (Some(average), Some(deviation)) => {
            let average_text = with_unit(metric, average);
            let share = if average == 0.0 {
                0.0
            } else {
                deviation / average
            };
            let relation = if share.abs() < SIMILAR_SHARE {
                "similar to".to_owned()
            } else {
                let direction = if share > 0.0 { "higher" } else { "lower" };
                format!("{:.1}% {direction} than", share.abs() * 100.0)
            };
            format!(
                "Your predicted {} is {value}, which is {relation} your 30-day average of {average_text}.",
                metric.title()
            )
        }
        _ => format!(
            "Your predicted {} is {value}. There is no reading of the last 30 days to compare it with.",
            metric.title()
        ),
    };
    let confidence = if prediction.confidence_score > HIGH_CONFIDENCE {
        "high"
    } else if prediction.confidence_score > MODERATE_CONFIDENCE {
        "moderate"
    } else {
        "low"
    };
    text.push_str(&format!(" This prediction has {confidence} confidence."));
    let compared = match (&prediction.choice, prediction.baseline_name.as_deref()) {
        (Some(choice), _) => Some(choice.reason.clone()),
        (None, Some(baseline)) => Some(skill_sentence(prediction.skill_vs_naive, baseline)),
        (None, None) => None,
    };
    if let Some(compared) = compared {
        text.push(' ');
        text.push_str(&compared);
    }
    text
}

/// Why a model of many people is served, or a simple forecast in its place; `reason` is not read.
pub(crate) fn of_choice(metric: PredictionMetric, choice: &ForecastChoice) -> String {
    let (Some(baseline), Some(model), Some(simple)) =
        (&choice.baseline, choice.model_mae, choice.baseline_mae)
    else {
        return "There are too few days yet to say whether it is better than \"same as usual\"."
            .to_owned();
    };
    let words = baseline_words(baseline);
    let days = choice.days;
    let test = choice.p.map_or_else(String::new, |p| {
        format!(" (paired test, {})", p_in_words(p))
    });
    if choice.served == *baseline {
        return format!(
            "For you {words} is better than any model here, and this is it: on your last {days} readings \
             it erred by {} on average, the model of many people by {}{test}.",
            error_with_unit(metric, simple),
            error_with_unit(metric, model)
        );
    }
    let percent = if simple > 0.0 {
        (1.0 - model / simple) * 100.0
    } else {
        0.0
    };
    if simple <= 0.0 && model > 0.0 {
        return format!("On your last {days} readings {words} made no error.");
    }
    if percent > 0.5 {
        format!(
            "On your last {days} readings the error of the model was {percent:.0}% smaller than that of \
             {words}, the best simple forecast."
        )
    } else if percent > -0.5 {
        format!("On your last {days} readings {words} was as good as this model.")
    } else {
        // Beyond chance only where this very model was asked for.
        let chance = if choice.p.is_some_and(|p| p < SIGNIFICANT) {
            ""
        } else {
            ", which may be chance"
        };
        format!(
            "On your last {days} readings the error of the model was {:.0}% larger than that of \
             {words}{chance}{test}.",
            -percent
        )
    }
}

/// Which simple forecast is served of a metric that no model of many people knows; `reason` is not read.
pub(crate) fn of_simple_choice(metric: PredictionMetric, choice: &ForecastChoice) -> String {
    let words = baseline_words(&choice.served);
    let mut text = format!("No model of many people knows this metric; this is {words}");
    if let Some(mae) = choice.baseline_mae {
        text.push_str(&format!(
            ", which erred by {} on average on your last {} readings",
            error_with_unit(metric, mae),
            choice.days
        ));
    }
    if let Some(p) = choice.p {
        text.push_str(&format!(
            ", less than exponential smoothing (paired test, {})",
            p_in_words(p)
        ));
    }
    text.push('.');
    text
}

/// `p = 0.03`, or `p < 0.001`.
fn p_in_words(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    }
}

/// A mean error, to two decimals.
fn error_with_unit(metric: PredictionMetric, error: f64) -> String {
    format!("{error:.2} {}", metric.unit_label())
}

/// The error of the model compared with that of a simple baseline, better or worse. There is no skill
/// when the baseline made no error.
pub fn skill_sentence(skill: Option<f64>, baseline: &str) -> String {
    let baseline = baseline_words(baseline);
    let Some(skill) = skill else {
        return format!(
            "On the test days {baseline} made no error, so no model can be better: trust this \
             simple forecast more."
        );
    };
    let percent = skill.abs() * 100.0;
    if percent < 0.5 {
        format!("On the test days the model was as accurate as {baseline}.")
    } else if skill > 0.0 {
        format!(
            "On the test days the error of the model was {percent:.0}% smaller than that of \
             {baseline}."
        )
    } else {
        format!(
            "On the test days the error of the model was {percent:.0}% larger than that of \
             {baseline}: trust this simple forecast more."
        )
    }
}

/// That a network forecasts as its base does; `None` if it adds anything.
pub(crate) fn of_deviation(deviation: Option<&Deviation>) -> Option<String> {
    let deviation = deviation.filter(|deviation| deviation.share == 0.0)?;
    Some(learned_nothing(&deviation.base))
}

/// What is said of a network that has learned nothing.
pub fn learned_nothing(base: &str) -> String {
    let base = baseline_words(base);
    format!("The network found nothing that held on later days: it forecasts as {base} does.")
}

/// What a forecast knew that was not made on the evening before its day; `None` on that evening.
pub(crate) fn of_moment(profile: &Profile, target: NaiveDate, as_of: AsOf) -> Option<String> {
    let evening_before = profile.start_of_day(target);
    if as_of == evening_before {
        return None;
    }
    let local = as_of.naive_utc() + TimeDelta::seconds(i64::from(profile.offset_seconds(as_of)));
    let moment = local.format("%H:%M on %-d %B");
    Some(if as_of < evening_before {
        format!(
            "This forecast uses what was known at {moment}; the day before the forecast was not over."
        )
    } else {
        format!("This forecast uses what was known at {moment}, during the day itself.")
    })
}

/// How the forecast and the last reading lie to the person's normal range; `None` without a range.
pub(crate) fn of_normal_range(prediction: &PredictionResult) -> Option<String> {
    let band = prediction.normal_range?;
    let metric = prediction.metric;
    let value = prediction.predicted_value;
    let place = if value < band.low {
        "below"
    } else if value > band.high {
        "above"
    } else {
        "within"
    };
    let mut text = format!(
        "It is {place} your normal range of the last 28 days, {} to {}.",
        with_unit(metric, band.low),
        with_unit(metric, band.high)
    );
    match band.last_reading {
        Some(RangeVerdict::Above) => {
            text.push_str(" Your last reading was above the range of the days before it.");
        }
        Some(RangeVerdict::Below) => {
            text.push_str(" Your last reading was below the range of the days before it.");
        }
        Some(RangeVerdict::Inside) | None => {}
    }
    Some(text)
}

/// The readings that a forecast leaves out; `None` when there are none.
pub(crate) fn of_unusual(days: &[NaiveDate]) -> Option<String> {
    let words = |day: &NaiveDate| day.format("%-d %B").to_string();
    match days {
        [] => None,
        [day] => Some(format!(
            "The reading of {} is unusual for you and was left out of the forecast.",
            words(day)
        )),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(words).collect();
            Some(format!(
                "The readings of {} and {} are unusual for you and were left out of the forecast.",
                first.join(", "),
                words(last)
            ))
        }
    }
}

/// Why an interval has another coverage than the requested one; `None` when it has the requested one.
pub(crate) fn of_level(asked: f64, method: IntervalMethod, interval: &Interval) -> Option<String> {
    /// Levels nearer to one another than this are the same.
    const SAME: f64 = 1e-9;
    if (interval.level - asked).abs() < SAME {
        return None;
    }
    let holds = level_in_words(interval.level);
    let asked_for = level_in_words(asked);
    let text = match method {
        IntervalMethod::ReferenceMae => format!(
            "The interval is the forecast ± 1.96 mean absolute errors; by the errors of the model \
             its coverage is {holds}."
        ),
        IntervalMethod::ResidualQuantiles if interval.level > asked => format!(
            "The coverage of the interval is {holds}, more than the requested {asked_for}: the \
             model has no narrower interval."
        ),
        IntervalMethod::ResidualQuantiles
            if interval.level < highest_level(interval.residual_count) - SAME =>
        {
            format!(
                "The coverage of the interval is {holds}, not the requested {asked_for}: the model \
                 has no wider interval."
            )
        }
        IntervalMethod::ResidualQuantiles => format!(
            "The coverage of the interval is {holds}, not the requested {asked_for}: the errors of \
             the model are known for only {} {}, too few for more.",
            interval.residual_count,
            if interval.residual_count == 1 {
                "day"
            } else {
                "days"
            }
        ),
    };
    Some(text)
}

/// The name of a baseline in plain words.
pub fn baseline_words(name: &str) -> &str {
    match name {
        "naive" => "\"same as the last reading\"",
        "seasonal_naive" => "\"same as this weekday last time\"",
        "moving_average" => "\"the mean of the 7 days up to the last reading\"",
        "mean_30" => "\"the mean of the 30 days up to the last reading\"",
        "exponential_smoothing" => "exponential smoothing",
        "pooled" => "the model of many people",
        other => other,
    }
}

/// A recommendation, when the forecast is far enough from the mean of the person's last 30 days; `None`
/// for an ordinary day, or without readings to compare with.
///
/// Thresholds for resting heart rate (5 bpm) and HRV (10 ms) are those of the reference contract;
/// sleep (1 h) and recovery (10 points) are ours.
pub fn recommendation(metric: PredictionMetric, deviation: Option<f64>) -> Option<String> {
    let deviation = deviation?;
    let text = match metric {
        PredictionMetric::RestingHeartRate if deviation > 5.0 => {
            "Your resting heart rate may be elevated tomorrow. Consider lighter training, \
             prioritizing recovery, and drinking enough."
        }
        PredictionMetric::RestingHeartRate if deviation < -5.0 => {
            "Your resting heart rate may be lower than usual tomorrow: a good day for a harder \
             session, if you feel like one."
        }
        PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
            if deviation < -10.0 =>
        {
            "Your heart rate variability may be lower than usual tomorrow. Consider an easy day \
             and an early night."
        }
        PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
            if deviation > 10.0 =>
        {
            "Your heart rate variability may be higher than usual tomorrow: your body seems ready \
             for a challenge."
        }
        PredictionMetric::SleepDuration if deviation < -1.0 => {
            "You may sleep less than usual. Consider keeping the evening free and going to bed \
             earlier."
        }
        PredictionMetric::SleepDuration if deviation > 1.0 => {
            "You may sleep longer than usual. Leave room in the morning for it."
        }
        PredictionMetric::RecoveryScore if deviation < -10.0 => {
            "Your recovery may be lower than usual tomorrow. Consider a rest day or light movement."
        }
        PredictionMetric::RecoveryScore if deviation > 10.0 => {
            "Your recovery may be better than usual tomorrow: a good day for demanding training."
        }
        PredictionMetric::RestingHeartRate
        | PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
        | PredictionMetric::SleepDuration
        | PredictionMetric::RecoveryScore => return None,
    };
    Some(text.to_owned())
}

/// A value with its unit, rounded for people: hours to two decimals, all others to one.
pub fn with_unit(metric: PredictionMetric, value: f64) -> String {
    match metric {
        PredictionMetric::SleepDuration => format!("{value:.2} {}", metric.unit_label()),
        PredictionMetric::RestingHeartRate
        | PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
        | PredictionMetric::RecoveryScore => format!("{value:.1} {}", metric.unit_label()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_words_for_both_directions_and_none_for_an_ordinary_day() {
        for &metric in PredictionMetric::ALL {
            assert!(recommendation(metric, Some(-20.0)).is_some(), "{metric}");
            assert!(recommendation(metric, Some(20.0)).is_some(), "{metric}");
            assert_eq!(recommendation(metric, Some(0.5)), None, "{metric}");
            assert_eq!(recommendation(metric, None), None, "{metric}");
        }
    }

    #[test]
    fn the_contract_thresholds_themselves_are_ordinary_days() {
        let rhr = PredictionMetric::RestingHeartRate;
        assert_eq!(recommendation(rhr, Some(5.0)), None);
        assert!(recommendation(rhr, Some(5.01)).is_some());
        let sdnn = PredictionMetric::HeartRateVariabilitySdnn;
        assert_eq!(recommendation(sdnn, Some(-10.0)), None);
        assert!(recommendation(sdnn, Some(-10.01)).is_some());
    }

    #[test]
    fn a_forecast_says_when_it_was_not_made_on_the_evening_before() {
        let profile = Profile {
            zone: "Europe/Athens".parse().unwrap(),
            ..Profile::default()
        };
        let of = |as_of: &str| {
            let target = "2026-10-16".parse().unwrap();
            of_moment(&profile, target, as_of.parse().unwrap())
        };
        assert_eq!(of("2026-10-15T21:00:00Z"), None);
        assert_eq!(
            of("2026-10-16T09:00:00Z").unwrap(),
            "This forecast uses what was known at 12:00 on 16 October, during the day itself."
        );
        assert_eq!(
            of("2026-10-15T05:30:00Z").unwrap(),
            "This forecast uses what was known at 08:30 on 15 October; the day before the forecast \
             was not over."
        );
    }

    #[test]
    fn readings_left_out_are_named_by_their_days() {
        let days: Vec<NaiveDate> = ["2026-10-02", "2026-10-09", "2026-10-15"]
            .map(|day| day.parse().unwrap())
            .to_vec();
        assert_eq!(of_unusual(&[]), None);
        assert_eq!(
            of_unusual(&days[2..]).unwrap(),
            "The reading of 15 October is unusual for you and was left out of the forecast."
        );
        assert_eq!(
            of_unusual(&days).unwrap(),
            "The readings of 2 October, 9 October and 15 October are unusual for you and were left \
             out of the forecast."
        );
    }

    #[test]
    fn an_interval_that_holds_another_level_says_which_and_why() {
        let of = |asked, method, level| {
            let interval = Interval {
                lower: 57.0,
                upper: 63.0,
                level,
                residual_count: 4,
            };
            of_level(asked, method, &interval)
        };
        let quantiles = IntervalMethod::ResidualQuantiles;
        assert_eq!(of(0.7, quantiles, 0.7), None);
        assert_eq!(
            of(0.95, quantiles, 0.8).unwrap(),
            "The coverage of the interval is 80 %, not the requested 95 %: the errors of the model \
             are known for only 4 days, too few for more."
        );
        assert!(
            of(0.95, quantiles, 0.7)
                .unwrap()
                .contains("no wider interval")
        );
        assert!(
            of(0.3, quantiles, 0.5)
                .unwrap()
                .contains("no narrower interval")
        );
        let reference = of(0.95, IntervalMethod::ReferenceMae, 0.8).unwrap();
        assert!(reference.ends_with("coverage is 80 %."), "{reference}");
    }

    #[test]
    fn why_a_forecast_is_served_is_one_sentence() {
        let of = |served: &str, model_mae, baseline_mae, p| {
            of_choice(
                PredictionMetric::RestingHeartRate,
                &ForecastChoice {
                    served: served.to_owned(),
                    reason: String::new(),
                    days: 60,
                    model_mae: Some(model_mae),
                    baseline: Some("mean_30".to_owned()),
                    baseline_mae: Some(baseline_mae),
                    p: Some(p),
                },
            )
        };
        assert_eq!(
            of("mean_30", 1.5, 1.0, 0.0123),
            "For you \"the mean of the 30 days up to the last reading\" is better than any model here, and this is it: on \
             your last 60 readings it erred by 1.00 bpm on average, the model of many people by 1.50 bpm \
             (paired test, p = 0.012)."
        );
        assert!(of("pooled", 0.9, 1.0, 0.9).contains("10% smaller than that of"));
        assert!(of("pooled", 1.0, 1.0, 0.5).contains("was as good as this model"));
        let chance = of("pooled", 1.1, 1.0, 0.2);
        assert!(chance.contains("10% larger") && chance.contains("may be chance"));
        // The model was asked for although the simple forecast is better.
        assert!(!of("pooled", 1.1, 1.0, 0.0001).contains("chance"));
        assert!(of("pooled", 1.0, 0.0, 0.0001).contains("made no error"));
        let mut few = ForecastChoice {
            served: "pooled".to_owned(),
            reason: String::new(),
            days: 3,
            model_mae: Some(1.0),
            baseline: None,
            baseline_mae: None,
            p: None,
        };
        let metric = PredictionMetric::SleepDuration;
        assert!(of_choice(metric, &few).starts_with("There are too few days yet"));
        few.days = 0;
        assert!(of_choice(metric, &few).starts_with("There are too few days yet"));
    }

    #[test]
    fn a_model_that_loses_to_the_baseline_says_so() {
        let sentence = skill_sentence(Some(-0.12), "naive");
        assert!(sentence.contains("12% larger"), "{sentence}");
        assert!(sentence.contains("same as the last reading"), "{sentence}");
    }

    #[test]
    fn a_skill_without_a_denominator_was_passed_over() {
        let sentence = skill_sentence(None, "seasonal_naive");
        assert!(sentence.contains("made no error"), "{sentence}");
        assert!(
            sentence.ends_with("trust this simple forecast more."),
            "{sentence}"
        );
    }
}
