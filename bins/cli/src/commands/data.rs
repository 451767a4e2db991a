//! `vitalcast data`: a person's days and records.

use crate::args::{
    DataArgs, DataCommand, DataDayArgs, DataDeleteArgs, DataListArgs, DataRestoreArgs, Global,
    RecordArgs,
};
use crate::output::Output;
use chrono::NaiveDate;
use std::ops::RangeInclusive;
use vitalcast::{
    DayOfPerson, Deletion, Engine, EngineError, Record, RecordFilter, RecordKind,
    SHORTEST_NIGHT_HOURS, SleepOfDay, all_days, record_json,
};

pub(crate) fn run(args: &DataArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    match &args.command {
        DataCommand::List(args) => list(args, global, output),
        DataCommand::Day(args) => day(args, global, output),
        DataCommand::Delete(args) => delete(args, global, output),
        DataCommand::Restore(args) => restore(args, global, output),
        DataCommand::Coverage(args) => super::coverage::run(args, global, output),
    }
}

/// One filter for each kind of record.
fn filters(args: &RecordArgs, days: &RangeInclusive<NaiveDate>) -> Vec<RecordFilter> {
    RecordKind::ALL
        .iter()
        .filter(|kind| args.kind.is_none_or(|wanted| wanted == **kind))
        // Only readings have a metric.
        .filter(|kind| args.metric.is_none() || **kind == RecordKind::HealthMetric)
        .map(|kind| RecordFilter {
            source: args.source.clone(),
            source_id: args.id.clone(),
            metric: args.metric,
            ..RecordFilter::all(*kind, days.clone())
        })
        .collect()
}

fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> RangeInclusive<NaiveDate> {
    let all = all_days();
    from.unwrap_or(*all.start())..=to.unwrap_or(*all.end())
}

/// An unknown person is an error, not an empty answer.
fn opened(args: &RecordArgs, global: &Global) -> anyhow::Result<Engine> {
    let engine = global.engine()?;
    engine.profile(&args.user)?;
    Ok(engine)
}

fn list(args: &DataListArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = opened(&args.records, global)?;
    let mut records = Vec::new();
    let mut is_cut = false;
    for filter in filters(&args.records, &days(args.from, args.to)) {
        let filter = RecordFilter {
            deleted: args.deleted,
            ..filter
        };
        let (found, next) = engine.records(&args.records.user, &filter, None, args.limit)?;
        is_cut |= next.is_some();
        records.extend(found);
    }
    records.sort_by_key(|record| (record.provenance().day, record.provenance().observed_at));
    if is_cut {
        output.note(format_args!(
            "note: a kind has more records than {}; see --limit, --from and --to",
            args.limit
        ));
    }
    if output.is_json() {
        let records: Vec<_> = records.iter().map(record_json).collect();
        return output.json(&records);
    }
    if records.is_empty() {
        output.note("There are no such records.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = records.iter().map(row).collect();
    output.table(
        &["day", "time", "what", "value", "source", "id"],
        &rows,
        &[3],
    )
}

fn row(record: &Record) -> Vec<String> {
    let provenance = record.provenance();
    let time = if provenance.told.at.has_time() {
        provenance.local_time().format("%H:%M").to_string()
    } else {
        "–".to_owned()
    };
    let amount = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0} {unit}"))
    };
    let (what, value) = match record {
        Record::Meal(meal) => (
            meal.name.clone().unwrap_or_else(|| "meal".to_owned()),
            amount(meal.energy_kcal, "kcal"),
        ),
        Record::Activity(activity) => (
            activity.activity_type.to_string(),
            amount(activity.duration_minutes, "min"),
        ),
        Record::HealthMetric(reading) => {
            let unit = reading.metric.unit().symbol();
            let value = format!("{} {unit}", rounded(reading.value));
            (reading.metric.to_string(), value.trim_end().to_owned())
        }
        Record::Tag(tag) => (tag.name.clone(), answer(tag.applies, tag.note.as_deref())),
    };
    vec![
        provenance.day.to_string(),
        time,
        what,
        value,
        provenance.source.clone(),
        provenance.source_id.clone(),
    ]
}

/// The answer of a journal with what was written beside it.
fn answer(applies: bool, note: Option<&str>) -> String {
    let answer = if applies { "yes" } else { "no" };
    let words = note.map(|note| note.split_whitespace().collect::<Vec<_>>().join(" "));
    words.map_or_else(|| answer.to_owned(), |note| format!("{answer}, {note}"))
}

