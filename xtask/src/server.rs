//! Load test of the service: goals and measured values.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::process::Command;

use crate::built::built;
use crate::printer::{complain, say};

/// A scenario, what is asked of it, and what the reference service does (its own code, one worker,
/// the same two cores; see the README).
const ROWS: [(&str, &str, &str); 13] = [
    ("start_to_ready", "< 300 ms", ""),
    (
        "cached_64_connections",
        "≥ 10,000/s, p99 ≤ 15 ms",
        "33 to 40/s, p50 31 ms",
    ),
    (
        "uncached_200_per_second",
        "p50 ≤ 5 ms, p99 ≤ 40 ms",
        "p50 1,094 ms",
    ),
    ("uncached_peak", "", ""),
    ("ingest_1_at_1000_per_second", "p99 ≤ 30 ms", ""),
    ("ingest_1_peak", "≥ 1,000/s", ""),
    ("ingest_10000", "≤ 1 s", ""),
    ("forecasts_before_trainings", "", ""),
    (
        "forecasts_during_trainings",
        "p99 ≤ 3 × before",
        "none for 0.4 to 2.1 s",
    ),
    ("forecasts_after_trainings", "", ""),
    (
        "overload_5x",
        "≥ 80 % of peak, refusals < 50 ms",
        "0 to 3/s at 16 clients",
    ),
    ("memory_at_the_end", "", "985 to 1,012 MB"),
    ("idle_10000", "< 300 MB", ""),
];

/// What to measure, and how to print it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    as_json: bool,
    /// Names of rows; none: all.
    rows: Vec<&'static str>,
}

impl Options {
    pub(crate) fn parsed(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--json" => options.as_json = true,
                "--rows" => {
                    let names = crate::value_of(word, &mut words)?;
                    for name in names.split(',') {
                        let known = ROWS.iter().find(|(row, ..)| *row == name);
                        let (known, ..) = known.ok_or_else(|| {
                            let names: Vec<&str> = ROWS.iter().map(|(row, ..)| *row).collect();
                            format!("--rows {name}: expected some of {}", names.join(","))
                        })?;
                        options.rows.push(known);
                    }
                }
                other => return Err(format!("bench-server has no option {other}")),
            }
        }
        Ok(options)
    }
}

/// Measures and prints the table, or JSON.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = crate::root()?;
    let service = built("vitalcast-server", "vitalcast-server")?;
    let load = built("vitalcast-benches", "server_load")?;
    complain("measuring, about two minutes");
    let output = Command::new(load)
        .arg(service)
        .arg(root.join("target/server-load"))
        .args(&options.rows)
        .output()
        .context("starting the load")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).context("reading the rows")?;
    if options.as_json {
        say(&json!({ "rows": rows }).to_string());
        return Ok(());
    }
    say("| scenario | goal | measured | reference service |");
    say("| --- | --- | --- | --- |");
    for (name, goal, reference) in ROWS {
        if let Some(row) = rows.iter().find(|row| row["name"] == name) {
            let measured = measured(row);
            say(&format!("| {name} | {goal} | {measured} | {reference} |"));
        }
    }
    Ok(())
}

fn measured(row: &Value) -> String {
    let number = |name: &str| row[name].as_f64();
    if let Some(seconds) = number("seconds") {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if let Some(memory) = number("memory_mb") {
        return format!("{memory:.0} MB");
    }
    let value = |name: &str| number(name).unwrap_or(f64::NAN);
    let mut text = format!(
        "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        value("per_second"),
        value("p50_ms"),
        value("p99_ms")
    );
    if value("refused") > 0.0 {
        text.push_str(&format!(
            "; {:.0} refused, p99 {:.1} ms",
            value("refused"),
            value("refused_p99_ms")
        ));
    }
    if value("other") > 0.0 {
        text.push_str(&format!("; {:.0} other answers", value("other")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_are_measured_unless_some_are_named() {
        assert_eq!(Options::parsed(&[]), Ok(Options::default()));
        let some = Options::parsed(&["--rows", "overload_5x,idle_10000", "--json"]).unwrap();
        assert_eq!(some.rows, ["overload_5x", "idle_10000"]);
        assert!(some.as_json);
        for wrong in [&["--rows"][..], &["--rows", "overlaod"], &["--fast"]] {
            assert!(Options::parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
