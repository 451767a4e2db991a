//! Comparison with other projects: the same work is run in alternation several times, with a table of
//! medians and ratios.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::printer::{complain, say};
use crate::step::cargo;
use crate::tools;

/// Times everything is run.
const ROUNDS: usize = 3;

const PYTORCH: &[&str] = &["PyTorch"];
const NETWORKS: &[&str] = &["PyTorch", "onnxruntime"];
const TREES: &[&str] = &["LightGBM", "XGBoost"];

/// Rows of `benches/src/networks.rs` and of the scripts in `benches/peers`, and who else does them.
/// The first is the one we are compared with; of trees, the faster one.
const ROWS: [(&str, &[&str]); 9] = [
    ("train_default", PYTORCH),
    ("train_365_days", PYTORCH),
    ("infer_1", NETWORKS),
    ("infer_256", NETWORKS),
    ("train_100_people", PYTORCH),
    ("trees_fit", TREES),
    ("trees_predict", TREES),
    ("ets", &["statsforecast"]),
    ("correlations", &["SciPy"]),
];
/// Threads each peer is given; the better count is the one that counts.
const THREADS: [usize; 2] = [1, 2];

/// What one contender took for a row.
#[derive(Debug, Clone, Default)]
struct Measured {
    seconds: Vec<f64>,
    peak_mb: f64,
}

impl Measured {
    fn add(&mut self, answer: &Value) -> anyhow::Result<()> {
        let seconds = answer["seconds"].as_array().context("no seconds")?;
        self.seconds
            .extend(seconds.iter().filter_map(Value::as_f64));
        self.peak_mb = self
            .peak_mb
            .max(answer["peak_mb"].as_f64().unwrap_or(f64::NAN));
        Ok(())
    }
}

/// A peer with a number of threads, and what it took.
#[derive(Debug, Clone)]
struct Contender {
    peer: &'static str,
    threads: usize,
    measured: Measured,
}

/// A row, ours and theirs.
#[derive(Debug, Clone)]
struct Row {
    name: &'static str,
    ours: Measured,
    theirs: Vec<Contender>,
}

impl Row {
    fn new(name: &'static str, peers: &[&'static str]) -> Self {
        let theirs = peers.iter().flat_map(|&peer| {
            THREADS.map(|threads| Contender {
                peer,
                threads,
                measured: Measured::default(),
            })
        });
        Self {
            name,
            ours: Measured::default(),
            theirs: theirs.collect(),
        }
    }

    /// The peer of the comparison: the first one with its faster number of threads; for trees, the
    /// fastest one.
    fn rival(&self) -> Option<&Contender> {
        let first = self.theirs.first()?.peer;
        let counts = |contender: &&Contender| TREES.contains(&first) || contender.peer == first;
        self.theirs.iter().filter(counts).min_by(|left, right| {
            median(&left.measured.seconds).total_cmp(&median(&right.measured.seconds))
        })
    }

    fn as_value(&self) -> Value {
        let ours = median(&self.ours.seconds);
        let rival = self.rival();
        let peer = rival.map_or(f64::NAN, |rival| median(&rival.measured.seconds));
        let all: Map<String, Value> = self
            .theirs
            .iter()
            .map(|contender| {
                let of = &contender.measured;
                let facts = json!({ "seconds": median(&of.seconds), "peak_mb": of.peak_mb });
                (contender.name(), facts)
            })
            .collect();
        json!({
            "row": self.name,
            "ours": ours,
            "peer": peer,
            "unit": "s",
            "ratio": peer / ours,
            "peer_name": rival.map(Contender::name),
            "ours_peak_mb": self.ours.peak_mb,
            "peer_peak_mb": rival.map(|rival| rival.measured.peak_mb),
            "peers": all,
        })
    }
}

impl Contender {
    fn name(&self) -> String {
        let threads = if self.threads == 1 {
            "thread"
        } else {
            "threads"
        };
        format!("{}, {} {threads}", self.peer, self.threads)
    }

