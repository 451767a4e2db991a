//! The same work by us and by others, in alternation, several times: a table of medians and ratios.

use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::printer::{complain, say};
use crate::step::cargo;
use crate::tools;

/// Rows of `benches/src/networks.rs` and `benches/peers/pytorch.py`.
const ROWS: [&str; 4] = ["train_default", "train_365_days", "infer_1", "infer_256"];
/// Threads PyTorch is given; the better count is the one we are compared with.
const THREADS: [&str; 2] = ["1", "2"];
/// Times everything is run.
const ROUNDS: usize = 3;

/// Seconds of every run of a row.
#[derive(Debug, Default, Clone)]
struct Measured {
    ours: Vec<f64>,
    peer: [Vec<f64>; THREADS.len()],
}

/// Measures and prints the table, or JSON.
pub(crate) fn run(as_json: bool) -> anyhow::Result<()> {
    let root = crate::root()?;
    let wanted = root.join("benches/peers/requirements.txt");
    let python = match tools::python(&root.join("target/peers"), &wanted)? {
        Ok(python) => python,
        Err(why) => bail!("{why}"),
    };
    // As for the criterion benches, so that their build serves both; binaries are built with them.
    let arguments = [
        "bench",
        "-p",
        "vitalcast-benches",
        "--bench",
        "networks",
        "--no-run",
    ];
    let built = cargo(&arguments)?.arg("--locked").status()?;
    if !built.success() {
        bail!("the benches do not build");
    }
    let mut measured = vec![Measured::default(); ROWS.len()];
    for round in 1..=ROUNDS {
        for (row, measured) in ROWS.into_iter().zip(&mut measured) {
            complain(&format!("round {round} of {ROUNDS}: {row}"));
            let ours = root.join("target/release/network_row");
            measured.ours.extend(seconds(Command::new(ours).arg(row))?);
            for (threads, peer) in THREADS.into_iter().zip(&mut measured.peer) {
                let script = root.join("benches/peers/pytorch.py");
                let mut command = Command::new(&python);
                command
                    .arg(script)
                    .args(["--row", row, "--threads", threads]);
                peer.extend(seconds(&mut command)?);
            }
        }
    }
    if as_json {
        let rows: Vec<Value> = ROWS.into_iter().zip(&measured).map(as_value).collect();
        say(&json!({ "rows": rows }).to_string());
        return Ok(());
    }
    say("medians in milliseconds; ratio: PyTorch at its better thread count over ours");
    say("row               ours  PyTorch 1 thread  2 threads  ratio");
    for (row, measured) in ROWS.into_iter().zip(&measured) {
        let [one, two] = [0, 1].map(|place| 1e3 * median(&measured.peer[place]));
        let ours = 1e3 * median(&measured.ours);
        let ratio = one.min(two) / ours;
        say(&format!(
            "{row:<14} {ours:>7.2}  {one:>16.2}  {two:>9.2}  {ratio:>5.2}"
        ));
    }
    Ok(())
}

fn as_value((row, measured): (&str, &Measured)) -> Value {
    let ours = median(&measured.ours);
    let peer = measured
        .peer
        .iter()
        .map(|runs| median(runs))
        .fold(f64::INFINITY, f64::min);
    json!({ "row": row, "ours": ours, "peer": peer, "unit": "s", "ratio": peer / ours })
}

/// The seconds a command prints.
fn seconds(command: &mut Command) -> anyhow::Result<Vec<f64>> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let answer: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{command:?} printed no JSON"))?;
    let seconds = answer["seconds"].as_array().context("no seconds")?;
    Ok(seconds.iter().filter_map(Value::as_f64).collect())
}

/// The middle value; of an even number the mean of the middle two. Not a number when there is none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_ratio_is_that_to_the_better_thread_count() {
        let measured = Measured {
            ours: vec![2.0, 1.0, 9.0],
            peer: [vec![5.0], vec![3.0]],
        };
        let row = as_value(("a", &measured));
        assert_eq!(
            (row["ours"].as_f64(), row["ratio"].as_f64()),
            (Some(2.0), Some(1.5))
        );
    }
}
