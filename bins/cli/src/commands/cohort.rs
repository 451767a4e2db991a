//! `vitalcast features --all`: the table of all people.

use crate::args::{FeaturesArgs, Global};
use crate::exit::NobodyHere;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use std::path::Path;
use vitalcast::EngineError;
use vitalcast_cohort::{CohortQuery, CohortWriter};

pub(crate) fn run(
    args: &FeaturesArgs,
    path: &Path,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let query = CohortQuery {
        first_day: args.from,
        last_day: args.to,
        as_of: args.as_of.unwrap_or_else(|| global.now()),
        as_known_each_evening: args.as_known_each_evening,
    };
    // A name or a folder that cannot be used is said before anything is read.
    let mut table = CohortWriter::create(path, query)?;
    let engine = global.engine()?;
    let people = engine.users()?;
    if people.is_empty() {
        return Err(NobodyHere.into());
    }
    let interrupt = Interrupt::install()?;
    let bar = progress::steps(output, "people");
    bar.set_length(people.len() as u64);
    for person in &people {
        if interrupt.check().is_break() {
            return Err(EngineError::Interrupted.into());
        }
        match engine.load(&person.user_id) {
            Ok(history) => {
                table.write(&history)?;
            }
            // Erased while the others were written.
            Err(EngineError::UnknownUser { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let summary = table.finish()?;
    if output.is_json() {
        return output.json(&serde_json::json!({
            "file": path,
            "people": summary.people,
            "rows": summary.rows,
            "as_of": query.as_of,
            "as_known_each_evening": query.as_known_each_evening,
        }));
    }
    output.line(format_args!(
        "Saved {} days of {} people to {}.",
        summary.rows,
        summary.people,
        path.display()
    ))
}
