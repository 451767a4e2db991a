//! A summary of a manifest for people.

use crate::manifest::Manifest;
use vitalcast_evaluation::level_in_words;

/// Nominal coverage of the interval that is shown, where the residuals support it.
const SHOWN_LEVEL: f64 = 0.9;

impl Manifest {
    /// The facts about a model as pairs of name and value; unknown values are left out.
    pub fn facts(&self) -> Vec<(String, String)> {
        let unit = self.metric.unit_label();
        let metrics = &self.metrics;
        let windows = &self.windows;
        let mut facts: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            facts.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("forecasts", Some(self.metric.title().to_owned()));
        add("architecture", Some(self.architecture.to_string()));
        add(
            "history",
            Some(format!("{} to {}", self.first_day, self.last_day)),
        );
        add(
            "reads",
            Some(match self.feature_names.len() {
                0 => format!("the last {} days of the metric", self.lookback_days),
                count => format!(
                    "the last {} days of {count} features and of the metric",
                    self.lookback_days
                ),
            }),
        );
        add(
            "windows",
            Some(format!(
                "{} training, {} validation, {} calibration, {} test",
                windows.train, windows.validation, windows.calibration, windows.test
            )),
        );
        add("MAE", Some(format!("{:.3} {unit}", metrics.mae)));
        add("RMSE", Some(format!("{:.3} {unit}", metrics.rmse)));
        add("R²", metrics.r2_score.map(|value| format!("{value:.3}")));
        add("MAPE", metrics.mape.map(|value| format!("{value:.2} %")));
        add("MASE", metrics.mase.map(|value| format!("{value:.3}")));
        add(
            "best simple baseline",
            self.baseline_name
                .as_ref()
                .map(|name| match self.baseline_mae {
                    Some(mae) => format!("{name}, MAE {mae:.3} {unit}"),
                    None => name.clone(),
                }),
        );
        add(
            "skill against this baseline",
            self.baseline_name.as_ref().map(|_| {
                self.skill.map_or_else(
                    || "none: the baseline made no error on the test days".to_owned(),
                    |skill| format!("{:+.1} %", 100.0 * skill),
                )
            }),
        );
        if let Some(gate) = &self.gate {
            let p = |p: Option<f64>| {
                p.map_or_else(
                    || "too few days to test".to_owned(),
                    |p| format!("p = {p:.3}"),
                )
            };
            add(
                "model of many people",
                Some(format!(
                    "MAE {:.3} {unit} on the same {} days; this one errs less: {}",
                    gate.rival_mae,
                    gate.days,
                    p(gate.p)
                )),
            );
            add(
                "errs less than the baseline",
                gate.baseline_p.map(|value| p(Some(value))),
            );
            let served = if gate.served {
                "yes: it errs less than what is served without it, beyond chance"
            } else {
                "no, unless it is activated or named: it was not shown to err less than what is served \
                 without it"
            };
            add("served", Some(served.to_owned()));
        }
        let interval = self
            .calibration
            .lead(1)
            .and_then(|lead| lead.interval(SHOWN_LEVEL));
        if let Some(interval) = interval {
            add(
                &format!("{} interval, one day ahead", level_in_words(interval.level)),
                Some(format!(
                    "-{:.2} to +{:.2} {unit}",
                    -interval.lower, interval.upper
                )),
            );
        }
        add(
            "epochs",
            (metrics.epochs_trained > 0).then(|| {
                let why = if metrics.early_stopped {
                    ", stopped early"
                } else {
                    ""
                };
                format!("{}{why}", metrics.epochs_trained)
            }),
        );
        add(
            "production-ready",
            Some(
                if self.is_production_ready {
                    "yes"
                } else {
                    "no"
                }
                .to_owned(),
            ),
        );
        for issue in &self.quality_issues {
            add("", Some(issue.clone()));
        }
        add("seed", Some(self.seed.to_string()));
        add("threads", Some(self.threads.to_string()));
        add("written by release", Some(self.code_version.clone()));
        facts
    }
}
