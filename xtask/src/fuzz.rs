//! Fuzzing of the readers of exports: libFuzzer, guided by coverage, on the stable compiler.
//!
//! It begins with the cases in `fuzz/corpus`, with what the tests of the readers read, and with what earlier
//! searches found, and takes its words from the source of the readers. Everything it makes is in `target/fuzz`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, ensure};

use crate::built::{MESSAGES, built_by};
use crate::printer::say;
use crate::step::{Outcome, Steps, cargo, outcome_from, outcome_of, shown};

/// Seconds of a search of one target, unless told otherwise.
const SECONDS: u64 = 60;
/// What one case may take: seconds, MiB; and the longest, bytes, as in `fuzz/src/bin/fuzz_cases.rs`.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=512", "-max_len=16384"];

/// What makes the compiler count the edges that are passed and show the numbers that are compared:
/// what `cargo fuzz` passes without a sanitizer. Sums that overflow panic.
const INSTRUMENTED: &str = "--cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks \
    -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What the tests of the readers read, but for the damage that they do themselves.
const SEEDS: [&str; 10] = [
    "test",
    "--locked",
    "--quiet",
    "--package",
    "vitalcast-import",
    "--test",
    "it",
    "--",
    "--skip=damage::",
    "--skip=properties::",
];

/// Words that exports have and no reader names.
const WORDS: [&str; 32] = [
    "2024-03-01",
    "2024-03-31T02:30:00+01:00",
    "2024-03-01 06:30:00",
    "01/03/2024",
    "1709272800",
    "1709272800000",
    "24:00",
    "12:61 PM",
    "Europe/Berlin",
    "UTC+02:00",
    "-262144-01-01",
    "9999-12-31",
    "PT9H30M",
    "1.234,5",
    "1e308",
    "-1",
    "NaN",
    "null",
    "true",
    "\\u0000",
    "\u{1e}\u{1e}\u{1e}",
    "\u{feff}",
    "\r\n",
    "\"\"",
    "<![CDATA[",
    "<!--",
    "&amp;",
    "/>",
    "},{",
    "]}",
    "%tables\n",
    "x'00ff'",
];

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Of each target.
    seconds: u64,
    /// Names of targets; none: all.
    readers: Vec<String>,
    keep: bool,
}

impl Options {
    /// From the words after the command, or what is wrong with them.
    pub(crate) fn parsed(arguments: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            seconds: SECONDS,
            readers: Vec::new(),
            keep: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || crate::value_of(word, &mut words);
            match *word {
                "--seconds" => {
                    let value = value()?;
                    let seconds = value.parse().map_err(|_| {
                        format!("--seconds {value}: expected a whole number of seconds")
                    })?;
                    options.seconds = seconds;
                }
                "--readers" => options.readers = value()?.split(',').map(str::to_owned).collect(),
                "--keep" => options.keep = true,
                other => return Err(format!("there is no option {other}")),
            }
        }
        Ok(options)
    }

    /// Whether nothing else than the time was chosen.
    pub(crate) fn only_seconds(&self) -> bool {
        self.readers.is_empty() && !self.keep
    }
}

/// A search as a command of its own.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::default();
    steps.run("fuzz", || search(options))?;
    Ok(steps.close())
}

/// Searches every target for its time.
pub(crate) fn search(options: &Options) -> anyhow::Result<Outcome> {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let mut version = Command::new(compiler);
    version.arg("--version").stdout(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        return Ok(Outcome::NotDone(
            "libFuzzer needs a C++ compiler; on Debian: apt-get install g++".to_owned(),
        ));
    }
    let place = crate::root()?.join("target/fuzz");
    let seeds = place.join("seeds");
    renewed(&seeds)?;
    let tested = outcome_of(cargo(&SEEDS)?.env("VITALCAST_FUZZ_SEEDS", &seeds))?;
    if !matches!(tested, Outcome::Passed) {
        return Ok(tested);
    }
    let bench = Bench {
        cases: cases()?,
        readers: instrumented(&place)?,
        place,
    };
    let known = bench.targets()?;
    for name in &options.readers {
        ensure!(
            known.contains(name),
            "--readers {name}: expected some of {}",
            known.join(",")
        );
    }
    let mut outcome = Outcome::Passed;
    let wanted = |name: &&String| options.readers.is_empty() || options.readers.contains(name);
    for name in known.iter().filter(wanted) {
        bench.seed(name)?;
        if options.seconds > 0 {
            let searched = bench.search(name, options.seconds)?;
            // The others are searched all the same.
            if !matches!(searched, Outcome::Passed) {
                outcome = searched;
            }
        }
        if options.keep {
            bench.keep(name)?;
        }
    }
    Ok(outcome)
}

