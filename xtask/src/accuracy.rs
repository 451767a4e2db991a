//! Accuracy on two public data sets, next to statsforecast and LightGBM: the last 40 % of each person's
//! days, one day ahead, in five folds of people.

mod scores;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use self::scores::{Day, Key, LEVELS};
use crate::built::built;
use crate::printer::{complain, say};
use crate::step::shown;
use crate::tools;

/// The time of every command, so that the table does not depend on the day on which it is made.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Share of a person's observed days that are scored, and how many observed days a person needs.
const TEST_FRACTION: &str = "0.4";
const LEAST_DAYS: u32 = 30;

/// The data sets: folder, and name in the table.
const DATA_SETS: [(&str, &str); 2] = [("lifesnaps", "LifeSnaps"), ("t1d-uom", "T1D-UOM")];

/// A metric: name of the command line, name in answers and tables, unit.
type Metric = (&'static str, &'static str, &'static str);

const RESTING_HEART_RATE: Metric = ("rhr", "RESTING_HEART_RATE", "bpm");
const RMSSD: Metric = ("rmssd", "HEART_RATE_VARIABILITY_RMSSD", "ms");
const SLEEP: Metric = ("sleep", "SLEEP_DURATION", "h");
const RECOVERY: Metric = ("recovery", "RECOVERY_SCORE", "points");

/// The columns of the table: place of the data set, metric.
const SERIES: [(usize, Metric); 6] = [
    (0, RESTING_HEART_RATE),
    (0, RMSSD),
    (0, SLEEP),
    (0, RECOVERY),
    (1, RESTING_HEART_RATE),
    (1, SLEEP),
];

/// What is compared with the peers.
const OURS: &str = "auto";
/// Our other models, one person at a time; `lstm` only if asked for.
const SINGLE: [&str; 4] = ["exponential_smoothing", "ets", "theta", "ridge"];
const NETWORK: &str = "lstm";
/// The two simplest forecasts, which `vitalcast backtest` makes too.
const SIMPLE: [&str; 2] = ["naive", "mean_30"];
/// The forecasts of `benches/peers/accuracy.py`.
const OTHERS: [&str; 4] = ["SES", "AutoETS", "AutoTheta", "LightGBM"];

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The folder with the data sets.
    from: PathBuf,
    /// A finished program, instead of one that is built.
    vitalcast: Option<PathBuf>,
    lstm: bool,
    as_json: bool,
}

impl Options {
    /// From the words after the command; nothing if they mean nothing.
    pub(crate) fn parsed(arguments: &[&str]) -> Option<Self> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match *word {
                "--from" => options.from = PathBuf::from(words.next()?),
                "--vitalcast" => options.vitalcast = Some(PathBuf::from(words.next()?)),
                "--lstm" => options.lstm = true,
                "--json" => options.as_json = true,
                _ => return None,
            }
        }
        (!options.from.as_os_str().is_empty()).then_some(options)
    }

    /// Our models, the one that is compared first.
    fn ours(&self) -> Vec<&'static str> {
        let network = self.lstm.then_some(NETWORK);
        std::iter::once(OURS).chain(SINGLE).chain(network).collect()
    }
}

/// A column of the table with its scored days.
#[derive(Debug)]
struct Series {
    data_set: usize,
    metric: Metric,
    folds: Vec<Fold>,
    days: BTreeMap<Key, Day>,
}

/// People who are scored, with their first scored day, and people of other folds, who are only learned from.
#[derive(Debug)]
struct Fold {
    scored: BTreeMap<String, String>,
    learned: Vec<String>,
}

impl Series {
    fn name(&self) -> String {
        format!("{} {}", DATA_SETS[self.data_set].1, self.metric.0)
    }

    fn people(&self) -> usize {
        let people: BTreeSet<&str> = self
            .days
            .keys()
            .map(|(person, _)| person.as_str())
            .collect();
        people.len()
    }

    /// Leaves the days that our model and every peer have forecast, so that all errors are of the same
    /// days. Answers how many were left out.
    fn keep_common(&mut self) -> usize {
        let before = self.days.len();
        self.days.retain(|_, day| {
            std::iter::once(OURS)
                .chain(peers())
                .all(|model| day.forecasts.contains_key(model))
        });
        before - self.days.len()
    }

    /// The peer with the smallest error on the scored days themselves: the hardest comparison.
    fn best_peer(&self) -> &'static str {
        let error = |model: &str| scores::mean_absolute_error(&self.days, model).0;
        peers()
            .min_by(|left, right| error(left).total_cmp(&error(right)))
            .unwrap_or(SIMPLE[0])
    }
}

