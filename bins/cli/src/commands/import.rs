//! `vitalcast import`.

use crate::args::{Global, ImportArgs};
use crate::exit::NothingUsable;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use std::time::Duration;
use vitalcast::{DataCoverage, ImportSettings, ImportSummary, PredictionMetric, Zone};

pub(crate) fn run(args: &ImportArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let interrupt = Interrupt::install()?;
    let settings = ImportSettings {
        format: args.format.as_deref().map(str::parse).transpose()?,
        zone: args.zone,
        assumed_zone: zone_of_this_computer(),
        user: args.user.clone(),
        map: args.map.clone(),
        known_at: args.known_at.parse()?,
        rejects_file: args.rejects.clone(),
        dry_run: args.dry_run,
        mirror: args.mirror,
        without_coverage: false,
    };
    if args.watch {
        let every = Duration::from_secs(args.every);
        let now = || global.now();
        return super::watch::run(
            &engine,
            &args.paths,
            &settings,
            every,
            &now,
            &interrupt,
            output,
        );
    }
    let bar = progress::bytes(output, "Reading");
    let summary = engine.import(&args.paths, &settings, global.now(), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        interrupt.check()
    });
    bar.finish_and_clear();
    let summary = summary?;
    if output.is_json() {
        output.json(&summary)?;
    } else {
        print(&summary, output)?;
        if let Some(coverage) = &summary.coverage {
            output.line("")?;
            if summary.dry_run {
                super::coverage::table(coverage, output)?;
                output.line("")?;
            }
            super::coverage::outlook(coverage, output)?;
            what_next(coverage, &summary, output)?;
        }
        by_person(&summary, output)?;
    }
    if summary.is_unusable() {
        return Err(NothingUsable(args.paths.clone()).into());
    }
    Ok(())
}

/// The zone of a new person whose export does not say where they live: `TZ`, else that of the system.
fn zone_of_this_computer() -> Option<Zone> {
    let named = std::env::var("TZ").ok();
    let named = named.and_then(|name| name.trim_start_matches(':').parse().ok());
    named.or_else(|| iana_time_zone::get_timezone().ok()?.parse().ok())
}

/// Prints the result as a table.
pub(crate) fn print(summary: &ImportSummary, output: &mut Output) -> anyhow::Result<()> {
    let titles: Vec<&str> = summary.formats.iter().map(|found| found.title).collect();
    output.heading(&format!(
        "{} {} of {} ({})",
        summary.files,
        if summary.files == 1 { "file" } else { "files" },
        match summary.people.as_slice() {
            [one] => format!("person {one}"),
            many => format!("{} people", many.len()),
        },
        titles.join(", ")
    ))?;
    if let [_, _, ..] = summary.formats.as_slice() {
        let rows: Vec<Vec<String>> = summary
            .formats
            .iter()
            .map(|found| {
                vec![
                    found.title.to_owned(),
                    found.files.to_string(),
                    found.records.to_string(),
                ]
            })
            .collect();
        output.table(&["format", "files", "records"], &rows, &[1, 2])?;
    }
    let mut rows = vec![
        vec!["rows read".to_owned(), summary.rows_read.to_string()],
        vec!["records found".to_owned(), summary.records.to_string()],
        vec!["  new".to_owned(), summary.added.to_string()],
        vec![
            "  stored before".to_owned(),
            summary.already_there.to_string(),
        ],
        vec!["  corrections".to_owned(), summary.corrected.to_string()],
    ];
    for (name, count) in [
        ("  older than stored", summary.outdated),
        ("  deleted before", summary.deleted_before),
        ("deleted, not in the export any more", summary.deleted),
    ] {
        if count > 0 {
            rows.push(vec![name.to_owned(), count.to_string()]);
        }
    }
    for (reason, count) in &summary.skipped {
        rows.push(vec![
            format!("left out: {}", reason.replace('_', " ")),
            count.to_string(),
        ]);
    }
    let rejected: u64 = summary.rejected.values().sum();
    rows.push(vec!["rejected".to_owned(), rejected.to_string()]);
    for (reason, count) in &summary.rejected {
        rows.push(vec![
            format!("  {}", reason.replace('_', " ")),
            count.to_string(),
        ]);
    }
    output.table(&["", "count"], &rows, &[1])?;
    for found in &summary.not_read {
        let examples: Vec<String> = found
            .examples
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let more = found.files.saturating_sub(examples.len() as u64);
        output.note(format_args!(
            "not read: {}{} ({})",
            examples.join(", "),
            if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            },
            found.what
        ));
    }
    for note in &summary.notes {
        output.note(format_args!("note: {note}"));
    }
    if let Some(file) = &summary.rejects_file {
        output.note(format_args!(
            "Rejected rows, with line numbers and reasons: {}",
            file.display()
        ));
    }
    if summary.dry_run {
        output.line("Nothing was written: this was a dry run.")?;
    }
    Ok(())
}

/// Days with a value of what can be forecast, by person, and the next command.
fn by_person(summary: &ImportSummary, output: &mut Output) -> anyhow::Result<()> {
    let Some(first) = summary.days_by_person.first() else {
        return Ok(());
    };
    let metrics = first.forecasts.iter().map(|found| found.metric);
    let mut header = vec!["days with a value of"];
    header.extend(metrics.map(PredictionMetric::short_name));
    header.push("last");
    let rows: Vec<Vec<String>> = summary
        .days_by_person
        .iter()
        .map(|person| {
            let last = person.forecasts.iter().filter_map(|found| found.last).max();
            let mut row = vec![person.user_id.to_string()];
            row.extend(person.forecasts.iter().map(|found| found.days.to_string()));
            row.push(last.map_or_else(|| "–".to_owned(), |day| day.to_string()));
            row
        })
        .collect();
    let numbers: Vec<usize> = (1..=first.forecasts.len()).collect();
    output.line("")?;
    output.table(&header, &rows, &numbers)?;
    if summary.dry_run {
        return Ok(());
    }
    output.line(format_args!(
        "Next: vitalcast data coverage --user {}",
        first.user_id
    ))
}

/// The next command that makes sense.
fn what_next(
    coverage: &DataCoverage,
    summary: &ImportSummary,
    output: &mut Output,
) -> anyhow::Result<()> {
    if summary.dry_run {
        return Ok(());
    }
    let user = &coverage.user_id;
    let forecasts = coverage.forecasts.iter();
    let mut ready = forecasts.filter(|metric| metric.is_ready);
    let last = ready.clone().filter_map(|metric| metric.last).max();
    match last.and_then(|last| last.succ_opt()) {
        Some(_) if ready.any(|metric| metric.is_recent) => {
            output.line(format_args!("Next: vitalcast predict --user {user}"))
        }
        Some(day) => output.line(format_args!(
            "Next: vitalcast predict --user {user} --date {day}"
        )),
        None => output.line(format_args!("Next: vitalcast data coverage --user {user}")),
    }
}
