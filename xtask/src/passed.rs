//! What has passed, so that `cargo xtask test` need not run it again while nothing that it reads has
//! changed.
//!
//! A test program has passed in a *state*: its own file and the programs of its package (path, length,
//! time of change), its arguments, every file of the repository that is no Rust source, and the variables
//! that tests read. A change in a source changes the programs that are built of it, and only those. Only
//! xtask's own tests read sources; their state contains these, too. Continuous integration remembers
//! nothing and runs everything.
//!
//! cargo itself starts the test programs, through a *runner*: this program, with the command [`RUNNER`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::UNIX_EPOCH;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::printer::say;
use crate::step::{Outcome, cargo};
use crate::tests_run::{Totals, counted};

/// The command that cargo starts test programs with.
pub(crate) const RUNNER: &str = "run-unless-passed";
/// The variable that tells the runner where the memory is.
const FOLDER: &str = "VITALCAST_XTASK_PASSED";
/// Beginnings of the names of variables that tests read.
const READ: [&str; 4] = ["VITALCAST_", "PROPTEST_", "RUSTFLAGS", "TZ"];
/// What a remembered test program prints in place of its tests.
pub(crate) const REMEMBERED: &str = "unchanged since it passed: ";

/// What has passed, in a folder: a file for each test program and step.
#[derive(Debug)]
pub(crate) struct Passed {
    folder: PathBuf,
    common: Common,
}

/// What the states of all test programs have in common.
#[derive(Debug, PartialEq, Eq)]
struct Common {
    /// The repository's files but for Rust sources.
    files: u64,
    /// The Rust sources.
    sources: u64,
    /// The programs of each package.
    programs: BTreeMap<String, Vec<PathBuf>>,
}

impl Passed {
    /// The memory of this checkout, or none where git does not say which files belong to it. `anew`:
    /// nothing has passed yet.
    pub(crate) fn open(anew: bool) -> anyhow::Result<Option<Self>> {
        let root = crate::root()?;
        let Some(files) = files(&root) else {
            return Ok(None);
        };
        let metadata = metadata()?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo does not say where its target folder is")?;
        let folder = Path::new(target).join("xtask/passed");
        if anew && folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| at(&folder))?;
        }
        fs::create_dir_all(&folder).with_context(|| at(&folder))?;
        let is_source = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "rs");
        let (sources, others): (Vec<_>, Vec<_>) = files.iter().partition(is_source);
        let common = Common {
            files: state_of(others.into_iter()),
            sources: state_of(sources.into_iter()),
            programs: programs(&metadata, &Path::new(target).join("debug")),
        };
        let passed = Self { folder, common };
        passed.write_common()?;
        Ok(Some(passed))
    }

    fn write_common(&self) -> anyhow::Result<()> {
        let Common {
            files,
            sources,
            programs,
        } = &self.common;
        let text = json!({"files": files, "sources": sources, "programs": programs}).to_string();
        let path = self.folder.join("common.json");
        fs::write(&path, text).with_context(|| at(&path))
    }

    /// The memory that the runner is told of.
    fn told() -> anyhow::Result<Self> {
        let folder = std::env::var_os(FOLDER).with_context(|| format!("{FOLDER} is not set"))?;
        let folder = PathBuf::from(folder);
        let path = folder.join("common.json");
        let text = fs::read_to_string(&path).with_context(|| at(&path))?;
        let value: Value = serde_json::from_str(&text).with_context(|| at(&path))?;
        let number = |name: &str| value[name].as_u64().with_context(|| at(&path));
        let common = Common {
            files: number("files")?,
            sources: number("sources")?,
            programs: serde_json::from_value(value["programs"].clone())
                .with_context(|| at(&path))?,
        };
        Ok(Self { folder, common })
    }

    /// Lets cargo start test programs through the runner.
    pub(crate) fn add_to(&self, command: &mut Command) -> anyhow::Result<()> {
        let this = std::env::current_exe().context("finding this program")?;
        let this = this
            .to_str()
            .context("the path of this program is no text")?;
        let runner = json!([this, RUNNER]);
        command
            .arg("--config")
            .arg(format!("target.'cfg(all())'.runner={runner}"))
            .env(FOLDER, &self.folder);
        Ok(())
    }

    /// Does a step that runs `programs`, unless it has passed with them.
    pub(crate) fn unless(
        this: Option<&Self>,
        step: &str,
        programs: &[PathBuf],
        work: impl FnOnce() -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let Some(this) = this else {
            return work();
        };
        let state = this.state(programs.iter(), "", &[]);
        let file = this.folder.join(step);
        if remembered(&file, state).is_some() {
            say("unchanged since it passed (--all does it again)");
            return Ok(Outcome::Passed);
        }
        let outcome = work()?;
        if matches!(outcome, Outcome::Passed) {
            remember(&file, state, 0)?;
        }
        Ok(outcome)
    }

    /// The state in which programs of a package run.
    fn state<'a>(
        &'a self,
        programs: impl Iterator<Item = &'a PathBuf>,
        package: &str,
        arguments: &[&OsStr],
    ) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.common.files.hash(&mut hasher);
        if package == "xtask" {
            self.common.sources.hash(&mut hasher);
        }
        let others = self.common.programs.get(package).into_iter().flatten();
        state_of(programs.chain(others)).hash(&mut hasher);
        arguments.hash(&mut hasher);
        let read = |name: &OsStr| READ.iter().any(|start| begins(name, start));
        let variables: BTreeMap<_, _> = std::env::vars_os()
            .filter(|(name, _)| read(name) && name != FOLDER)
            .collect();
        variables.hash(&mut hasher);
        hasher.finish()
    }
}

