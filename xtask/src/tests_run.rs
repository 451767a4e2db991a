//! Every test of the workspace, with plain `cargo test`.
//!
//! Not nextest: it runs no doctests and no criterion bench, and a process for each test pays for
//! building the same network again and again. All targets first (benches run once, so that they
//! cannot rot), then doctests, which `--all-targets` leaves out. The runner's own lines are
//! passed on as they come, and the totals of all its binaries are added up at the end, because
//! the last binary of a workspace may hold no test at all.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;

use crate::passed::{Passed, REMEMBERED};
use crate::printer::say;
use crate::step::{Outcome, Steps, cargo, outcome_from, outcome_of, shown};
use crate::tools;

/// What everything is built with: lints, documents, tests and examples share it, so that each
/// dependency is compiled once. GPU crates are left to [`soak`](crate::soak).
pub(crate) const FEATURES: &str = "--features=vitalcast-models/ndarray";

/// Examples of each operation and phase that Schemathesis makes up here.
const EXAMPLES: &str = "20";

/// What the test runner counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    passed: u64,
    failed: u64,
    ignored: u64,
    binaries: u64,
    /// Passed in an earlier run, and not run now.
    remembered: u64,
}

impl Totals {
    /// Tests that passed.
    pub(crate) fn passed(self) -> u64 {
        self.passed
    }

    /// Add a closing line of the test runner, or of a test program that is remembered; any other line
    /// changes nothing.
    fn add_line(&mut self, line: &str) {
        if let Some(tests) = line.strip_prefix(REMEMBERED) {
            let count = tests.split(' ').next().and_then(|count| count.parse().ok());
            self.remembered += count.unwrap_or(0);
            self.binaries += 1;
            return;
        }
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        self.binaries += 1;
        for part in counts.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

/// Run all tests as a command of its own: those that have not passed yet, or whose program or files
/// have changed since. `all`: those that have passed, too.
pub(crate) fn run(all: bool) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::default();
    let passed = Passed::open(all)?;
    let totals = run_in(&mut steps, passed.as_ref())?;
    let code = steps.close();
    close(totals);
    Ok(code)
}

/// Run all tests but those that have `passed`. Doctests run even when a test has failed, and every time:
/// their programs are made anew.
pub(crate) fn run_in(steps: &mut Steps, passed: Option<&Passed>) -> anyhow::Result<Totals> {
    let mut totals = Totals::default();
    if !steps.run("c compiler", || Ok(c_compiler()))? {
        return Ok(totals);
    }
    for (name, which, passed) in [
        ("tests", "--all-targets", passed),
        ("doctests", "--doc", None),
    ] {
        steps.run(name, || {
            tests(&["--workspace", FEATURES, which], &[], passed, &mut totals)
        })?;
    }
    steps.run("onnx", || onnx(passed))?;
    steps.run("cohort tables", || cohort_tables(passed))?;
    steps.run("schemathesis", || schemathesis(EXAMPLES, passed))?;
    steps.run("example clients", || example_clients(passed))?;
    Ok(totals)
}

/// State the totals; the last line of a run with tests.
pub(crate) fn close(totals: Totals) {
    let Totals {
        passed,
        failed,
        ignored,
        binaries,
        remembered,
    } = totals;
    if remembered > 0 {
        say(&format!(
            "{remembered} more passed before, and nothing that they read has changed since \
             (--all runs them again)"
        ));
    }
    say(&format!(
        "all tests: {passed} passed, {failed} failed, {ignored} ignored, in {binaries} test binaries"
    ));
}

/// The bundled database engine is C; without a compiler their build fails late and obscurely.
fn c_compiler() -> Outcome {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let found = Command::new(&compiler)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Outcome::Passed;
    }
    say(&format!(
        "the C compiler `{}` was not found; install one (on Debian: apt-get install gcc libc6-dev)",
        compiler.to_string_lossy()
    ));
    Outcome::Failed(1)
}

/// Export networks and trees, and compare what onnxruntime makes of them with what they say here.
fn onnx(passed: Option<&Passed>) -> anyhow::Result<Outcome> {
    let root = crate::root()?;
    let wanted = root.join("xtask/python/requirements.txt");
    let python = match tools::python(&root.join("target/onnx-check"), &wanted)? {
        Ok(python) => python,
        Err(why) => return Ok(Outcome::NotDone(why)),
    };
    let built = build()?;
    if !matches!(built, Outcome::Passed) {
        return Ok(built);
    }
    let program = root.join("target/debug/examples/write_onnx");
    Passed::unless(passed, "onnx", std::slice::from_ref(&program), || {
        let files = root.join("target/onnx-check/files");
        let written = outcome_of(Command::new(&program).arg(&files))?;
        if !matches!(written, Outcome::Passed) {
            return Ok(written);
        }
        let script = root.join("xtask/python/check_onnx.py");
        outcome_of(Command::new(python).arg(script).arg(&files))
    })
}

/// Write tables of all people, and let the example read them with pyarrow.
fn cohort_tables(passed: Option<&Passed>) -> anyhow::Result<Outcome> {
    let root = crate::root()?;
    let wanted = root.join("xtask/python/requirements.txt");
    let python = match tools::python(&root.join("target/onnx-check"), &wanted)? {
        Ok(python) => python,
        Err(why) => return Ok(Outcome::NotDone(why)),
    };
    let built = build()?;
    if !matches!(built, Outcome::Passed) {
        return Ok(built);
    }
    let program = root.join("target/debug/vitalcast");
    Passed::unless(passed, "cohort", std::slice::from_ref(&program), || {
        write_and_read_tables(&root, &program, &python)
    })
}

