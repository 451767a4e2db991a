//! Programs of the workspace, built optimised.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::printer::complain;
use crate::step::cargo;

/// The option with which cargo answers in JSON.
pub(crate) const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// Builds a program of a package; its path, wherever cargo's target folder is.
pub(crate) fn built(package: &str, program: &str) -> anyhow::Result<PathBuf> {
    complain(&format!("building {program}, optimised"));
    let arguments = [
        "build",
        "--release",
        "--locked",
        MESSAGES,
        "-p",
        package,
        "--bin",
        program,
    ];
    built_by(cargo(&arguments)?, program)
}

/// Runs cargo, which builds a program and answers in JSON; the program's path.
pub(crate) fn built_by(mut cargo: Command, program: &str) -> anyhow::Result<PathBuf> {
    // What it does and what it finds wrong goes where ours goes.
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    if !output.status.success() {
        bail!("{program} could not be built");
    }
    executable(&String::from_utf8_lossy(&output.stdout), program)
        .with_context(|| format!("cargo does not say where {program} is"))
}

/// The file of a program in cargo's messages, one JSON object a line.
fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it =
            message["reason"] == "compiler-artifact" && message["target"]["name"] == program;
        is_it.then(|| message["executable"].as_str().map(PathBuf::from))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_where_cargo_says() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"bench"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"bench"},"executable":"/elsewhere/release/bench"}
{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/elsewhere/release/other"}
{"reason":"build-finished","success":true}"#;
        let found = executable(messages, "bench");
        assert_eq!(found, Some(PathBuf::from("/elsewhere/release/bench")));
        assert_eq!(executable(messages, "nothing"), None);
    }
}