/// Runs a test program for cargo, unless it has passed in this state.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<ExitCode> {
    let [program, arguments @ ..] = words else {
        bail!("{RUNNER} needs a program");
    };
    let program = PathBuf::from(program);
    let passed = Passed::told()?;
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let state = passed.state(std::iter::once(&program), &package, &words);
    let name = program.file_name().context("a test program has a name")?;
    let file = passed.folder.join(name);
    if let Some(tests) = remembered(&file, state) {
        say(&format!("{REMEMBERED}{tests} tests"));
        return Ok(ExitCode::SUCCESS);
    }
    let mut totals = Totals::default();
    let mut command = Command::new(&program);
    let outcome = counted(command.args(arguments).env_remove(FOLDER), &mut totals)?;
    Ok(match outcome {
        Outcome::Passed => {
            remember(&file, state, totals.passed())?;
            ExitCode::SUCCESS
        }
        Outcome::Failed(code) => ExitCode::from(code),
        Outcome::NotDone(why) => bail!("{why}"),
    })
}

/// The number of tests that passed in this state.
fn remembered(file: &Path, state: u64) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let (known, tests) = text.trim_end().split_once(' ')?;
    (known.parse() == Ok(state)).then(|| tests.parse().ok())?
}

fn remember(file: &Path, state: u64, tests: u64) -> anyhow::Result<()> {
    fs::write(file, format!("{state} {tests}\n")).with_context(|| at(file))
}

/// Paths, lengths and times of change of files; one that is missing counts as such.
fn state_of<'a>(files: impl Iterator<Item = &'a PathBuf>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in files {
        let found = fs::metadata(path).ok().map(|found| {
            let changed = found.modified().ok();
            let since = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (found.len(), since)
        });
        (path, found).hash(&mut hasher);
    }
    hasher.finish()
}

/// The files of the checkout, tracked or new; `None` where git does not know.
fn files(root: &Path) -> Option<Vec<PathBuf>> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let mut git = Command::new("git");
    let output = git.args(arguments).current_dir(root).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let files: Vec<PathBuf> = text
        .split_terminator('\0')
        .map(|path| root.join(path))
        .collect();
    (output.status.success() && !files.is_empty()).then_some(files)
}

fn metadata() -> anyhow::Result<Value> {
    let arguments = ["metadata", "--no-deps", "--format-version=1", "--locked"];
    let output = cargo(&arguments)?.output().context("starting cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    serde_json::from_slice(&output.stdout).context("reading cargo's metadata")
}

/// The programs of each package, in the folder where cargo puts them.
fn programs(metadata: &Value, folder: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut programs = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        let is_program = |target: &Value| list(&target["kind"]).contains(&json!("bin"));
        let own: Vec<PathBuf> = list(&package["targets"])
            .iter()
            .filter(|target| is_program(target))
            .filter_map(|target| target["name"].as_str())
            .map(|name| {
                folder
                    .join(name)
                    .with_extension(std::env::consts::EXE_EXTENSION)
            })
            .collect();
        if let Some(name) = package["name"].as_str() {
            programs.insert(name.to_owned(), own);
        }
    }
    programs
}

