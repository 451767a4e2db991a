//! What is measured or made outside of criterion, in one program, so that only one is linked.

mod costs;
mod large;
mod one_row;
mod pretrain;

use std::path::Path;
use std::process::ExitCode;

/// As in the binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: vitalcast-bench row NAME              measure a row of `cargo xtask bench-peers`
       vitalcast-bench onnx FILE             write the default network for onnxruntime
       vitalcast-bench exports FOLDER        write the exports that the peers read
       vitalcast-bench read EXPORT MIB       read an export of that size: apple, steps, heart-rate, health-connect
       vitalcast-bench costs                 print the table of `crates/models/README.md`
       vitalcast-bench pretrain DATA FOLDER  fit the models of the release";

#[expect(clippy::print_stderr, reason = "this is a command")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["row", name] => one_row::run(name),
        ["onnx", file] => one_row::export(Path::new(file)),
        ["exports", folder] => large::write(Path::new(folder)),
        ["read", name, mebibytes] => large::read(name, mebibytes),
        ["costs"] => costs::run(),
        ["pretrain", data, folder] => pretrain::run(Path::new(data), Path::new(folder)),
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
