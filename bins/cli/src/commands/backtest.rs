//! `vitalcast backtest`.

use crate::args::{BacktestArgs, Global};
use crate::commands::history;
use crate::exit::UsageError;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use anyhow::bail;
use vitalcast::{BacktestAnswer, BacktestRequest, level_in_words};

pub(crate) fn run(args: &BacktestArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let now = global.now();
    let users = if args.all {
        engine
            .users()?
            .into_iter()
            .map(|user| user.user_id)
            .collect()
    } else {
        args.user.clone()
    };
    if args.chart.is_some() && users.len() * args.metric.len() != 1 {
        bail!(UsageError(
            "--chart needs one person and one metric".to_owned()
        ));
    }
    let interrupt = Interrupt::install()?;
    let bar = progress::steps(output, "");
    bar.set_prefix("Replaying ");
    bar.set_length((users.len() * args.metric.len()) as u64);
    let mut answers = Vec::new();
    let mut left_out = Vec::new();
    for user in &users {
        for &metric in &args.metric {
            bar.set_message(format!("{user} {metric}"));
            let request = BacktestRequest {
                training: args.settings.request(user, metric, true),
                days: args.days as usize,
                refit_every: args.refit_every as usize,
                interval_level: args.interval_level,
            };
            match engine.backtest(&request, now, &mut |_| interrupt.check()) {
                Ok(answer) => answers.push(answer),
                Err(error) if args.all && error.is_too_little_data() => {
                    left_out.push((user.clone(), metric, error.to_string()));
                }
                Err(error) => {
                    bar.finish_and_clear();
                    return Err(error.into());
                }
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if let (Some(path), [answer]) = (&args.chart, answers.as_slice()) {
        history::draw(&answer.chart(), path, output)?;
    }
    if output.is_json() {
        return match answers.as_slice() {
            [one] if !args.all => output.json(one),
            many => output.json(&many),
        };
    }
    print(&answers, output)?;
    if !left_out.is_empty() {
        output.note(format_args!(
            "Left out because of too little data: {}",
            left_out.len()
        ));
        for (user, metric, reason) in left_out {
            output.note(format_args!("  {user} {metric}: {reason}"));
        }
    }
    Ok(())
}

/// A table of people and metrics; for a single one also its chart.
pub(crate) fn print(answers: &[BacktestAnswer], output: &mut Output) -> anyhow::Result<()> {
    if let [answer] = answers {
        history::show(&answer.chart(), output)?;
    }
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let percent = |value: Option<f64>| {
        value.map_or_else(
            || "–".to_owned(),
            |value| format!("{:+.1} %", value * 100.0),
        )
    };
    let rows: Vec<Vec<String>> = answers
        .iter()
        .map(|answer| {
            vec![
                answer.user_id.to_string(),
                answer.metric.to_string(),
                answer.days.to_string(),
                number(answer.mae),
                number(answer.naive_mae),
                answer
                    .baseline_name
                    .clone()
                    .unwrap_or_else(|| "–".to_owned()),
                number(answer.baseline_mae),
                match answer.baseline_mae {
                    Some(_) if answer.skill_vs_naive.is_none() => "none".to_owned(),
                    _ => percent(answer.skill_vs_naive),
                },
                answer
                    .coverage
                    .map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0)),
                answer
                    .nominal_coverage
                    .map_or_else(|| "–".to_owned(), level_in_words),
            ]
        })
        .collect();
    output.table(
        &[
            "user",
            "metric",
            "days",
            "MAE",
            "naive",
            "best simple",
            "baseline MAE",
            "skill",
            "coverage",
            "nominal",
        ],
        &rows,
        &[2, 3, 4, 6, 7, 8, 9],
    )?;
    output.line(
        "skill = 1 − MAE / MAE of the best simple baseline (chosen on earlier days). A negative \
         skill means that the baseline was better; \"none\" means that the baseline made no error.",
    )
}