/// The programs, and the folder of everything that they make.
struct Bench {
    cases: PathBuf,
    readers: PathBuf,
    place: PathBuf,
}

impl Bench {
    /// The names of all targets.
    fn targets(&self) -> anyhow::Result<Vec<String>> {
        let output = Command::new(&self.cases).arg("targets").output()?;
        ensure!(output.status.success(), "the targets cannot be listed");
        let names = String::from_utf8(output.stdout)?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    fn folder(&self, target: &str, name: &str) -> PathBuf {
        self.place.join("of").join(target).join(name)
    }

    /// Makes the cases from which a search begins, and the words that it inserts.
    fn seed(&self, target: &str) -> anyhow::Result<()> {
        for name in ["kept", "seeds"] {
            renewed(&self.folder(target, name))?;
        }
        for name in ["found", "faults"] {
            fs::create_dir_all(self.folder(target, name))?;
        }
        let kept = self.folder(target, "kept");
        self.cases(&["unpack".as_ref(), target.as_ref(), kept.as_ref()])?;
        let seeds = self.place.join("seeds").join(target);
        if seeds.exists() {
            let into = self.folder(target, "seeds");
            self.cases(&["make".as_ref(), seeds.as_ref(), into.as_ref()])?;
        }
        let words = words_of(&crate::root()?.join("crates/import/src"), target)?;
        let words = WORDS.into_iter().chain(words.iter().map(String::as_str));
        fs::write(self.folder(target, "words"), dictionary(words))?;
        Ok(())
    }

    fn cases(&self, arguments: &[&std::ffi::OsStr]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.cases);
        let status = command.args(arguments).status()?;
        ensure!(status.success(), "{} failed", shown(&command));
        Ok(())
    }

    /// libFuzzer with a target.
    fn fuzzer(&self, target: &str) -> Command {
        let mut command = Command::new(&self.readers);
        command.args(LIMITS).env("VITALCAST_FUZZ", target);
        command
    }

    /// Runs libFuzzer; what it writes.
    fn logged(&self, mut command: Command, target: &str) -> anyhow::Result<(Outcome, String)> {
        let log = self.folder(target, "log");
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        let status = command.status().context("starting libFuzzer")?;
        let log = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Ok((outcome_from(status), log))
    }

    fn search(&self, target: &str, seconds: u64) -> anyhow::Result<Outcome> {
        let mut command = self.fuzzer(target);
        let faults = self.folder(target, "faults");
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg("-print_final_stats=1")
            .arg(format!("-artifact_prefix={}/", faults.display()))
            .arg(format!("-dict={}", self.folder(target, "words").display()))
            .args(["found", "kept", "seeds"].map(|name| self.folder(target, name)));
        let (outcome, log) = self.logged(command, target)?;
        say(&format!("{target:<20} {}", found(&log)));
        if !matches!(outcome, Outcome::Passed) {
            let lines: Vec<&str> = log.lines().collect();
            say(&lines[lines.len().saturating_sub(40)..].join("\n"));
            say(&format!(
                "the case is in {}; to read it again: cargo run -p vitalcast-fuzz --bin fuzz_cases -- replay \
                 {target} FILE",
                faults.display()
            ));
        }
        Ok(outcome)
    }

    /// Makes the corpus of a target anew, of few cases that reach as much as all of them.
    fn keep(&self, target: &str) -> anyhow::Result<()> {
        let least = self.folder(target, "least");
        renewed(&least)?;
        let mut command = self.fuzzer(target);
        // Of the edges alone: how often each is passed would need many times the cases.
        command
            .args(["-set_cover_merge=1", "-use_counters=0"])
            .arg(&least)
            .args(["kept", "seeds", "found"].map(|name| self.folder(target, name)));
        let (outcome, log) = self.logged(command, target)?;
        ensure!(
            matches!(outcome, Outcome::Passed),
            "the cases of {target} cannot be merged:\n{log}"
        );
        let count = fs::read_dir(&least)?.count();
        self.cases(&["pack".as_ref(), least.as_ref(), target.as_ref()])?;
        say(&format!("{target:<20} {count} cases kept"));
        Ok(())
    }
}