fn write_and_read_tables(root: &Path, program: &Path, python: &Path) -> anyhow::Result<Outcome> {
    let data = root.join("target/cohort-check");
    let vitalcast = |arguments: &[&OsStr]| {
        let mut command = Command::new(program);
        outcome_of(command.arg("--data-dir").arg(&data).args(arguments))
    };
    let export = root.join("fixtures/lifesnaps");
    let mut outcome = vitalcast(&["import".as_ref(), export.as_ref()])?;
    for name in ["cohort.parquet", "cohort.arrow"] {
        let table = data.join(name);
        if matches!(outcome, Outcome::Passed) {
            let arguments = ["features", "--all", "--output"].map(OsStr::new);
            outcome = vitalcast(&[&arguments[..], &[table.as_ref()]].concat())?;
        }
        if matches!(outcome, Outcome::Passed) {
            let script = root.join("examples/cohort.py");
            outcome = outcome_of(Command::new(python).arg(script).arg(&table))?;
        }
    }
    Ok(outcome)
}

/// Commands and examples as the tests were built, so that nothing is built twice: examples alone
/// bring the dependencies of tests in, whose features would otherwise be missing, and without them
/// every crate would be compiled again.
fn build() -> anyhow::Result<Outcome> {
    let arguments = [
        "build",
        "--workspace",
        FEATURES,
        "--bins",
        "--examples",
        "--locked",
    ];
    outcome_of(&mut cargo(&arguments)?)
}

/// The server, built.
fn server() -> anyhow::Result<Result<PathBuf, Outcome>> {
    Ok(match build()? {
        Outcome::Passed => Ok(crate::root()?.join("target/debug/vitalcast-server")),
        failed @ (Outcome::Failed(_) | Outcome::NotDone(_)) => Err(failed),
    })
}

/// Let Schemathesis at every operation the service describes: all checks, all phases, so many examples.
pub(crate) fn schemathesis(examples: &str, passed: Option<&Passed>) -> anyhow::Result<Outcome> {
    let root = crate::root()?;
    let scripts = root.join("xtask/python/http");
    let wanted = scripts.join("requirements.txt");
    let python = match tools::python(&root.join("target/http-check"), &wanted)? {
        Ok(python) => python,
        Err(why) => return Ok(Outcome::NotDone(why)),
    };
    let server = match server()? {
        Ok(server) => server,
        Err(outcome) => return Ok(outcome),
    };
    let program = server.clone();
    Passed::unless(passed, "schemathesis", &[program], || {
        let mut check = Command::new(python);
        check.arg(scripts.join("check_http.py")).arg(server);
        outcome_of(check.arg(root.join("target/http-check/run")).arg(examples))
    })
}

/// Generate the example clients from the service's document, and run them against it.
fn example_clients(passed: Option<&Passed>) -> anyhow::Result<Outcome> {
    let root = crate::root()?;
    let wanted = root.join("examples/python/requirements.txt");
    let python = match tools::python(&root.join("target/client-check"), &wanted)? {
        Ok(python) => python,
        Err(why) => return Ok(Outcome::NotDone(why)),
    };
    let server = match server()? {
        Ok(server) => server,
        Err(outcome) => return Ok(outcome),
    };
    let program = server.clone();
    Passed::unless(passed, "clients", &[program], || {
        run_clients(&root, &server, &python)
    })
}

fn run_clients(root: &Path, server: &Path, python: &Path) -> anyhow::Result<Outcome> {
    let has_npm = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut check = Command::new(python);
    check
        .arg(root.join("xtask/python/http/check_clients.py"))
        .arg(server)
        .arg(root.join("target/client-check/run"))
        .arg(root.join("examples"))
        .arg(python);
    if has_npm {
        check.arg("npm");
    }
    let outcome = outcome_of(&mut check)?;
    if matches!(outcome, Outcome::Passed) && !has_npm {
        return Ok(Outcome::NotDone(
            "npm was not found, so the TypeScript example was not run; Node.js 20 brings it"
                .to_owned(),
        ));
    }
    Ok(outcome)
}

/// Run tests with `arguments` for `cargo test` and settings of the environment.
pub(crate) fn tests(
    arguments: &[&str],
    settings: &[(&str, &str)],
    passed: Option<&Passed>,
    totals: &mut Totals,
) -> anyhow::Result<Outcome> {
    let mut command = cargo(&["test", "--locked", "--no-fail-fast"])?;
    command.args(arguments).envs(settings.iter().copied());
    if let Some(passed) = passed {
        passed.add_to(&mut command)?;
    }
    counted(&mut command, totals)
}

/// Run a test command, passing its lines on and adding up its closing lines.
pub(crate) fn counted(command: &mut Command, totals: &mut Totals) -> anyhow::Result<Outcome> {
    say(&format!("$ {}", shown(command)));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{}`", shown(command)))?;
    let output = child
        .stdout
        .take()
        .context("the output was piped just above")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("reading the test runner's output")?;
        let line = String::from_utf8_lossy(&line);
        totals.add_line(&line);
        say(&line);
    }
    Ok(outcome_from(
        child.wait().context("waiting for the test runner")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up_and_nothing_else_is() {
        let mut totals = Totals::default();
        for line in [
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.03s",
            "test a_test ... ok",
            "unchanged since it passed: 5 tests",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.5s",
        ] {
            totals.add_line(line);
        }
        assert_eq!(
            totals,
            Totals {
                passed: 16,
                failed: 2,
                ignored: 1,
                binaries: 3,
                remembered: 5,
            }
        );
    }
}