fn peers() -> impl Iterator<Item = &'static str> {
    SIMPLE.into_iter().chain(OTHERS)
}

/// Measures and prints the table, or JSON.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    // Said before anything is built or installed.
    for (folder, _) in DATA_SETS {
        let path = options.from.join(folder);
        ensure!(path.is_dir(), "there is no folder {}", path.display());
    }
    let root = crate::root()?;
    let python = match tools::python(
        &root.join("target/peers"),
        &root.join("benches/peers/requirements.txt"),
    )? {
        Ok(python) => python,
        Err(why) => bail!("{why}"),
    };
    let folder = root.join("target/accuracy");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("removing the files of the last run")?;
    }
    std::fs::create_dir_all(&folder).context("creating a folder for the run")?;
    let cli = Cli {
        program: match &options.vitalcast {
            Some(program) => program.clone(),
            None => built("vitalcast-cli", "vitalcast")?,
        },
        data: folder.join("data"),
    };
    let people = imported(&cli, &options.from)?;
    let mut all = Vec::new();
    for (data_set, metric) in SERIES {
        all.push(replayed(&cli, &folder, options, &people, data_set, metric)?);
    }
    complain("statsforecast and LightGBM, about a minute");
    add_peers(&cli, &folder, &root, &python, &mut all)?;
    let left_out: Vec<usize> = all.iter_mut().map(Series::keep_common).collect();
    for (series, left_out) in all.iter().zip(&left_out) {
        ensure!(!series.days.is_empty(), "{}: no scored day", series.name());
        if *left_out > 0 {
            let name = series.name();
            complain(&format!(
                "{name}: {left_out} days left out, not forecast by all"
            ));
        }
    }
    if options.as_json {
        say(&table::as_value(&all, options, &left_out).to_string());
    } else {
        table::print(&all, options);
    }
    Ok(())
}

/// The command line with a data folder of its own.
struct Cli {
    program: PathBuf,
    data: PathBuf,
}

impl Cli {
    /// Runs a command; what it prints.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command
            .args(["--quiet", "--json", "--now", NOW, "--data-dir"])
            .arg(&self.data)
            .args(arguments);
        output(&mut command)
    }
}

/// What a command prints on standard output.
fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("starting {}", shown(command)))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed:\n{}", shown(command), reason.trim());
    }
    Ok(output.stdout)
}

/// The people of one data set, with their observed days by metric.
type People = BTreeMap<String, BTreeMap<String, u64>>;

/// Imports all data sets; the people of each.
fn imported(cli: &Cli, from: &Path) -> anyhow::Result<Vec<People>> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut sets = Vec::new();
    for (folder, name) in DATA_SETS {
        complain(&format!("importing {name}"));
        cli.run(&["import", &from.join(folder).to_string_lossy()])?;
        let users: Vec<Value> = serde_json::from_slice(&cli.run(&["users"])?)?;
        let mut people = People::new();
        for user in users {
            let id = user["user_id"].as_str().context("a person without an id")?;
            if known.insert(id.to_owned()) {
                let days = serde_json::from_value(user["metrics"].clone())
                    .context("reading the observed days of a person")?;
                people.insert(id.to_owned(), days);
            }
        }
        sets.push(people);
    }
    Ok(sets)
}

/// Replays the last days of all people of a series, fold by fold.
fn replayed(
    cli: &Cli,
    folder: &Path,
    options: &Options,
    people: &[People],
    data_set: usize,
    metric: Metric,
) -> anyhow::Result<Series> {
    let mut series = Series {
        data_set,
        metric,
        folds: Vec::new(),
        days: BTreeMap::new(),
    };
    let ids: BTreeSet<String> = people[data_set].keys().cloned().collect();
    // Nights mean the same on all devices; resting heart rates do not.
    let pool: Vec<&String> = if metric == SLEEP {
        people.iter().flat_map(BTreeMap::keys).collect()
    } else {
        ids.iter().collect()
    };
    let models: Vec<&str> = options.ours().into_iter().chain(SIMPLE).collect();
    for (place, fold) in scores::folds(&ids).into_iter().enumerate() {
        complain(&format!("{}, fold {} of 5", series.name(), place + 1));
        let enough = |id: &&String| {
            let days = people[data_set][*id].get(metric.1);
            days.is_some_and(|days| *days >= u64::from(LEAST_DAYS))
        };
        let scored: Vec<&str> = fold.iter().filter(enough).map(String::as_str).collect();
        if scored.is_empty() {
            continue;
        }
        let learned: Vec<String> = pool
            .iter()
            .filter(|id| !fold.contains(id))
            .map(|id| (*id).clone())
            .collect();
        let rows = folder.join(format!(
            "{}-{}-{place}.csv",
            DATA_SETS[data_set].0, metric.0
        ));
        let answer = cli.run(&[
            "backtest",
            "--metric",
            metric.0,
            "--users",
            &scored.join(","),
            "--fit-users",
            &learned.join(","),
            "--models",
            &models.join(","),
            "--test-fraction",
            TEST_FRACTION,
            "--min-days",
            &LEAST_DAYS.to_string(),
            "--levels",
            &LEVELS.map(|level| level.to_string()).join(","),
            "--output",
            &rows.to_string_lossy(),
        ])?;
        let answer: Value = serde_json::from_slice(&answer).context("reading the answer")?;
        ensure!(
            answer["uses_population"] != true,
            "the replay used the model of the release, which has learned from these people"
        );
        let mut days = BTreeMap::new();
        scores::add_replay(&mut days, &std::fs::read(&rows)?, OURS)?;
        let mut first_days: BTreeMap<String, String> = BTreeMap::new();
        for (person, day) in days.keys() {
            // Days are in order.
            first_days
                .entry(person.clone())
                .or_insert_with(|| day.clone());
        }
        series.folds.push(Fold {
            scored: first_days,
            learned,
        });
        series.days.extend(days);
    }
    Ok(series)
}

