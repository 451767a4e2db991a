//! `vitalcast experiment`.

use crate::args::{
    ExperimentArgs, ExperimentCommand, ExperimentIdArgs, ExperimentPlanArgs, ExperimentRecordArgs,
    ExperimentShowArgs, Global,
};
use crate::commands::correlate::{terminal_options, write_page};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use chrono::{DateTime, Utc};
use serde::Serialize;
use vitalcast::charts::PictureSize;
use vitalcast::{
    Engine, ExperimentAnalysis, ExperimentDay, ExperimentDifference, ExperimentPreview,
    ExperimentRequest, ExperimentSummary, ExperimentView, UnreadableExperimentInfo, UserId,
    experiment_chart, experiment_report, with_unit,
};

pub(crate) fn run(
    args: &ExperimentArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let now = global.now();
    match &args.command {
        ExperimentCommand::Plan(args) => plan(args, &engine, now, output),
        ExperimentCommand::List(args) => list(&args.user, &engine, now, output),
        ExperimentCommand::Show(args) => show(args, &engine, now, output),
        ExperimentCommand::Today(args) => today(&args.user, &engine, now, output),
        ExperimentCommand::Record(args) => record(args, &engine, now, output),
        ExperimentCommand::Analyse(args) => analyse(args, &engine, now, output),
        ExperimentCommand::Stop(args) => {
            let view = engine.stop_experiment(&args.user, &args.experiment, now)?;
            if output.is_json() {
                return output.json(&view);
            }
            output.line(format_args!("Stopped {}.", args.experiment))?;
            output.line(&view.analysis.summary)
        }
        ExperimentCommand::Delete(args) => {
            engine.delete_experiment(&args.user, &args.experiment)?;
            if output.is_json() {
                let deleted = serde_json::json!({
                    "experiment_id": args.experiment, "user_id": args.user, "deleted": true,
                });
                return output.json(&deleted);
            }
            output.line(format_args!(
                "Deleted {}. The records of {} are as they were.",
                args.experiment, args.user
            ))
        }
    }
}

fn plan(
    args: &ExperimentPlanArgs,
    engine: &Engine,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let question = args.question.clone().unwrap_or_else(|| {
        format!(
            "{}: {} or {}?",
            args.metric.title(),
            args.a.trim(),
            args.b.trim()
        )
    });
    let request = ExperimentRequest {
        measure: args.measure,
        smallest_effect: args.effect,
        power: args.power,
        block_days: args.block_days,
        washout_days: args.washout.unwrap_or(usize::from(args.block_days > 1)),
        pairs: args.pairs,
        start: args.start,
        outcome_lag_days: args.outcome_lag,
        stop_rule: args.stop_rule,
        seed: args.seed.map(u64::from),
        allow_overlap: args.allow_overlap,
        ..ExperimentRequest::new(&question, args.metric, &args.a, &args.b)
    };
    let preview = engine.plan_experiment(&args.user, &request, args.dry_run, now)?;
    if output.is_json() {
        return output.json(&preview);
    }
    print_plan(&preview, output)
}

fn print_plan(preview: &ExperimentPreview, output: &mut Output) -> anyhow::Result<()> {
    let experiment = &preview.experiment;
    let plan = &experiment.plan;
    output.heading(&plan.question)?;
    output.line(format_args!("A: {}", plan.condition_a))?;
    output.line(format_args!("B: {}", plan.condition_b))?;
    if let Some(measure) = plan.measure {
        output.line(format_args!(
            "A day counts as A by the records: {}",
            measure.words()
        ))?;
    }
    output.line("")?;
    output.line(&preview.summary)?;
    output.line("")?;
    let rows: Vec<Vec<String>> = preview
        .options
        .iter()
        .map(|option| {
            vec![
                option.pairs.to_string(),
                option.days.to_string(),
                option
                    .detectable_effect
                    .map_or_else(|| "–".to_owned(), |effect| with_unit(plan.metric, effect)),
            ]
        })
        .collect();
    output.table(
        &["pairs", "days", "smallest difference found"],
        &rows,
        &[0, 1, 2],
    )?;
    if preview.is_stored {
        let (id, user) = (&experiment.experiment_id, &experiment.user_id);
        output.line(format_args!("Planned as {id}."))?;
        output.note(format_args!(
            "See what is due with: vitalcast experiment today --user {user}"
        ));
    } else {
        output.note("Nothing was stored (--dry-run).");
    }
    Ok(())
}