/// Two decimals at most.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn day(args: &DataDayArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let user = &args.user;
    let last = || -> Result<Option<NaiveDate>, EngineError> {
        engine.profile(user)?;
        Ok(engine.user(user)?.and_then(|summary| summary.last_day))
    };
    let date = match args.date {
        Some(date) => date,
        None => match last()? {
            Some(date) => date,
            None => {
                output.note("There is no data of this person yet.");
                return Ok(());
            }
        },
    };
    let day = engine.day(user, date, args.as_of, global.now())?;
    if output.is_json() {
        return output.json(&day);
    }
    show(&day, output)
}

/// Prints a day: the values with their sources, nights and naps.
pub(crate) fn show(day: &DayOfPerson, output: &mut Output) -> anyhow::Result<()> {
    output.heading(&format!(
        "{} on {} ({}), with data known at {}",
        day.user_id,
        day.day,
        day.zone,
        day.as_of.format("%Y-%m-%d %H:%M UTC")
    ))?;
    if day.values.is_empty() && day.meals == 0 && day.activities == 0 && day.tags.is_empty() {
        output.note("There is no data of this day.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = day
        .values
        .iter()
        .map(|value| {
            let others = value
                .by_source
                .iter()
                .filter(|other| Some(&other.source) != value.source.as_ref())
                .map(|other| format!("{}: {}", other.source, rounded(other.value)));
            vec![
                value.metric_type.to_string(),
                value.value.map_or_else(|| "–".to_owned(), rounded),
                if value.is_unusual { "unusual" } else { "" }.to_owned(),
                value.unit.to_owned(),
                value.source.clone().unwrap_or_else(|| "–".to_owned()),
                others.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output.table(
            &["metric", "value", "", "unit", "source", "other sources"],
            &rows,
            &[1],
        )?;
    }
    for sleep in &day.sleeps {
        output.line(sentence(sleep))?;
    }
    output.line(format_args!(
        "Meals: {}. Workouts and walks: {}.",
        day.meals, day.activities
    ))?;
    let mut noted: Vec<String> = Vec::new();
    for tag in &day.tags {
        let answer = answer(tag.applies, tag.note.as_deref());
        let line = format!("Tag: {}: {answer} ({}).", tag.name, tag.source);
        if !noted.contains(&line) {
            noted.push(line);
        }
    }
    for line in noted {
        output.line(line)?;
    }
    if day.recorded_twice > 0 {
        output.line(format_args!(
            "Recorded by two sources and counted once: {}.",
            day.recorded_twice
        ))?;
    }
    if day.is_not_worn {
        output.line("Nothing but zeros was measured: they do not count.")?;
    }
    if !day.is_over {
        output.line("The day is not over: its amounts still grow.")?;
    }
    Ok(())
}

fn sentence(sleep: &SleepOfDay) -> String {
    let clock = |local: chrono::NaiveDateTime| local.format("%H:%M").to_string();
    format!(
        "{} from {} to {}, {} h asleep ({}){}",
        if sleep.is_nap { "Nap" } else { "Night" },
        clock(sleep.local_start),
        clock(sleep.local_end),
        rounded(sleep.hours),
        sleep.source,
        if sleep.is_incomplete {
            format!(": less than {SHORTEST_NIGHT_HOURS} h, so it does not count")
        } else {
            String::new()
        }
    )
}

fn delete(args: &DataDeleteArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = opened(&args.records, global)?;
    let deletion = if args.permanently {
        Deletion::Permanent
    } else {
        Deletion::Restorable { at: global.now() }
    };
    let mut deleted = 0;
    for filter in filters(&args.records, &(args.from..=args.to.unwrap_or(args.from))) {
        deleted += engine.delete_records(&args.records.user, &filter, deletion)?;
    }
    if output.is_json() {
        return output.json(&serde_json::json!({"deleted": deleted}));
    }
    output.line(format_args!("Deleted: {deleted}."))?;
    if deleted > 0 && !args.permanently {
        output.note("To restore: vitalcast data restore, with the same options.");
    }
    Ok(())
}

fn restore(args: &DataRestoreArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = opened(&args.records, global)?;
    let mut restored = 0;
    for filter in filters(&args.records, &days(args.from, args.to)) {
        restored += engine.restore_records(&args.records.user, &filter)?;
    }
    if output.is_json() {
        return output.json(&serde_json::json!({"restored": restored}));
    }
    output.line(format_args!("Restored: {restored}."))
}