/// Adds the forecasts of `benches/peers/accuracy.py`.
fn add_peers(
    cli: &Cli,
    folder: &Path,
    root: &Path,
    python: &Path,
    all: &mut [Series],
) -> anyhow::Result<()> {
    let table = folder.join("cohort.parquet");
    cli.run(&[
        "features",
        "--all",
        "--as-known-each-evening",
        "--output",
        &table.to_string_lossy(),
    ])?;
    let plans: Vec<Value> = all
        .iter()
        .map(|series| {
            let folds: Vec<Value> = series
                .folds
                .iter()
                .map(|fold| json!({ "scored": fold.scored, "learned": fold.learned }))
                .collect();
            json!({
                "name": series.name(),
                "column": format!("actual_{}", series.metric.1.to_lowercase()),
                "folds": folds,
            })
        })
        .collect();
    let plan = folder.join("plan.json");
    let written = folder.join("peers.csv");
    std::fs::write(
        &plan,
        json!({ "table": table, "series": plans }).to_string(),
    )?;
    output(
        Command::new(python)
            .arg(root.join("benches/peers/accuracy.py"))
            .args([&plan, &written]),
    )?;
    for row in csv::Reader::from_path(&written)?.deserialize() {
        let (name, person, day, model, forecast): (String, String, String, String, f64) = row?;
        let series = all.iter_mut().find(|series| series.name() == name);
        let days = &mut series.context("a series that was not asked for")?.days;
        // A day that we have not forecast has no observed value here, and counts for nobody.
        if let Some(day) = days.get_mut(&(person, day)) {
            day.forecasts.insert(model, forecast);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_in_any_order_and_need_a_folder() {
        let options = Options::parsed(&["--json", "--from", "data", "--vitalcast", "bin/v"]);
        let options = options.unwrap();
        assert_eq!(options.from, PathBuf::from("data"));
        assert_eq!(options.vitalcast, Some(PathBuf::from("bin/v")));
        assert!(options.as_json && !options.lstm);
        for wrong in [&["--json"][..], &["--from"], &["--from", "data", "--jsno"]] {
            assert_eq!(Options::parsed(wrong), None);
        }
    }

    #[test]
    fn the_network_is_replayed_only_if_asked_for() {
        let mut options = Options::default();
        assert!(!options.ours().contains(&NETWORK));
        options.lstm = true;
        assert_eq!(options.ours().first(), Some(&OURS));
        assert!(options.ours().contains(&NETWORK));
    }

    #[test]
    fn errors_are_of_the_days_that_our_model_and_all_peers_have_forecast() {
        let forecasts = |models: &mut dyn Iterator<Item = &'static str>| Day {
            forecasts: models.map(|model| (model.to_owned(), 1.0)).collect(),
            ..Day::default()
        };
        let key = |day: &str| ("ada".to_owned(), day.to_owned());
        let mut series = Series {
            data_set: 0,
            metric: SLEEP,
            folds: Vec::new(),
            days: BTreeMap::from([
                (
                    key("1"),
                    forecasts(&mut std::iter::once(OURS).chain(peers())),
                ),
                (key("2"), forecasts(&mut peers())),
                (key("3"), forecasts(&mut [OURS, "naive"].into_iter())),
            ]),
        };
        assert_eq!(series.keep_common(), 2);
        assert_eq!(series.days.into_keys().collect::<Vec<_>>(), [key("1")]);
    }
}
