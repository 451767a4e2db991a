//! `vitalcast profile`, `export` and `erase`.

use crate::args::{EraseArgs, ExportArgs, Global, ProfileArgs};
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use vitalcast::{EngineError, MetricType, ZoneFrom};

pub(crate) fn profile(
    args: &ProfileArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let changes = args.zone.is_some()
        || !args.moves.is_empty()
        || args.no_moves
        || args.day_begins.is_some()
        || !args.prefer.is_empty()
        || args.weight.is_some()
        || args.height.is_some()
        || args.goal_energy.is_some()
        || args.activity_level.is_some();
    let before = match engine.profile(&args.user) {
        // Someone new begins with what is set here.
        Err(EngineError::UnknownUser { .. }) if changes => vitalcast::Profile::default(),
        other => other?,
    };
    let profile = vitalcast::Profile {
        zone: args.zone.unwrap_or(before.zone),
        moves: moves(args, &before.moves),
        day_begins_hour: args.day_begins.unwrap_or(before.day_begins_hour),
        preferred_sources: preferences(args, before.preferred_sources.clone()),
        weight_kg: args.weight.or(before.weight_kg),
        height_cm: args.height.or(before.height_cm),
        goal_energy_kcal: args.goal_energy.or(before.goal_energy_kcal),
        activity_level: args.activity_level.or(before.activity_level),
        ..before
    };
    if changes {
        let moved = engine.set_profile(&args.user, &profile)?;
        if moved > 0 {
            output.note(format_args!("{moved} records belong to another day now."));
        }
        if !args.prefer.is_empty() {
            for note in engine.unused_preferences(&args.user)? {
                output.note(format_args!("{note}."));
            }
        }
    }
    if output.is_json() {
        return output.json(&profile);
    }
    let number = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value} {unit}"))
    };
    let rows: Vec<Vec<String>> = [
        ("zone", zones(&profile)),
        (
            "day begins at",
            format!("{:02}:00", profile.day_begins_hour),
        ),
        ("preferred sources", preferred(&profile)),
        ("weight", number(profile.weight_kg, "kg")),
        ("height", number(profile.height_cm, "cm")),
        ("energy goal", number(profile.goal_energy_kcal, "kcal")),
        (
            "activity level",
            profile
                .activity_level
                .map_or_else(|| "–".to_owned(), |level| level.to_string()),
        ),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_owned(), value])
    .collect();
    output.heading(args.user.as_str())?;
    output.table(&["", ""], &rows, &[])
}

fn moves(args: &ProfileArgs, before: &[ZoneFrom]) -> Vec<ZoneFrom> {
    let mut moves: BTreeMap<_, _> = if args.no_moves {
        BTreeMap::new()
    } else {
        before.iter().map(|one| (one.from, *one)).collect()
    };
    moves.extend(args.moves.iter().map(|one| (one.from, *one)));
    moves.into_values().collect()
}

fn preferences(
    args: &ProfileArgs,
    mut before: BTreeMap<MetricType, Vec<String>>,
) -> BTreeMap<MetricType, Vec<String>> {
    for (metric, sources) in &args.prefer {
        if sources.is_empty() {
            before.remove(metric);
        } else {
            before.insert(*metric, sources.clone());
        }
    }
    before
}

fn zones(profile: &vitalcast::Profile) -> String {
    let later = profile.moves.iter();
    std::iter::once(profile.zone.to_string())
        .chain(later.map(|one| format!("{} from {}", one.zone, one.from)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn preferred(profile: &vitalcast::Profile) -> String {
    let orders: Vec<String> = profile
        .preferred_sources
        .iter()
        .map(|(metric, sources)| format!("{metric}: {}", sources.join(", ")))
        .collect();
    if orders.is_empty() {
        "–".to_owned()
    } else {
        orders.join("; ")
    }
}

pub(crate) fn export(
    args: &ExportArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?;
    engine.export_user_to(&args.user, global.now(), &args.to)?;
    if output.is_json() {
        return output.json(&serde_json::json!({"user_id": args.user, "file": args.to}));
    }
    output.line(format_args!("Saved to {}.", args.to.display()))
}

pub(crate) fn erase(args: &EraseArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    if !engine.is_erasure_pending(&args.user)? {
        engine.profile(&args.user)?;
    }
    if !args.yes {
        if !std::io::stdin().is_terminal() {
            bail!(UsageError(
                "expected --yes: there is no terminal to ask for confirmation".to_owned()
            ));
        }
        output.note(format!(
            "This erases {} with all records, models and forecasts. Type the user id to continue:",
            args.user
        ));
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() != args.user.as_str() {
            bail!(UsageError(
                "nothing was erased: the user id does not match".to_owned()
            ));
        }
    }
    // A server has answers and jobs of its own in memory, which only it can drop.
    let alone = engine.lock_folder().with_context(|| {
        let path = format!("DELETE /api/users/{}", args.user);
        format!("a server is using this data folder: erase through it with {path}")
    })?;
    let erased = engine.erase_user(&args.user, &alone)?;
    if output.is_json() {
        return output.json(&erased);
    }
    output.line(format_args!("Erased {}.", args.user))?;
    if !erased.log_emptied {
        output.note(
            "Another process has the database open, so its log still contains deleted rows. They \
             are removed when the last process closes the database.",
        );
    }
    Ok(())
}
