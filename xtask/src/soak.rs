//! Long tests that do not run for each change: the same tests with larger numbers, fuzzing, the GPU backend,
//! and the LSTM on 64-bit ARM.
//!
//! Each has a share in `cargo xtask test` (of fuzzing: the cases that were kept), except the last two: their
//! crates would have to be compiled for every change.

use std::process::ExitCode;

use crate::fuzz;
use crate::step::{Outcome, Steps, cargo, outcome_of};
use crate::tests_run::{self, Totals};
use crate::tools;

/// Tells tests to take their large figures. A property that names its number of cases keeps to it.
const LARGE: [(&str, &str); 2] = [("VITALCAST_SOAK", "1"), ("PROPTEST_CASES", "10000")];

/// Examples of each operation and phase that Schemathesis makes up.
const EXAMPLES: &str = "1000";

/// Models and their fitting, on a GPU too.
const WITH_GPU: [&str; 6] = [
    "--package",
    "vitalcast-models",
    "--package",
    "vitalcast-training",
    "--features",
    "vitalcast-models/wgpu,vitalcast-models/ndarray",
];

/// 64-bit ARM, linked with what rustup brings, so that no C compiler for it is needed.
const ARM: &str = "aarch64-unknown-linux-musl";

/// All models: the kernel of the LSTM, gradients, golden values, trees.
const ON_ARM: [&str; 7] = [
    "--package",
    "vitalcast-models",
    "--lib",
    "--test",
    "it",
    "--target",
    ARM,
];

/// Run every step.
pub(crate) fn run(fuzzing: &fuzz::Options) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::default();
    let mut totals = Totals::default();
    let large = |test: &[&str], totals: &mut Totals| tests_run::tests(test, &LARGE, None, totals);
    steps.run("kills", || {
        let packages = [
            "--package",
            "vitalcast-server",
            "--package",
            "vitalcast-cli",
        ];
        let which = ["--test", "it", "kills::"];
        large(&[&packages[..], &which].concat(), &mut totals)
    })?;
    steps.run("chance", || {
        let which = [
            "--package",
            "vitalcast-insight",
            "--test",
            "it",
            "validity::",
        ];
        large(&which, &mut totals)
    })?;
    steps.run("properties", || {
        let which = ["--workspace", "--test", "it", "properties::"];
        large(&which, &mut totals)
    })?;
    steps.run("damage", || {
        let which = ["--package", "vitalcast-import", "--test", "it", "damage::"];
        large(&which, &mut totals)
    })?;
    steps.run("fuzz", || fuzz::search(fuzzing))?;
    steps.run("schemathesis", || tests_run::schemathesis(EXAMPLES, None))?;
    steps.run("gpu", || gpu(&mut totals))?;
    steps.run("arm", || arm(&mut totals))?;
    let code = steps.close();
    tests_run::close(totals);
    Ok(code)
}

/// What the LSTM computes with NEON; an emulator says nothing of its speed.
fn arm(totals: &mut Totals) -> anyhow::Result<Outcome> {
    let emulator = tools::arm(ARM)?;
    if !matches!(emulator, Outcome::Passed) {
        return Ok(emulator);
    }
    let settings = [
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld"),
        (
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER",
            tools::ARM_EMULATOR,
        ),
    ];
    tests_run::tests(&ON_ARM, &settings, None, totals)
}

fn gpu(totals: &mut Totals) -> anyhow::Result<Outcome> {
    let driver = tools::vulkan()?;
    if !matches!(driver, Outcome::Passed) {
        return Ok(driver);
    }
    let mut lints = cargo(&["clippy", "--locked", "--all-targets"])?;
    let linted = outcome_of(lints.args(WITH_GPU).args(["--", "-D", "warnings"]))?;
    if !matches!(linted, Outcome::Passed) {
        return Ok(linted);
    }
    tests_run::tests(&WITH_GPU, &[], None, totals)
}
