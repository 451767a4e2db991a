//! `vitalcast predict`.

use crate::args::{Global, PredictArgs};
use crate::commands::history;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use vitalcast::{
    BatchPredictResponse, Engine, PredictRequest, PredictResponse, PredictionMetric,
    baseline_words, level_in_words, with_unit,
};

/// Days of history drawn before the forecast.
const DRAWN_DAYS: usize = 45;

pub(crate) fn run(args: &PredictArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let now = global.now();
    let metrics = if args.metric.is_empty() {
        engine.forecast_metrics(&args.user)?
    } else {
        args.metric.clone()
    };
    if args.chart.is_some() && metrics.len() > 1 {
        bail!(UsageError(
            "--chart needs exactly one metric: name it with --metric".to_owned()
        ));
    }
    let requests = requests(args, &engine, &metrics, now)?;
    if let [request] = requests.as_slice() {
        let answer = engine.predict(request, now)?;
        if let Some(path) = &args.chart {
            let view = engine.history(
                &args.user,
                request.metric,
                Some(request.target_date),
                DRAWN_DAYS,
                None,
                now,
            )?;
            history::draw(&view.chart(Some(&answer.prediction)), path, output)?;
        }
        return if output.is_json() {
            output.json(&answer)
        } else {
            print(&answer, &engine, now, output)
        };
    }
    let batch = engine.predict_batch(&requests, now)?;
    if output.is_json() {
        return output.json(&batch.response());
    }
    for answer in &batch.answers {
        print(answer, &engine, now, output)?;
        output.line("")?;
    }
    failures(&batch.response(), output)
}

fn requests(
    args: &PredictArgs,
    engine: &Engine,
    metrics: &[PredictionMetric],
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Vec<PredictRequest>> {
    let target_date = match args.date {
        Some(date) => date,
        None => engine.next_day(&args.user, now)?,
    };
    let method = args.interval_method.parse()?;
    metrics
        .iter()
        .map(|&metric| {
            let request = PredictRequest {
                model_version: args.model_version.clone(),
                architecture: args.architecture,
                interval_level: args.interval_level,
                interval_method: method,
                ..PredictRequest::new(args.user.clone(), metric, target_date)
            };
            request
                .validate()
                .map_err(|error| UsageError(error.to_string()))?;
            Ok(request)
        })
        .collect()
}

/// Prints the forecast as text.
pub(crate) fn print(
    answer: &PredictResponse,
    engine: &Engine,
    now: chrono::DateTime<chrono::Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let prediction = &answer.prediction;
    let metric = prediction.metric;
    output.heading(&format!(
        "{} on {}: {}",
        metric.title(),
        prediction.target_date,
        with_unit(metric, prediction.predicted_value)
    ))?;
    output.line(format_args!(
        "{} interval {} to {}",
        level_in_words(prediction.interval_level),
        with_unit(metric, prediction.confidence_interval_lower),
        with_unit(metric, prediction.confidence_interval_upper)
    ))?;
    if let (Some(name), Some(value)) = (&prediction.baseline_name, prediction.baseline_value) {
        output.line(format_args!(
            "{}: {}",
            baseline_words(name),
            with_unit(metric, value)
        ))?;
    }
    output.line(format_args!(
        "{:.0} % of the inputs are available; data as known on {}",
        answer.data_quality_score * 100.0,
        prediction.as_of.format("%Y-%m-%d %H:%M UTC")
    ))?;
    let view = engine.history(
        &answer.user_id,
        metric,
        Some(prediction.target_date),
        DRAWN_DAYS,
        None,
        now,
    )?;
    history::show(&view.chart(Some(prediction)), output)?;
    output.line(&answer.interpretation)?;
    if let Some(recommendation) = &answer.recommendation {
        output.line(recommendation)?;
    }
    Ok(())
}

fn failures(response: &BatchPredictResponse, output: &mut Output) -> anyhow::Result<()> {
    for (metric, reason) in &response.failure_reasons {
        output.line(format_args!("{}: no forecast: {reason}", metric.title()))?;
    }
    Ok(())
}