/// An empty folder.
fn renewed(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

/// Builds what makes and packs cases; its path.
fn cases() -> anyhow::Result<PathBuf> {
    let mut command = cargo(&["build", "--locked", MESSAGES])?;
    command.args(["--package", "vitalcast-fuzz", "--bin", "fuzz_cases"]);
    built_by(command, "fuzz_cases")
}

/// The target of libFuzzer, with everything that it is built of instrumented.
fn instrumented(place: &Path) -> anyhow::Result<PathBuf> {
    say("building the readers, instrumented");
    let mut command = cargo(&["build", "--locked", "--release", MESSAGES])?;
    command
        .args(["--package", "vitalcast-fuzz", "--bin", "fuzz_readers"])
        .args(["--features", "libfuzzer"])
        // With a target that is named, programs of the build are not instrumented.
        .args(["--target", &host()?, "--target-dir"])
        .arg(place.join("target"))
        .env("RUSTFLAGS", INSTRUMENTED)
        .env("CARGO_PROFILE_RELEASE_STRIP", "none")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only");
    built_by(command, "fuzz_readers")
}

/// The target that the compiler runs on.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}

/// What a search did, from what libFuzzer writes.
fn found(log: &str) -> String {
    let words: Vec<&str> = log.split_whitespace().collect();
    let number = |name: &str| {
        let place = words.iter().rposition(|word| *word == name);
        let number = place.and_then(|place| words.get(place + 1));
        number.copied().unwrap_or("?")
    };
    format!(
        "{} executions, {} a second, {} edges, {} MiB at most",
        number("stat::number_of_executed_units:"),
        number("stat::average_exec_per_sec:"),
        number("cov:"),
        number("stat::peak_rss_mb:"),
    )
}

/// The texts in the source of a reader; for what is no reader, of all that is not one either.
fn words_of(source: &Path, target: &str) -> anyhow::Result<BTreeSet<String>> {
    let name = target.replace('-', "_");
    let readers = source.join("readers");
    let mut files = Vec::new();
    let mut folders = vec![readers.join(&name)];
    let one = readers.join(format!("{name}.rs"));
    if one.exists() {
        files.push(one);
    } else if !folders[0].exists() {
        folders = vec![source.to_owned()];
    }
    while let Some(folder) = folders.pop().filter(|folder| folder.exists()) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    let mut words = BTreeSet::new();
    for file in files {
        words.extend(texts(&fs::read_to_string(file)?));
    }
    Ok(words)
}

/// The short texts in quotes of a source file.
fn texts(source: &str) -> impl Iterator<Item = String> {
    // Of comments too: they name columns and keys between backticks.
    let parts = source.lines().flat_map(|line| line.split(['"', '`']));
    let parts = parts.filter(|part| (2..=60).contains(&part.len()));
    parts.filter(|part| !part.contains('\\')).map(str::to_owned)
}

/// Words as libFuzzer reads them.
fn dictionary<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted = words.map(|word| {
        let bytes = word.bytes().map(|byte| format!("\\x{byte:02x}"));
        format!("\"{}\"\n", bytes.collect::<String>())
    });
    quoted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_searched_for_a_minute_unless_asked_otherwise() {
        let options = Options::parsed(&[]).unwrap();
        assert!(options.seconds == 60 && options.only_seconds());
        let options = Options::parsed(&["--readers", "fit,oura", "--keep"]).unwrap();
        assert!(options.keep && !options.only_seconds());
        assert_eq!(options.readers, ["fit", "oura"]);
        for bad in [&["--seconds"][..], &["--seconds", "long"], &["--fast"]] {
            assert!(Options::parsed(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn figures_are_those_at_the_end() {
        let log = "#2\tINITED cov: 5 ft: 6\n#9\tDONE   cov: 71 ft: 80\nstat::number_of_executed_units: 9\n\
                   stat::average_exec_per_sec:     3\nstat::peak_rss_mb:              44\n";
        assert_eq!(
            found(log),
            "9 executions, 3 a second, 71 edges, 44 MiB at most"
        );
        assert!(found("").starts_with("? executions"));
    }

    #[test]
    fn words_are_the_texts_of_the_source() {
        let source = "//! `a.json`\nlet x = keys.has(\"bpm\") && is(\"\\u{1}\");";
        let found: Vec<String> = texts(source).collect();
        assert!(found.contains(&"bpm".to_owned()) && found.contains(&"a.json".to_owned()));
        assert!(!found.iter().any(|word| word.contains('\\')));
        assert_eq!(
            dictionary(["a\"".to_owned()].iter().map(String::as_str)),
            "\"\\x61\\x22\"\n"
        );
    }
}