    fn command(&self, root: &Path, python: &Path, model: &Path, row: &str) -> Command {
        let mut command = Command::new(python);
        let script = if self.peer == "PyTorch" {
            "pytorch.py"
        } else {
            "other.py"
        };
        command.arg(root.join("benches/peers").join(script)).args([
            "--row",
            row,
            "--threads",
            &self.threads.to_string(),
        ]);
        if self.peer != "PyTorch" {
            command
                .args(["--peer", &self.peer.to_lowercase(), "--model"])
                .arg(model);
        }
        command
    }
}

/// Measures and prints the table, or JSON.
pub(crate) fn run(as_json: bool) -> anyhow::Result<()> {
    let root = crate::root()?;
    let folder = root.join("target/peers");
    let wanted = root.join("benches/peers/requirements.txt");
    let python = match tools::python(&folder, &wanted)? {
        Ok(python) => python,
        Err(why) => bail!("{why}"),
    };
    let binary = built(&root)?;
    let model = folder.join("default.onnx");
    let written = Command::new(&binary).arg("--onnx").arg(&model).status()?;
    if !written.success() {
        bail!("the default network could not be exported");
    }
    let mut rows = ROWS.map(|(name, peers)| Row::new(name, peers));
    for round in 1..=ROUNDS {
        for row in &mut rows {
            complain(&format!("round {round} of {ROUNDS}: {}", row.name));
            row.ours
                .add(&answer(Command::new(&binary).arg(row.name))?)?;
            for contender in &mut row.theirs {
                let mut command = contender.command(&root, &python, &model, row.name);
                contender.measured.add(&answer(&mut command)?)?;
            }
        }
    }
    if as_json {
        let rows: Vec<Value> = rows.iter().map(Row::as_value).collect();
        say(&json!({ "machine": machine(), "rows": rows }).to_string());
        return Ok(());
    }
    say(&machine());
    say("medians in milliseconds, the most memory held in MB; ratio: theirs over ours");
    say("row                      ours     MB  peer                       theirs     MB  ratio");
    for row in &rows {
        let ours = 1e3 * median(&row.ours.seconds);
        for (place, contender) in row.theirs.iter().enumerate() {
            let theirs = 1e3 * median(&contender.measured.seconds);
            let (name, own, memory) = if place == 0 {
                (
                    row.name,
                    format!("{ours:.2}"),
                    format!("{:.0}", row.ours.peak_mb),
                )
            } else {
                ("", String::new(), String::new())
            };
            say(&format!(
                "{name:<18} {own:>10} {memory:>6}  {:<24} {theirs:>8.2} {:>6.0} {:>6.2}",
                contender.name(),
                contender.measured.peak_mb,
                theirs / ours
            ));
        }
    }
    Ok(())
}

/// Builds our side, as for the criterion benches, so that their build serves both.
fn built(root: &Path) -> anyhow::Result<PathBuf> {
    let arguments = [
        "bench",
        "-p",
        "vitalcast-benches",
        "--bench",
        "networks",
        "--no-run",
    ];
    if !cargo(&arguments)?.arg("--locked").status()?.success() {
        bail!("the benches do not build");
    }
    Ok(root.join("target/release/network_row"))
}

/// The processor and how many of it there are.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = described
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, model)| model);
    let wide = if described.contains(" avx512f") {
        ", AVX-512"
    } else {
        ""
    };
    format!("{cores} × {model}{wide}, {}", std::env::consts::OS)
}

/// What a command prints: JSON.
fn answer(command: &mut Command) -> anyhow::Result<Value> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?} printed no JSON"))
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

    fn ratio(peers: &[&'static str], seconds: [f64; 4]) -> Option<f64> {
        let mut row = Row::new("a", peers);
        row.ours.seconds = vec![2.0, 1.0, 9.0];
        for (contender, seconds) in row.theirs.iter_mut().zip(seconds) {
            contender.measured.seconds = vec![seconds];
        }
        row.as_value()["ratio"].as_f64()
    }

    #[test]
    fn the_ratio_is_that_to_the_first_peer_at_its_better_thread_count() {
        assert_eq!(ratio(NETWORKS, [5.0, 3.0, 1.0, 1.0]), Some(1.5));
    }

    #[test]
    fn of_trees_the_ratio_is_that_to_the_fastest() {
        assert_eq!(ratio(TREES, [5.0, 3.0, 1.0, 4.0]), Some(0.5));
    }
}
