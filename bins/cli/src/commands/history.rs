//! `vitalcast history`, and the drawing every command shares.

use crate::args::{Global, HistoryArgs};
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::Context;
use std::path::Path;
use vitalcast::{charts, with_unit};

pub(crate) fn run(args: &HistoryArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let view = engine.history(
        &args.user,
        args.metric,
        None,
        args.days as usize,
        args.as_of,
        global.now(),
    )?;
    if let Some(path) = &args.chart {
        draw(&view.chart(None), path, output)?;
    }
    if output.is_json() {
        return output.json(&view);
    }
    let known = args.as_of.map_or_else(String::new, |_| {
        format!(
            ", as known at {}",
            view.as_of.format("%H:%M UTC on %Y-%m-%d")
        )
    });
    output.heading(&format!("{} of {}{known}", args.metric.title(), args.user))?;
    show(&view.chart(None), output)?;
    let rows: Vec<Vec<String>> = view
        .forecasts()
        .map(|forecast| {
            let show = |value: Option<f64>| {
                value.map_or_else(|| "–".to_owned(), |value| with_unit(args.metric, value))
            };
            vec![
                forecast.target_date.to_string(),
                show(Some(forecast.value)),
                format!(
                    "{} to {}",
                    show(Some(forecast.lower)),
                    show(Some(forecast.upper))
                ),
                show(forecast.actual),
                forecast
                    .inside()
                    .map_or("–", |inside| if inside { "yes" } else { "no" })
                    .to_owned(),
                forecast.model_id.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.note(
            "There are no forecasts for these days yet. Make one with: vitalcast predict --user ID",
        );
        return Ok(());
    }
    output.table(
        &["day", "forecast", "interval", "measured", "inside", "model"],
        &rows,
        &[1, 2, 3],
    )?;
    if let Some(summary) = view.summary() {
        output.line(summary)?;
    }
    Ok(())
}

/// Draws in the terminal.
pub(crate) fn show(chart: &charts::HistoryChart, output: &mut Output) -> anyhow::Result<()> {
    let options = charts::TerminalOptions {
        width: crate::output::width(),
        colour: crate::output::stdout_wants_colour(),
        ..charts::TerminalOptions::default()
    };
    // A person without a single reading has nothing to draw; the words say so.
    if let Ok(text) = chart.terminal(options) {
        output.line(text)?;
    }
    Ok(())
}

/// Draws into a file whose ending says how.
pub(crate) fn draw(
    chart: &charts::HistoryChart,
    path: &Path,
    output: &mut Output,
) -> anyhow::Result<()> {
    let size = charts::PictureSize::default();
    draw_with(path, output, || chart.svg(size), || chart.png(size))
}

/// The same for any picture.
pub(crate) fn draw_with(
    path: &Path,
    output: &mut Output,
    svg: impl FnOnce() -> Result<String, charts::ChartError>,
    png: impl FnOnce() -> Result<Vec<u8>, charts::ChartError>,
) -> anyhow::Result<()> {
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => svg()?.into_bytes(),
        Some("png") => png()?,
        _ => {
            return Err(UsageError(format!(
                "cannot draw {}: the name must end in .svg or .png",
                path.display()
            ))
            .into());
        }
    };
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    output.note(format_args!("Chart saved to {}.", path.display()));
    Ok(())
}
