//! `vitalcast features`.

use crate::args::{FeaturesArgs, Global};
use crate::output::Output;
use anyhow::Context;
use vitalcast::FeatureQuery;

pub(crate) fn run(args: &FeaturesArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    if let Some(path) = &args.output {
        return super::cohort::run(args, path, global, output);
    }
    let user = args.user.clone().context("the parser requires a person")?;
    let engine = global.engine()?;
    let query = FeatureQuery {
        user,
        last_day: args.date,
        days: args.days as usize,
        as_of: args.as_of,
        as_known_each_evening: args.as_known_each_evening,
        inputs_only: args.inputs,
    };
    let matrix = engine.features(&query, global.now())?;
    if let Some(path) = &args.csv {
        if path.as_os_str() == "-" {
            return output.bytes(matrix.to_csv().as_bytes());
        }
        std::fs::write(path, matrix.to_csv())
            .with_context(|| format!("writing {}", path.display()))?;
        output.note(format_args!("Saved to {}.", path.display()));
        return Ok(());
    }
    // What the features are made of, as known at the same moment.
    let sources = if args.explain {
        let as_of = Some(matrix.as_of());
        Some(engine.day(matrix.user(), matrix.last_day(), as_of, global.now())?)
    } else {
        None
    };
    if output.is_json() {
        if let Some(sources) = &sources {
            let features = matrix.day_answer(matrix.last_day());
            return output.json(&serde_json::json!({"features": features, "sources": sources}));
        }
        return if args.days == 1 {
            output.json(&matrix.day_answer(matrix.last_day()))
        } else {
            output.json(&matrix)
        };
    }
    if args.days > 1 {
        return output.bytes(matrix.to_csv().as_bytes());
    }
    let known = if matrix.as_known_each_evening() {
        "on that evening".to_owned()
    } else {
        format!("at {}", matrix.as_of().format("%H:%M UTC on %Y-%m-%d"))
    };
    output.heading(&format!(
        "{} on {}, as known {known}",
        matrix.user(),
        matrix.last_day()
    ))?;
    let rows: Vec<Vec<String>> = matrix
        .last_row()
        .map(|(feature, value)| {
            vec![
                feature.name.to_owned(),
                value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}")),
                feature.unit.to_owned(),
                if feature.model_input { "yes" } else { "" }.to_owned(),
                feature.meaning.to_owned(),
            ]
        })
        .collect();
    output.table(
        &["feature", "value", "unit", "input", "meaning"],
        &rows,
        &[1],
    )?;
    match sources {
        Some(sources) => super::data::show(&sources, output),
        None => Ok(()),
    }
}