/// An entry of the list.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed<'a> {
    Experiment(&'a ExperimentSummary),
    Unreadable(&'a UnreadableExperimentInfo),
}

fn list(
    user: &UserId,
    engine: &Engine,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let list = engine.experiments(user, now)?;
    let all = list.experiments;
    if output.is_json() {
        return output.json(
            &(all.iter().map(Listed::Experiment))
                .chain(list.unreadable_experiments.iter().map(Listed::Unreadable))
                .collect::<Vec<_>>(),
        );
    }
    if all.is_empty() && list.unreadable_experiments.is_empty() {
        output.note("There are no experiments yet. Plan one with: vitalcast experiment plan");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            vec![
                one.experiment_id.to_string(),
                one.state.to_string(),
                if one.last_day < one.first_day {
                    "none".to_owned()
                } else {
                    format!("{} to {}", one.first_day, one.last_day)
                },
                one.question.clone(),
                one.today.clone().unwrap_or_else(|| "–".to_owned()),
            ]
        })
        .collect();
    output.table(
        &["experiment", "state", "days", "question", "due today"],
        &rows,
        &[],
    )?;
    for UnreadableExperimentInfo {
        experiment_id,
        reason,
    } in &list.unreadable_experiments
    {
        output.line(format_args!(
            "{experiment_id} cannot be shown: {reason}. Use a newer release, or delete it."
        ))?;
    }
    Ok(())
}

fn today(
    user: &UserId,
    engine: &Engine,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let due = engine.due_today(user, now)?;
    if output.is_json() {
        let due: Vec<_> = due
            .iter()
            .map(|(experiment, day)| {
                serde_json::json!({"experiment_id": experiment.experiment_id, "today": day})
            })
            .collect();
        return output.json(&due);
    }
    if due.is_empty() {
        return output.line("Nothing is due today.");
    }
    for (experiment, day) in &due {
        output.heading(&format!("{}: {}", day.day, day.label))?;
        output.line(&experiment.plan.question)?;
        output.line(format_args!(
            "Pair {} of {}{}.",
            day.pair,
            experiment.plan.pairs(),
            if day.is_washout {
                "; the block has just begun, so this day is not counted"
            } else {
                ""
            }
        ))?;
        match day.said {
            Some(followed) => output.line(format_args!("Recorded: {}.", yes_or_no(followed)))?,
            None => output.note(format_args!(
                "In the evening: vitalcast experiment record {} --user {user} --followed yes",
                experiment.experiment_id
            )),
        }
    }
    Ok(())
}

fn record(
    args: &ExperimentRecordArgs,
    engine: &Engine,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let user = &args.of.user;
    let day = match args.date {
        Some(day) => day,
        None => engine.profile(user)?.day_of(now),
    };
    let followed = args.followed == "yes";
    let note = args.note.clone();
    let view = engine.record_adherence(user, &args.of.experiment, day, followed, note, now)?;
    let recorded = view.days.iter().find(|one| one.day == day);
    if output.is_json() {
        return output.json(&recorded);
    }
    let label = recorded.map_or("", |one| one.label.as_str());
    output.line(format_args!("{day}, {label}: {}.", yes_or_no(followed)))
}

