//! `vitalcast train`.

use crate::args::{Global, TrainArgs, TrainingSettings};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use serde::Serialize;
use vitalcast::{
    ModelArchitecture, PredictionMetric, TrainModelRequest, TrainModelResponse, TrainPooledRequest,
    TrainPooledResponse, UserId, learned_nothing, skill_sentence,
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
            tree_depth: self.tree_depth,
            tree_shrinkage: self.tree_shrinkage,
            tree_leaf_rows: self.tree_leaf_rows,
            tree_row_share: self.tree_row_share,
            seed: self.seed,
            force_retrain,
            ..TrainModelRequest::new(user.clone(), metric)
        }
    }
}

pub(crate) fn run(args: &TrainArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    match &args.user {
        Some(user) => of_one(user, args, global, output),
        None => pooled(args, global, output),
    }
}

/// Fits models of many people.
fn pooled(args: &TrainArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let interrupt = Interrupt::install()?;
    each(&args.metric, output, |metric, output| {
        let request = TrainPooledRequest {
            metric,
            users: args.users.clone(),
            // Whoever holds the folder has the data; who refused is left out.
            include_unasked: true,
        };
        let bar = progress::steps(output, "people");
        bar.set_prefix(format!("Reading {metric} "));
        let now = global.now();
        let answer = engine.train_pooled(
            &request,
            args.as_of.unwrap_or(now),
            now,
            &mut |done, all| {
                bar.set_length(all as u64);
                bar.set_position(done as u64);
                interrupt.check()
            },
        );
        bar.finish_and_clear();
        let answer = answer?;
        if !output.is_json() {
            print_pooled(&answer, output)?;
        }
        Ok(answer)
    })
}

/// Trains one metric after the other, until one fails. As JSON, the answer to one metric is printed itself,
/// those to several as a list, also if a later one failed: what was trained before is there and in use.
fn each<T: Serialize>(
    metrics: &[PredictionMetric],
    output: &mut Output,
    mut train: impl FnMut(PredictionMetric, &mut Output) -> anyhow::Result<T>,
) -> anyhow::Result<()> {
    let mut answers = Vec::with_capacity(metrics.len());
    let trained = metrics.iter().try_for_each(|metric| {
        answers.push(train(*metric, output)?);
        Ok(())
    });
    if output.is_json() {
        match (metrics, answers.as_slice()) {
            ([_], []) => {}
            ([_], [one]) => output.json(one)?,
            (_, answers) => output.json(&answers)?,
        }
    }
    trained
}

fn print_pooled(answer: &TrainPooledResponse, output: &mut Output) -> anyhow::Result<()> {
    let metric = answer.metric;
    let unit = metric.unit_label();
    output.heading(&format!(
        "{} of many people: {}",
        metric.title(),
        answer.model_version
    ))?;
    let mut rows = vec![
        vec!["model".to_owned(), answer.model_id.to_string()],
        vec![
            "learned from".to_owned(),
            format!(
                "{} people, {} days with a reading",
                answer.people, answer.days
            ),
        ],
        vec![
            "error (MAE, people not seen)".to_owned(),
            format!("{:.2} {unit}", answer.mae),
        ],
    ];
    if let (Some(name), Some(mae)) = (&answer.baseline_name, answer.baseline_mae) {
        rows.push(vec![format!("error of {name}"), format!("{mae:.2} {unit}")]);
    }
    if let Some(mae) = answer.rival_mae {
        rows.push(vec![
            "error of what is served now".to_owned(),
            format!("{mae:.2} {unit}"),
        ]);
    }
    for (count, why) in [
        (answer.people_without_consent, "left out: refused"),
        (answer.people_without_readings, "left out: no reading"),
    ] {
        if count > 0 {
            rows.push(vec![why.to_owned(), count.to_string()]);
        }
    }
    output.table(&["", ""], &rows, &[])?;
    output.line(match (answer.is_active, answer.rival_mae) {
        (true, Some(_)) => {
            "It errs less than what was served, beyond chance: forecasts of everybody without a better \
             model of their own use it from now on."
        }
        (true, None) => "Forecasts of everybody without a model of their own use it from now on.",
        (false, _) => {
            "It is not better than what is served now, beyond chance: forecasts stay as they are. \
             `vitalcast models activate` changes that."
        }
    })
}

fn of_one(
    user: &UserId,
    args: &TrainArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?.with_device(args.device)?;
    let interrupt = Interrupt::install()?;
    each(&args.metric, output, |metric, output| {
        let request = args.settings.request(user, metric, args.force);
        let bar = progress::steps(output, "");
        bar.set_prefix(format!("Training {metric} "));
        let now = global.now();
        let as_of = args.as_of.unwrap_or(now);
        // Whoever holds the folder has the data; who refused is left out.
        let answer = engine.train_among(&request, true, as_of, now, &mut |epoch| {
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
        Ok(answer)
    })
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
            let corrects = answer.architecture == ModelArchitecture::PooledLstm;
            let pooled = ModelArchitecture::Pooled.as_str();
            let base = if corrects { pooled } else { name };
            output.line(learned_nothing(base))?;
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
