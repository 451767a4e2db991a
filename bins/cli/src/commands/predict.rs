//! `vitalcast predict`.

use crate::args::{Global, PredictArgs};
use crate::commands::history;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use chrono::NaiveDate;
use vitalcast::{
    BatchPredictResponse, Engine, HistoryView, PredictRequest, PredictResponse, PredictionMetric,
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
    if let Some(text) = of_last_forecast(&view, prediction.target_date) {
        output.line(text)?;
    }
    if let Some(recommendation) = &answer.recommendation {
        output.line(recommendation)?;
    }
    Ok(())
}

/// Whether the last forecast of a day before came true, and how many did; `None` if none can tell yet.
fn of_last_forecast(view: &HistoryView, before: NaiveDate) -> Option<String> {
    let past = view.days.iter().filter(|day| day.date < before);
    let told: Vec<_> = past
        .filter_map(|day| {
            let forecast = day.forecast.as_ref()?;
            Some((forecast, forecast.actual?, forecast.inside()?))
        })
        .collect();
    let (last, actual, is_inside) = told.last()?;
    let value = |value| with_unit(view.metric, value);
    let (held, place) = if *is_inside {
        ("held", "inside")
    } else {
        ("did not hold", "outside")
    };
    let mut text = format!(
        "The last forecast, {} for {}, {held}: {} was measured, {place} its {} interval of {} to {}.",
        value(last.value),
        last.target_date,
        value(*actual),
        level_in_words(last.level),
        value(last.lower),
        value(last.upper),
    );
    if told.len() > 1 {
        let inside = told.iter().filter(|(_, _, is_inside)| *is_inside);
        let (inside, all) = (inside.count(), told.len());
        text.push_str(&format!(" Of the last {all} forecasts, {inside} held."));
    }
    Some(text)
}

fn failures(response: &BatchPredictResponse, output: &mut Output) -> anyhow::Result<()> {
    for (metric, reason) in &response.failure_reasons {
        output.line(format_args!("{}: no forecast: {reason}", metric.title()))?;
    }
    Ok(())
}
