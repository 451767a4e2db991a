//! `vitalcast import`.

use crate::args::{Global, ImportArgs};
use crate::exit::NothingUsable;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use vitalcast::{ImportSettings, ImportSummary};

pub(crate) fn run(args: &ImportArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let interrupt = Interrupt::install()?;
    let settings = ImportSettings {
        format: args.format.as_deref().map(str::parse).transpose()?,
        zone: args.zone,
        user: args.user.clone(),
        known_at: args.known_at.parse()?,
        rejects_file: args.rejects.clone(),
        mirror: args.mirror,
    };
    let bar = progress::bytes(output, "Reading");
    let summary = engine.import(&args.path, &settings, global.now(), &mut |done, total| {
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
    }
    if summary.is_unusable() {
        return Err(NothingUsable(args.path.clone()).into());
    }
    Ok(())
}

/// Prints the result as a table.
pub(crate) fn print(summary: &ImportSummary, output: &mut Output) -> anyhow::Result<()> {
    output.heading(&format!(
        "{} {} of {} ({})",
        summary.files,
        if summary.files == 1 { "file" } else { "files" },
        match summary.people.as_slice() {
            [one] => format!("person {one}"),
            many => format!("{} people", many.len()),
        },
        summary.format
    ))?;
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
    for note in &summary.notes {
        output.note(format_args!("note: {note}"));
    }
    if let Some(file) = &summary.rejects_file {
        output.note(format_args!(
            "Rejected rows, with line numbers and reasons: {}",
            file.display()
        ));
    }
    Ok(())
}
