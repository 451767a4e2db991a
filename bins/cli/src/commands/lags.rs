//! `vitalcast lags`.

use crate::args::{Global, LagsArgs};
use crate::commands::correlate::{figures, last_day, typeset, write_page};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use vitalcast::charts::{Block, HtmlReport, Section};
use vitalcast::{LagRequest, LagResolution, LagResult, charts, lag_chart};

const COLUMNS: [&str; 7] = [
    "hours",
    "correlation",
    "95 % interval",
    "raw p",
    "p",
    "days",
    "effective",
];

const LEGEND: &str = "p: corrected for autocorrelation and for the number of lags; raw p: not \
    corrected; effective: effective number of independent days; *: significant.";

fn row(lag: &LagResult) -> Vec<String> {
    let interval = (lag.confidence_interval_lower, lag.confidence_interval_upper);
    let mut row = vec![lag.lag_hours.to_string()];
    row.extend(figures(
        lag.correlation,
        lag.is_significant,
        interval,
        lag.raw_p_value,
        lag.p_value,
    ));
    row.extend([
        lag.sample_size.to_string(),
        format!("{:.0}", lag.effective_sample_size),
    ]);
    row
}

pub(crate) fn run(args: &LagsArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let now = global.now();
    // A name that is not known here, and one without data, are told apart before anything is
    // computed.
    let last_day = last_day(&engine, &args.user, args.last_day, now)?;
    let request = LagRequest {
        max_lag_hours: args.max_lag_hours,
        lag_step_hours: args.lag_step_hours,
        lookback_days: args.days,
        method: args.method,
        resolution: if args.hours {
            LagResolution::Hour
        } else {
            LagResolution::Day
        },
        significance_threshold: args.significance,
        last_day: Some(last_day),
        ..LagRequest::new(args.user.clone(), args.metric, args.feature.clone())
    };
    let answer = engine.lag_analysis(&request, now)?;
    let chart = lag_chart(&answer);
    if let Some(path) = &args.chart {
        let Some(chart) = &chart else {
            return Err(UsageError(format!("nothing to draw: {}", answer.interpretation)).into());
        };
        let size = charts::PictureSize::default();
        draw_with(path, output, || chart.svg(size), || chart.png(size))?;
    }
    let heading = format!(
        "{}: lags of {} for {}",
        args.metric.title(),
        args.feature,
        args.user
    );
    let rows: Vec<Vec<String>> = answer.lag_results.iter().map(row).collect();
    if let Some(path) = &args.report {
        let span = format!("{} to {}", answer.first_day, answer.last_day);
        let mut section =
            Section::new(args.metric.title()).with(Block::Note(answer.interpretation.clone()));
        if let Some(chart) = &chart {
            section = section
                .with(Block::Lags(chart.clone()))
                .with(Block::Table(typeset(
                    "All tested lags".to_owned(),
                    &COLUMNS,
                    0,
                    rows.clone(),
                )))
                .with_paragraph(LEGEND);
        }
        write_page(path, &HtmlReport::new(&heading, span).with(section), output)?;
    }
    if output.is_json() {
        return output.json(&answer);
    }
    output.heading(&heading)?;
    if let Some(chart) = chart {
        output.line(chart.terminal(super::correlate::terminal_options())?)?;
        output.table(&COLUMNS, &rows, &[0, 1, 2, 3, 4, 5, 6])?;
    }
    output.line(answer.interpretation)
}
