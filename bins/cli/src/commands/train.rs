//! `vitalcast train`.

use crate::args::{Global, TrainArgs, TrainingSettings};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use vitalcast::{
    PredictionMetric, TrainModelRequest, TrainModelResponse, UserId, learned_nothing,
    skill_sentence,
};

impl TrainingSettings {
    /// The request these settings make for one person and metric.
    pub(crate) fn request(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        force_retrain: bool,
    ) -> TrainModelRequest {
        TrainModelRequest {
            architecture: self.architecture,
            lookback_days: self.lookback_days,
            sequence_length: self.sequence_length,
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            validation_split: self.validation_split,
            hidden_dim: self.hidden_dim,
            num_layers: self.num_layers,
            dropout: self.dropout,
            bidirectional: self.bidirectional,
            seed: self.seed,
            force_retrain,
            ..TrainModelRequest::new(user.clone(), metric)
        }
    }
}

pub(crate) fn run(args: &TrainArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?.with_device(args.device)?;
    let interrupt = Interrupt::install()?;
    let mut answers = Vec::new();
    for &metric in &args.metric {
        let request = args.settings.request(&args.user, metric, args.force);
        let bar = progress::steps(output, "");
        bar.set_prefix(format!("Training {metric} "));
        let now = global.now();
        let answer = engine.train(&request, args.as_of.unwrap_or(now), now, &mut |epoch| {
            bar.set_length(epoch.epochs as u64);
            bar.set_position(epoch.epoch as u64);
            bar.set_message(format!("validation loss {:.3}", epoch.validation_loss));
            interrupt.check()
        });
        bar.finish_and_clear();
        let answer = answer?;
        if !output.is_json() {
            print(&answer, output)?;
        }
        answers.push(answer);
    }
    if output.is_json() {
        // One metric prints the contract's answer itself, several a list of them.
        return match answers.as_slice() {
            [one] => output.json(one),
            many => output.json(&many),
        };
    }
    Ok(())
}

/// Prints the result of a training.
pub(crate) fn print(answer: &TrainModelResponse, output: &mut Output) -> anyhow::Result<()> {
    output.heading(&format!(
        "{} for {}: {} {}",
        answer.metric.title(),
        answer.user_id,
        answer.architecture,
        answer.model_version
    ))?;
    let unit = answer.metric.unit_label();
    let metrics = &answer.training_metrics;
    let number = |value: Option<f64>, suffix: &str| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}{suffix}"))
    };
    let mut rows = vec![
        vec!["model".to_owned(), answer.model_id.to_string()],
        vec![
            "history".to_owned(),
            format!(
                "{} to {}, {} windows",
                answer.first_day, answer.last_day, answer.total_samples
            ),
        ],
        vec![
            "error (MAE, test days)".to_owned(),
            number(metrics.mae, &format!(" {unit}")),
        ],
        vec!["RMSE".to_owned(), number(metrics.rmse, &format!(" {unit}"))],
        vec!["R²".to_owned(), number(metrics.r2_score, "")],
        vec!["MAPE".to_owned(), number(metrics.mape, " %")],
        vec!["MASE".to_owned(), number(metrics.mase, "")],
    ];
    if let (Some(name), Some(mae)) = (&answer.baseline_name, answer.baseline_mae) {
        rows.push(vec![format!("error of {name}"), format!("{mae:.2} {unit}")]);
    }
    if let Some(skill) = answer.skill_vs_naive {
        rows.push(vec![
            "skill against this baseline".to_owned(),
            format!("{:+.1} %", skill * 100.0),
        ]);
    }
    if metrics.epochs_trained > 0 {
        let how = if metrics.early_stopped {
            ", stopped early"
        } else {
            ""
        };
        rows.push(vec![
            "epochs".to_owned(),
            format!(
                "{}{how}, {:.1} s",
                metrics.epochs_trained, metrics.training_time_seconds
            ),
        ]);
    }
    output.table(&["", ""], &rows, &[])?;
    if let Some(name) = &answer.baseline_name {
        if answer.learned_share == Some(0.0) {
            output.line(learned_nothing(name))?;
        }
        output.line(skill_sentence(answer.skill_vs_naive, name))?;
    }
    if let Some(mae) = answer.population_mae {
        let own = metrics.mae.unwrap_or(f64::NAN);
        output.line(format_args!(
            "The model of many people erred by {mae:.2} {unit} on these days, this one by {own:.2}: {}",
            if answer.is_active {
                "this one is better, and forecasts use it from now on."
            } else {
                "forecasts keep using the model of many people. `vitalcast models activate` changes that."
            }
        ))?;
    }
    for issue in &answer.quality_issues {
        output.line(format_args!(
            "Not production-ready by the reference thresholds: {issue}"
        ))?;
    }
    Ok(())
}
