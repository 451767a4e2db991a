//! `vitalcast lags`.

use crate::args::{Global, LagsArgs};
use crate::commands::correlate::{last_day, p_value};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use vitalcast::{LagRequest, LagResolution, charts, lag_chart};

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
    if output.is_json() {
        return output.json(&answer);
    }
    output.heading(&format!(
        "{} after {} of {}",
        args.metric.title(),
        args.feature,
        args.user
    ))?;
    if let Some(chart) = chart {
        output.line(chart.terminal(super::correlate::terminal_options())?)?;
        let rows: Vec<Vec<String>> = answer
            .lag_results
            .iter()
            .map(|lag| {
                vec![
                    lag.lag_hours.to_string(),
                    format!("{:+.2}", lag.correlation),
                    p_value(lag.raw_p_value),
                    p_value(lag.p_value),
                    lag.sample_size.to_string(),
                    format!("{:.0}", lag.effective_sample_size),
                ]
            })
            .collect();
        output.table(
            &["hours", "correlation", "p alone", "p", "days", "worth"],
            &rows,
            &[0, 1, 2, 3, 4, 5],
        )?;
    }
    output.line(answer.interpretation)
}
