//! Cases without libFuzzer: made of files, packed, and read again.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vitalcast_fuzz::{Bench, Case, Target, corpus};

type Outcome = Result<(), Box<dyn Error>>;

/// Longest case, bytes: libFuzzer is told the same.
const LONGEST: usize = 16_384;
/// Most bytes of the cases that are kept of a target, the shortest first.
const KEPT: usize = 24_000;

const USAGE: &str = "\
usage: fuzz_cases targets               print the names of all targets
       fuzz_cases make FOLDER INTO      make a case of each path in a folder
       fuzz_cases pack FOLDER TARGET    make the cases in a folder those of a target
       fuzz_cases unpack TARGET INTO    write the cases of a target, a file each
       fuzz_cases replay TARGET FILE…   read cases";

#[expect(clippy::print_stderr, reason = "this is a command")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["targets"] => {
            targets();
            Ok(())
        }
        ["make", folder, into] => make(Path::new(folder), Path::new(into)),
        ["pack", folder, target] => pack(Path::new(folder), target),
        ["unpack", target, into] => unpack(target, Path::new(into)),
        ["replay", target, files @ ..] => replay(target, files),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is a command")]
fn targets() {
    for target in Target::all() {
        println!("{}", target.name());
    }
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<std::io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    Ok(entries)
}

/// Writes cases as files with numbers.
fn write(cases: &[Vec<u8>], into: &Path) -> Outcome {
    fs::create_dir_all(into)?;
    for (number, case) in cases.iter().enumerate() {
        fs::write(into.join(format!("{number:04}")), case)?;
    }
    Ok(())
}

fn make(folder: &Path, into: &Path) -> Outcome {
    let mut cases = Vec::new();
    for path in entries(folder)? {
        let case = Case::of(&path)?;
        cases.extend(case.encode().filter(|case| case.len() <= LONGEST));
    }
    cases.sort();
    cases.dedup();
    write(&cases, into)
}

fn pack(folder: &Path, target: &str) -> Outcome {
    let target: Target = target.parse()?;
    let files = entries(folder)?.into_iter().map(fs::read);
    let mut cases = files.collect::<std::io::Result<Vec<Vec<u8>>>>()?;
    // The order does not depend on the names that libFuzzer gives.
    cases.sort_by(|left, right| (left.len(), left).cmp(&(right.len(), right)));
    let mut bytes = 0;
    cases.retain(|case| {
        bytes += case.len();
        bytes <= KEPT
    });
    fs::write(corpus::file_of(target.name()), corpus::pack(&cases))?;
    Ok(())
}

fn unpack(target: &str, into: &Path) -> Outcome {
    let target: Target = target.parse()?;
    let file = corpus::file_of(target.name());
    let packed = if file.exists() {
        fs::read(file)?
    } else {
        Vec::new()
    };
    write(&corpus::unpack(&packed)?, into)
}

fn replay(target: &str, files: &[&str]) -> Outcome {
    let target = target.parse()?;
    let bench = Bench::new()?;
    for file in files {
        bench.read(target, &fs::read(file)?);
    }
    Ok(())
}
