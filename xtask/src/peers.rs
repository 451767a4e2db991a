//! Comparison with other libraries: the same work is run in alternation several times, with a table
//! of medians and ratios, on each instruction set that is asked for.

mod contenders;
mod machine;
mod rows;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};

use self::contenders::{Beside, Contender, Environment};
use self::machine::{InstructionSet, Others, Watch};
use self::rows::{ALL, Answer, Measurements, Work};
use crate::built::built;
use crate::printer::{complain, say};
use crate::step::shown;
use crate::tools;

/// The packages of those that read exports, in `benches/peers`.
const EXPORTS: &str = "requirements-exports.txt";
/// Times that everything is run.
const ROUNDS: usize = 3;
/// How long we look whether others work: before the first row, and before each measurement.
const LOOK: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(200);

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    as_json: bool,
    /// None: AVX2 and the native one.
    set: Option<Wanted>,
    /// Names of rows; none: all.
    rows: Vec<&'static str>,
    rounds: usize,
}

/// An instruction set that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Avx2,
    Native,
}

impl Options {
    /// From the words after the command, or what is wrong with them.
    pub(crate) fn parsed(arguments: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            as_json: false,
            set: None,
            rows: Vec::new(),
            rounds: ROUNDS,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || crate::value_of(word, &mut words);
            match *word {
                "--json" => options.as_json = true,
                "--isa" => {
                    options.set = Some(match value()? {
                        "avx2" => Wanted::Avx2,
                        "native" => Wanted::Native,
                        other => return Err(format!("--isa {other}: expected avx2 or native")),
                    });
                }
                "--rows" => {
                    for name in value()?.split(',') {
                        let known = ALL.iter().find(|work| work.name == name);
                        let known = known.ok_or_else(|| {
                            let names: Vec<&str> = ALL.iter().map(|work| work.name).collect();
                            format!("--rows {name}: expected some of {}", names.join(","))
                        })?;
                        options.rows.push(known.name);
                    }
                }
                "--rounds" => {
                    let value = value()?;
                    options.rounds = value
                        .parse()
                        .ok()
                        .filter(|rounds| (1..=100).contains(rounds))
                        .ok_or_else(|| format!("--rounds {value}: expected 1 to 100"))?;
                }
                other => return Err(format!("bench-peers has no option {other}")),
            }
        }
        Ok(options)
    }

    /// The instruction sets of the table.
    fn sets(&self, available: &[InstructionSet]) -> anyhow::Result<Vec<InstructionSet>> {
        let native = available.last().context("no instruction set")?;
        let avx2 = InstructionSet::Avx2;
        Ok(match self.set {
            Some(Wanted::Native) => vec![*native],
            Some(Wanted::Avx2) => {
                ensure!(available.contains(&avx2), "this processor has no AVX2");
                vec![avx2]
            }
            None if available.contains(&avx2) && *native != avx2 => vec![avx2, *native],
            None => vec![*native],
        })
    }

    fn works(&self) -> Vec<&'static Work> {
        static WORKS: [Work; ALL.len()] = ALL;
        WORKS
            .iter()
            .filter(|work| self.rows.is_empty() || self.rows.contains(&work.name))
            .collect()
    }
}

/// Measures and prints the table, or JSON.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let available = InstructionSet::available();
    let sets = options.sets(&available)?;
    let works = options.works();
    // Before our own building raises it.
    let load = machine::load();
    let root = crate::root()?;
    let program = built("vitalcast-benches", "vitalcast-bench")?;
    let beside = beside(&root, &program, &works)?;
    let before = Others::during(LOOK);
    complain(&table::idleness(load, before));
    let mut comparison = Comparison {
        program,
        beside,
        measurements: Measurements::new(InstructionSet::native()),
        failures: Vec::new(),
    };
    for round in 1..=options.rounds {
        for work in works.iter().filter(|work| round <= work.most_rounds) {
            complain(&format!(
                "round {round} of {}: {}",
                options.rounds, work.name
            ));
            comparison.measure(work, &sets)?;
        }
    }
    let surroundings = Surroundings {
        available,
        load,
        before,
    };
    if options.as_json {
        let value = comparison.value(&surroundings, &works, &sets, options.rounds);
        say(&value.to_string());
    } else {
        comparison.print(&surroundings, &works, &sets);
    }
    ensure!(
        comparison.failures.is_empty(),
        "not measured:\n{}",
        comparison.failures.join("\n")
    );
    Ok(())
}

