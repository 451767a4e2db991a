//! `vitalcast models`.

use crate::args::{Global, ModelsArgs, ModelsCommand};
use crate::output::Output;
use serde::Serialize;
use vitalcast::{ModelInfo, UnreadableModelInfo};

/// An entry of the list of everybody's models.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed<'a> {
    Model(&'a ModelInfo),
    Unreadable(&'a UnreadableModelInfo),
}

pub(crate) fn run(args: &ModelsArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    match &args.command {
        ModelsCommand::List { user, metric } => {
            let models = engine.models(user.as_ref(), *metric)?;
            let unreadable_models = engine.unreadable_models(user.as_ref(), *metric)?;
            if output.is_json() {
                return match user {
                    Some(user) => output.json(&vitalcast::ListModelsResponse {
                        user_id: user.clone(),
                        total_models: models.len(),
                        models,
                        unreadable_models,
                    }),
                    None => output.json(
                        &(models.iter().map(Listed::Model))
                            .chain(unreadable_models.iter().map(Listed::Unreadable))
                            .collect::<Vec<_>>(),
                    ),
                };
            }
            if models.is_empty() && unreadable_models.is_empty() {
                output.note(
                    "There are no models yet. Train one with: vitalcast train --user ID --metric METRIC",
                );
                return Ok(());
            }
            let readable = models.iter().map(|model| {
                vec![
                    model.model_id.to_string(),
                    model.version.clone(),
                    if model.is_active { "active" } else { "" }.to_owned(),
                    model.architecture.to_string(),
                    model.training_metrics.mae.map_or_else(
                        || "–".to_owned(),
                        |mae| format!("{mae:.2} {}", model.metric.unit_label()),
                    ),
                    model.skill_vs_naive.map_or_else(
                        || "–".to_owned(),
                        |skill| format!("{:+.1} %", skill * 100.0),
                    ),
                    format!("{:.2} MB", model.model_size_mb),
                ]
            });
            let unknown = || "–".to_owned();
            let unreadable = unreadable_models.iter().map(|model| {
                vec![
                    model.model_id.to_string(),
                    model.version.clone(),
                    if model.is_active { "active" } else { "" }.to_owned(),
                    model
                        .architecture
                        .map_or_else(unknown, |known| known.to_string()),
                    unknown(),
                    unknown(),
                    unknown(),
                ]
            });
            let rows: Vec<Vec<String>> = readable.chain(unreadable).collect();
            output.table(
                &[
                    "model",
                    "version",
                    "",
                    "architecture",
                    "MAE",
                    "skill",
                    "size",
                ],
                &rows,
                &[4, 5, 6],
            )?;
            for UnreadableModelInfo {
                model_id, reason, ..
            } in &unreadable_models
            {
                output.line(format_args!(
                    "{model_id} cannot be used: {reason}. Use a newer release, or delete it."
                ))?;
            }
            Ok(())
        }
        ModelsCommand::Show { model } => {
            let manifest = engine.model_manifest(model)?;
            if output.is_json() {
                return output.json(&manifest);
            }
            output.heading(model.as_str())?;
            let rows: Vec<Vec<String>> = manifest
                .facts()
                .into_iter()
                .map(|(name, value)| vec![name, value])
                .collect();
            output.table(&["", ""], &rows, &[])
        }
        ModelsCommand::Delete { model } => {
            engine.delete_model(model)?;
            if output.is_json() {
                return output.json(&serde_json::json!({"message": "deleted", "model_id": model}));
            }
            output.line(format_args!("Deleted {model}."))
        }
        ModelsCommand::Performance { model } => {
            let fared = engine.model_performance(model, global.now())?;
            if output.is_json() {
                return output.json(&fared);
            }
            let share = |value: Option<f64>| {
                value.map_or_else(|| "–".to_owned(), |value| format!("{:.0} %", value * 100.0))
            };
            output.heading(model.as_str())?;
            let rows: Vec<Vec<String>> = [
                ("days forecast", fared.predictions_made.to_string()),
                ("outcomes known", fared.outcomes_known.to_string()),
                (
                    "mean absolute error",
                    fared.avg_mae.map_or_else(
                        || "–".to_owned(),
                        |mae| vitalcast::with_unit(fared.metric, mae),
                    ),
                ),
                ("inside the interval", share(fared.coverage)),
                (
                    "expected",
                    fared
                        .nominal_coverage
                        .map_or_else(|| "–".to_owned(), vitalcast::level_in_words),
                ),
                (
                    "drift",
                    if fared.is_drifting { "yes" } else { "no" }.to_owned(),
                ),
                (
                    "retraining recommended",
                    if fared.should_retrain { "yes" } else { "no" }.to_owned(),
                ),
            ]
            .into_iter()
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect();
            output.table(&["", ""], &rows, &[1])
        }
        ModelsCommand::Rollback { user, metric } => {
            let info = engine.roll_back(user, *metric)?;
            if output.is_json() {
                return output.json(&info);
            }
            output.line(format_args!(
                "{} is now the active model of {metric}.",
                info.model_id
            ))
        }
        ModelsCommand::Activate { model } => {
            let info = engine.activate_model(model)?;
            if output.is_json() {
                return output.json(&info);
            }
            output.line(format_args!(
                "{model} is now the active model of {}.",
                info.metric
            ))
        }
        ModelsCommand::Export { model, to } => {
            engine.export_model(model, to)?;
            if output.is_json() {
                return output.json(&serde_json::json!({"model_id": model, "file": to}));
            }
            output.line(format_args!("Saved to {}.", to.display()))
        }
    }
}