fn begins(name: &OsStr, start: &str) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(start))
}

fn at(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn passed(folder: &Path, files: u64, sources: u64) -> Passed {
        let programs = BTreeMap::from([("cli".to_owned(), vec![folder.join("cli")])]);
        Passed {
            folder: folder.to_owned(),
            common: Common {
                files,
                sources,
                programs,
            },
        }
    }

    #[test]
    fn a_state_is_another_when_anything_that_a_test_reads_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let test = folder.join("it-1");
        fs::write(&test, "one").unwrap();
        fs::write(folder.join("cli"), "a").unwrap();
        let state = |files, sources, package: &str, arguments: &[&OsStr]| {
            passed(folder, files, sources).state(std::iter::once(&test), package, arguments)
        };
        let before = state(1, 1, "cli", &[]);
        assert_eq!(before, state(1, 1, "cli", &[]));
        assert_eq!(
            before,
            state(1, 2, "cli", &[]),
            "a source of another package"
        );
        assert_ne!(before, state(2, 1, "cli", &[]), "a file that is read");
        assert_ne!(before, state(1, 1, "cli", &[OsStr::new("--nocapture")]));
        assert_ne!(state(1, 1, "xtask", &[]), state(1, 2, "xtask", &[]));
        let models = state(1, 1, "models", &[]);
        fs::write(folder.join("cli"), "another program").unwrap();
        assert_ne!(before, state(1, 1, "cli", &[]), "the program it starts");
        assert_eq!(
            models,
            state(1, 1, "models", &[]),
            "a program it does not start"
        );
        fs::write(&test, "built again").unwrap();
        assert_ne!(models, state(1, 1, "models", &[]));
    }

    #[test]
    fn what_has_passed_is_not_done_again_and_what_has_failed_is() {
        let folder = tempfile::tempdir().unwrap();
        let memory = passed(folder.path(), 1, 1);
        let times = Cell::new(0);
        let step = |memory: &Passed, outcome: Outcome| {
            Passed::unless(Some(memory), "step", &[], || {
                times.set(times.get() + 1);
                Ok(outcome)
            })
            .unwrap()
        };
        assert_eq!(step(&memory, Outcome::Failed(1)), Outcome::Failed(1));
        assert_eq!(
            step(&memory, Outcome::NotDone("why".to_owned())),
            Outcome::NotDone("why".to_owned())
        );
        assert_eq!(step(&memory, Outcome::Passed), Outcome::Passed);
        assert_eq!(times.get(), 3);
        assert_eq!(step(&memory, Outcome::Failed(1)), Outcome::Passed);
        assert_eq!(times.get(), 3);
        let changed = passed(folder.path(), 2, 1);
        assert_eq!(step(&changed, Outcome::Failed(1)), Outcome::Failed(1));
        assert_eq!(times.get(), 4);
    }

    #[test]
    fn a_torn_note_is_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it-1");
        assert_eq!(remembered(&file, 7), None);
        for text in ["", "7", "7 x", "x 3"] {
            fs::write(&file, text).unwrap();
            assert_eq!(remembered(&file, 7), None, "{text}");
        }
        remember(&file, 7, 3).unwrap();
        assert_eq!(remembered(&file, 7), Some(3));
        assert_eq!(remembered(&file, 8), None);
    }

    #[test]
    fn the_files_of_the_checkout_and_its_programs_are_known() {
        let root = crate::root().unwrap();
        let files = files(&root).unwrap();
        assert!(files.contains(&root.join("Cargo.toml")));
        let programs = programs(&metadata().unwrap(), Path::new("target/debug"));
        assert_eq!(
            programs["vitalcast-cli"],
            [PathBuf::from("target/debug/vitalcast")]
        );
        assert!(programs["vitalcast-domain"].is_empty());
    }
}