/// Installs the peers of some rows, and writes what they read.
fn beside(root: &Path, program: &Path, works: &[&'static Work]) -> anyhow::Result<Beside> {
    let folder = root.join("target/peers");
    let mut beside = Beside {
        scripts: root.join("benches/peers"),
        model: folder.join("default.onnx"),
        exports: folder.join("exports"),
        ..Beside::default()
    };
    let needed = |environment| works.iter().any(|work| work.needs(environment));
    let installed = |place: &Path, wanted: &str| {
        let wanted = beside.scripts.join(wanted);
        tools::python(place, &wanted)?.map_err(anyhow::Error::msg)
    };
    let (mut python, mut python_of_exports) = (PathBuf::new(), PathBuf::new());
    let mut made = Vec::new();
    if needed(Environment::Models) {
        python = installed(&folder, "requirements.txt")?;
        made.push(("onnx", &beside.model));
    }
    if needed(Environment::Exports) {
        python_of_exports = installed(&root.join("target/peers-exports"), EXPORTS)?;
        made.push(("exports", &beside.exports));
    }
    for (what, place) in made {
        let written = Command::new(program).arg(what).arg(place).status()?;
        ensure!(
            written.success(),
            "{} could not be written",
            place.display()
        );
    }
    (beside.python, beside.python_of_exports) = (python, python_of_exports);
    Ok(beside)
}

/// What was known before the first row.
#[derive(Debug)]
struct Surroundings {
    available: Vec<InstructionSet>,
    load: Option<f64>,
    before: Others,
}

/// Both sides, and what they took.
#[derive(Debug)]
struct Comparison {
    program: PathBuf,
    beside: Beside,
    measurements: Measurements,
    /// Peers that failed; they are not asked for that row again.
    failures: Vec<String>,
}

impl Comparison {
    /// A round of a row: ours and everybody else's, on each instruction set.
    fn measure(&mut self, work: &'static Work, sets: &[InstructionSet]) -> anyhow::Result<()> {
        let native = self.measurements.native;
        let mut done: Vec<Contender> = Vec::new();
        for &set in sets {
            let (answer, others) = answer(contenders::ours(&self.program, work.name, set, native))?;
            // It can tell, so it must.
            let used = answer.isa.as_deref().unwrap_or("what it does not say");
            held(Some(used), set, native)?;
            let ours = self.measurements.ours.entry((work.name, set)).or_default();
            ours.add(answer, others);
            let contenders: Vec<Contender> = self.measurements.contenders(work, set).collect();
            for contender in contenders {
                if done.contains(&contender) {
                    continue;
                }
                done.push(contender);
                self.measure_peer(work, contender);
            }
        }
        Ok(())
    }

    fn measure_peer(&mut self, work: &'static Work, contender: Contender) {
        let what = format!("{}, {}: ", work.name, contender.words());
        if self
            .failures
            .iter()
            .any(|failure| failure.starts_with(&what))
        {
            return;
        }
        let native = self.measurements.native;
        let command = contender.command(&self.beside, work.name, native);
        let answered = answer(command).and_then(|(answer, others)| {
            held(answer.isa.as_deref(), contender.set, native)?;
            Ok((answer, others))
        });
        let theirs = &mut self.measurements.theirs;
        match answered {
            Ok((answer, others)) => {
                let measured = theirs.entry((work.name, contender)).or_default();
                measured.add(answer, others);
            }
            Err(error) => {
                // Half a sample is none.
                theirs.remove(&(work.name, contender));
                complain(&format!("{what}{error:#}"));
                self.failures.push(format!("{what}{error:#}"));
            }
        }
    }

    /// The table as JSON.
    fn value(
        &self,
        surroundings: &Surroundings,
        works: &[&'static Work],
        sets: &[InstructionSet],
        rounds: usize,
    ) -> Value {
        let available = surroundings.available.iter().map(|set| set.name());
        let rows: Vec<Value> = works
            .iter()
            .flat_map(|work| sets.iter().map(move |set| (work, set)))
            .flat_map(|(work, set)| self.measurements.values(work, *set))
            .collect();
        json!({
            "machine": {
                "processor": machine::processor(),
                "cores": machine::cores(),
                "instruction_sets": available.collect::<Vec<_>>(),
                "native": self.measurements.native.name(),
                "system": std::env::consts::OS,
                "load_before": surroundings.load,
                "others_share_before": surroundings.before.share(),
            },
            "threads": { "ours": contenders::most_threads(), "peers": contenders::THREADS },
            "rounds": rounds,
            "versions": self.versions(),
            "rows": rows,
        })
    }

    /// The table for people.
    fn print(&self, surroundings: &Surroundings, works: &[&'static Work], sets: &[InstructionSet]) {
        let available = surroundings.available.iter().map(ToString::to_string);
        say(&format!(
            "{} × {}, {}; {}",
            machine::cores(),
            machine::processor(),
            std::env::consts::OS,
            available.collect::<Vec<_>>().join(", ")
        ));
        let versions = self.versions();
        let versions = versions
            .iter()
            .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?")));
        say(&versions.collect::<Vec<_>>().join(", "));
        say(&table::threads());
        say(&table::idleness(surroundings.load, surroundings.before));
        say("medians, the most memory held; ratio: theirs over ours, so above 1 we are faster\n");
        for line in table::lines(&self.measurements, works, sets) {
            say(&line);
        }
    }

    /// The versions of the peers by name.
    fn versions(&self) -> Map<String, Value> {
        let theirs = self.measurements.theirs.iter();
        let named = theirs.filter_map(|((_, contender), measured)| {
            let version = measured.version.clone()?;
            Some((contender.peer.name().to_owned(), Value::from(version)))
        });
        named.collect()
    }
}

/// Whether a side that says what it used kept to the set that it was held to.
fn held(used: Option<&str>, set: InstructionSet, native: InstructionSet) -> anyhow::Result<()> {
    match used {
        Some(used) if set != native && used != set.name() => {
            bail!("was held to {}, and used {used}", set.name())
        }
        Some(_) | None => Ok(()),
    }
}

/// What a program answers, and what others used meanwhile.
fn answer(mut command: Command) -> anyhow::Result<(Answer, Others)> {
    let watch = Watch::start();
    std::thread::sleep(GLANCE);
    let output = command
        .output()
        .with_context(|| format!("starting {}", shown(&command)))?;
    let others = watch.stop();
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}", shown(&command), reason.trim());
    }
    let answer = Answer::read(&output.stdout)
        .with_context(|| format!("reading what {} printed", shown(&command)))?;
    Ok((answer, others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use InstructionSet::{Avx2, Avx512, Neon, Scalar, Sse};

    fn parsed(text: &str) -> Result<Options, String> {
        Options::parsed(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn all_rows_are_measured_three_times_unless_asked_otherwise() {
        let options = parsed("").unwrap();
        assert_eq!(options.works().len(), ALL.len());
        assert_eq!((options.rounds, options.as_json), (3, false));
        let options = parsed("--rows ets,infer_1 --rounds 7 --json").unwrap();
        let names: Vec<&str> = options.works().iter().map(|work| work.name).collect();
        assert_eq!(names, ["infer_1", "ets"], "in the order of the table");
        assert_eq!((options.rounds, options.as_json), (7, true));
    }

    #[test]
    fn what_means_nothing_is_named_with_what_was_expected() {
        for (text, expected) in [
            ("--isa mmx", "--isa mmx: expected avx2 or native"),
            ("--isa", "--isa needs a value"),
            ("--rounds 0", "--rounds 0: expected 1 to 100"),
            ("--rounds many", "--rounds many: expected 1 to 100"),
            (
                "--rows ets,ats",
                "--rows ats: expected some of train_default",
            ),
            ("--fast", "bench-peers has no option --fast"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn avx2_is_measured_too_where_the_processor_has_more() {
        let sets =
            |text: &str, available: &[InstructionSet]| parsed(text).unwrap().sets(available).ok();
        assert_eq!(sets("", &[Scalar, Sse, Avx2]), Some(vec![Avx2]));
        let wide = [Scalar, Sse, Avx2, Avx512];
        assert_eq!(sets("", &wide), Some(vec![Avx2, Avx512]));
        assert_eq!(sets("--isa avx2", &wide), Some(vec![Avx2]));
        assert_eq!(sets("--isa native", &wide), Some(vec![Avx512]));
        assert_eq!(sets("", &[Scalar, Neon]), Some(vec![Neon]));
        assert_eq!(sets("--isa avx2", &[Scalar, Neon]), None);
        assert_eq!(sets("", &[Scalar]), Some(vec![Scalar]));
    }

    #[test]
    fn a_side_that_used_another_set_than_it_was_held_to_is_refused() {
        assert!(held(Some("avx2"), Avx2, Avx512).is_ok());
        assert!(held(None, Avx2, Avx512).is_ok());
        assert!(held(Some("avx512"), Avx2, Avx512).is_err());
        // Natively it takes what it wants, by whatever name.
        assert!(held(Some("sve"), Neon, Neon).is_ok());
    }

    #[test]
    fn an_answer_comes_with_a_watch_and_a_failure_with_its_reason() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo '{\"seconds\": [1.5]}'"]);
        assert!(answer(command).is_ok());
        let mut command = Command::new("sh");
        command.args(["-c", "echo no memory >&2; exit 3"]);
        let error = answer(command).unwrap_err();
        assert!(error.to_string().ends_with("failed: no memory"), "{error}");
    }
}