fn show(
    args: &ExperimentShowArgs,
    engine: &Engine,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let view = engine.experiment(&args.of.user, &args.of.experiment, now)?;
    if let Some(path) = &args.chart {
        let Some(chart) = experiment_chart(&view) else {
            bail!(UsageError(
                "nothing to draw: the experiment was stopped before its first day was over"
                    .to_owned()
            ));
        };
        let size = PictureSize::default();
        draw_with(path, output, || chart.svg(size), || chart.png(size))?;
    }
    if let Some(path) = &args.report {
        write_page(path, &experiment_report(&view), output)?;
    }
    if output.is_json() {
        return output.json(&view);
    }
    print_view(&view, output)
}

fn print_view(view: &ExperimentView, output: &mut Output) -> anyhow::Result<()> {
    let experiment = &view.experiment;
    // The chart has the question as its title.
    output.heading(&format!(
        "Experiment {}, {}",
        experiment.experiment_id, view.state
    ))?;
    // One that was stopped before its first day has nothing to draw.
    match experiment_chart(view) {
        Some(chart) => output.line(chart.terminal(terminal_options())?)?,
        None => output.line(&experiment.plan.question)?,
    }
    let rows: Vec<Vec<String>> = view.days.iter().map(|day| row(view, day)).collect();
    output.table(
        &["day", "pair", "due", "counted", "done", "value", "remark"],
        &rows,
        &[1, 5],
    )?;
    print_analysis(&view.analysis, output)
}

fn row(view: &ExperimentView, day: &ExperimentDay) -> Vec<String> {
    let metric = view.experiment.plan.metric;
    let dash = || "–".to_owned();
    vec![
        day.day.to_string(),
        day.pair.to_string(),
        day.label.clone(),
        yes_or_no(!day.is_washout).to_owned(),
        match (day.followed(), day.said) {
            (Some(followed), None) => format!("{} (records)", yes_or_no(followed)),
            (Some(followed), Some(_)) => yes_or_no(followed).to_owned(),
            (None, _) => dash(),
        },
        day.value
            .map_or_else(dash, |value| with_unit(metric, value)),
        day.note.clone().unwrap_or_default(),
    ]
}

fn analyse(
    args: &ExperimentIdArgs,
    engine: &Engine,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let analysis = engine.analyse_experiment(&args.user, &args.experiment, now)?;
    if output.is_json() {
        return output.json(&analysis);
    }
    print_analysis(&analysis, output)
}

fn print_analysis(analysis: &ExperimentAnalysis, output: &mut Output) -> anyhow::Result<()> {
    let metric = analysis.metric;
    let dash = || "–".to_owned();
    let rows: Vec<Vec<String>> = analysis
        .conditions
        .iter()
        .map(|one| {
            vec![
                one.label.clone(),
                one.mean.map_or_else(dash, |mean| with_unit(metric, mean)),
                one.days.to_string(),
                one.followed_days.to_string(),
                one.not_followed_days.to_string(),
            ]
        })
        .collect();
    output.table(
        &[
            "condition",
            "mean",
            "days counted",
            "followed",
            "not followed",
        ],
        &rows,
        &[1, 2, 3, 4],
    )?;
    let row = |of: &ExperimentDifference| {
        let ends = |(lower, upper)| format!("{lower:+.2} to {upper:+.2}");
        vec![
            of.name.to_owned(),
            format!("{:+.2}", of.effect),
            of.interval.map_or_else(dash, ends),
            of.p_value.map_or_else(dash, |value| format!("{value:.3}")),
        ]
    };
    let rows: Vec<Vec<String>> = analysis.differences().iter().map(row).collect();
    if !rows.is_empty() {
        let difference = format!("A less B, {}", analysis.unit);
        output.table(
            &[&difference, "difference", "95 % interval", "p"],
            &rows,
            &[1, 2, 3],
        )?;
    }
    output.line(&analysis.summary)?;
    if !rows.is_empty() {
        output.line(&analysis.note)?;
    }
    if let Some(treated) = &analysis.as_treated {
        output.note(format_args!("By what was done: {}", treated.note));
    }
    Ok(())
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
