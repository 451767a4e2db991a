//! The rows of the table: what was measured, and which peer we are compared with.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

use super::contenders::{Contender, Environment, Peer};
use super::machine::{InstructionSet, Others};

/// With whom a row compares us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// With each peer.
    Each,
    /// With the fastest peer.
    Fastest,
}

/// A piece of work: a row of `benches/src/rows.rs` and of the scripts in `benches/peers`.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) peers: &'static [Peer],
    pub(super) against: Against,
    /// It takes too long to be done more often.
    pub(super) most_rounds: usize,
}

impl Work {
    const fn new(name: &'static str, peers: &'static [Peer]) -> Self {
        Self {
            name,
            peers,
            against: Against::Fastest,
            most_rounds: usize::MAX,
        }
    }

    /// Whether a peer of it needs an environment.
    pub(super) fn needs(&self, environment: Environment) -> bool {
        self.peers
            .iter()
            .any(|peer| peer.environment() == environment)
    }
}

const TREES: &[Peer] = &[Peer::LightGbm, Peer::XgBoost];
const NETWORKS: &[Peer] = &[Peer::PyTorch, Peer::Onnxruntime];
const READERS_OF_APPLE: &[Peer] = &[
    Peer::HealthkitToSqlite,
    Peer::AppleHealthParser,
    Peer::Pandas,
];

/// All rows, in the order of the table.
pub(super) const ALL: [Work; 18] = [
    Work::new("train_default", &[Peer::PyTorch]),
    Work::new("train_365_days", &[Peer::PyTorch]),
    Work {
        against: Against::Each,
        ..Work::new("infer_1", NETWORKS)
    },
    Work::new("infer_256", NETWORKS),
    Work::new("train_100_people", &[Peer::PyTorch]),
    Work::new("trees_fit", TREES),
    Work {
        most_rounds: 1,
        ..Work::new("trees_fit_large", TREES)
    },
    Work::new("trees_predict", TREES),
    Work::new("ets", &[Peer::Statsforecast]),
    Work::new("correlations", &[Peer::SciPy]),
    Work::new("shap_trees", &[Peer::Shap]),
    Work::new("shap_trees_256", &[Peer::Shap]),
    Work::new("shapley_network", &[Peer::Captum]),
    Work::new("counterfactual", &[Peer::DiceMl]),
    Work::new("randomisation", &[Peer::SciPy]),
    Work {
        against: Against::Each,
        ..Work::new("import_apple", READERS_OF_APPLE)
    },
    Work::new("import_takeout", &[Peer::Pandas]),
    Work {
        against: Against::Each,
        ..Work::new("import_health_connect", &[Peer::Pandas, Peer::Sqlite3])
    },
];

/// What a program answered for a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    seconds: Vec<f64>,
    peak_mb: Option<f64>,
    version: Option<String>,
    /// The instruction set that it says it used.
    pub(super) isa: Option<String>,
}

impl Answer {
    /// From what it printed: `{"seconds": [...], "peak_mb": ..., "version": ..., "isa": ...}`, of which
    /// all but the seconds may be missing or null.
    pub(super) fn read(printed: &[u8]) -> anyhow::Result<Self> {
        let value: Value = serde_json::from_slice(printed).context("no JSON")?;
        let seconds = value["seconds"].as_array().context("no seconds")?;
        let seconds = seconds
            .iter()
            .map(|seconds| seconds.as_f64().filter(|seconds| *seconds > 0.0))
            .collect::<Option<Vec<f64>>>()
            .context("seconds that are none")?;
        ensure!(!seconds.is_empty(), "no seconds");
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Ok(Self {
            seconds,
            peak_mb: value["peak_mb"].as_f64(),
            version: text("version"),
            isa: text("isa"),
        })
    }
}

/// What one side took for a row, over all rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    seconds: Vec<f64>,
    pub(super) peak_mb: Option<f64>,
    pub(super) version: Option<String>,
    pub(super) others: Others,
}

impl Measured {
    /// One more round, and what others used meanwhile.
    pub(super) fn add(&mut self, answer: Answer, others: Others) {
        self.seconds.extend(answer.seconds);
        self.peak_mb = match (self.peak_mb, answer.peak_mb) {
            (Some(before), Some(now)) => Some(before.max(now)),
            (before, now) => before.or(now),
        };
        self.version = answer.version.or(self.version.take());
        self.others = self.others.and(others);
    }

    /// The median of all runs; not a number when there is none.
    pub(super) fn seconds(&self) -> f64 {
        median(&self.seconds)
    }

    /// The fastest run: what others disturb least.
    fn fastest(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::NAN, f64::min)
    }
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

/// All that was measured, by the name of the row.
#[derive(Debug)]
pub(super) struct Measurements {
    /// The instruction set of whoever is not held to another.
    pub(super) native: InstructionSet,
    pub(super) ours: BTreeMap<(&'static str, InstructionSet), Measured>,
    /// A peer that cannot be held is measured once for all instruction sets.
    pub(super) theirs: BTreeMap<(&'static str, Contender), Measured>,
}

/// Us and one peer with its better number of threads.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) work: &'static Work,
    pub(super) set: InstructionSet,
    pub(super) ours: &'a Measured,
    pub(super) contender: Contender,
    pub(super) theirs: &'a Measured,
}

impl Pair<'_> {
    /// Theirs over ours: above 1 we are faster.
    pub(super) fn ratio(&self) -> f64 {
        self.theirs.seconds() / self.ours.seconds()
    }

    /// What others used while either side ran.
    pub(super) fn others(&self) -> Others {
        self.ours.others.and(self.theirs.others)
    }
}

impl Measurements {
    pub(super) fn new(native: InstructionSet) -> Self {
        Self {
            native,
            ours: BTreeMap::new(),
            theirs: BTreeMap::new(),
        }
    }

    /// The peers of a row with all numbers of threads, as they stand beside ours on an instruction
    /// set.
    pub(super) fn contenders(
        &self,
        work: &Work,
        set: InstructionSet,
    ) -> impl Iterator<Item = Contender> {
        let native = self.native;
        let beside = move |peer: Peer| {
            let threads = peer.threads().iter();
            threads.map(move |threads| Contender::beside(peer, *threads, set, native))
        };
        work.peers.iter().copied().flat_map(beside)
    }

    /// Us beside every peer of a row, the fastest first.
    pub(super) fn pairs(&self, work: &'static Work, set: InstructionSet) -> Vec<Pair<'_>> {
        let Some(ours) = self.ours.get(&(work.name, set)) else {
            return Vec::new();
        };
        let mut pairs: Vec<Pair<'_>> = self
            .contenders(work, set)
            .filter_map(|contender| {
                let theirs = self.theirs.get(&(work.name, contender))?;
                Some(Pair {
                    work,
                    set,
                    ours,
                    contender,
                    theirs,
                })
            })
            .collect();
        pairs.sort_by(|left, right| left.theirs.seconds().total_cmp(&right.theirs.seconds()));
        let mut seen = BTreeSet::new();
        pairs.retain(|pair| seen.insert(pair.contender.peer));
        pairs
    }

    /// The comparisons that count: with each peer, or with the fastest.
    pub(super) fn values(&self, work: &'static Work, set: InstructionSet) -> Vec<Value> {
        let pairs = self.pairs(work, set);
        let counted = match work.against {
            Against::Each => pairs.len(),
            Against::Fastest => pairs.len().min(1),
        };
        pairs
            .iter()
            .take(counted)
            .map(|pair| self.value(pair))
            .collect()
    }

    fn value(&self, pair: &Pair<'_>) -> Value {
        let all: Map<String, Value> = self
            .contenders(pair.work, pair.set)
            .filter_map(|contender| {
                let measured = self.theirs.get(&(pair.work.name, contender))?;
                let facts = json!({
                    "isa": contender.set.name(),
                    "seconds": measured.seconds(),
                    "peak_mb": measured.peak_mb,
                });
                Some((contender.words(), facts))
            })
            .collect();
        json!({
            "row": pair.work.name,
            "isa": pair.set.name(),
            "ours": pair.ours.seconds(),
            "peer": pair.theirs.seconds(),
            "peer_name": pair.contender.peer.name(),
            "peer_threads": pair.contender.threads,
            "peer_version": pair.theirs.version,
            "peer_isa": pair.contender.set.name(),
            "unit": "s",
            "ratio": pair.ratio(),
            "ours_fastest": pair.ours.fastest(),
            "peer_fastest": pair.theirs.fastest(),
            "ours_peak_mb": pair.ours.peak_mb,
            "peer_peak_mb": pair.theirs.peak_mb,
            "others_share": pair.others().share(),
            "busy": pair.others().are_busy(),
            "peers": all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InstructionSet::{Avx2, Avx512};

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    fn answer(seconds: &[f64]) -> Answer {
        Answer {
            seconds: seconds.to_vec(),
            peak_mb: Some(10.0 * seconds[0]),
            version: Some("1.2".to_owned()),
            isa: None,
        }
    }

    fn work(name: &str) -> &'static Work {
        static WORKS: [Work; ALL.len()] = ALL;
        WORKS.iter().find(|work| work.name == name).unwrap()
    }

    /// A row with ours of 2 s, and the peers' seconds by peer and threads.
    fn measured(name: &str, sets: &[InstructionSet], theirs: &[f64]) -> Measurements {
        let mut all = Measurements::new(Avx512);
        for set in sets {
            let ours = all.ours.entry((work(name).name, *set)).or_default();
            ours.add(answer(&[2.0, 1.0, 9.0]), Others::default());
            let contenders: Vec<Contender> = all.contenders(work(name), *set).collect();
            for (contender, seconds) in contenders.into_iter().zip(theirs) {
                let theirs = all.theirs.entry((work(name).name, contender)).or_default();
                theirs.add(answer(&[*seconds]), Others::default());
            }
        }
        all
    }

    /// Peer, threads and ratio of each comparison.
    fn counted(name: &str, theirs: &[f64]) -> Vec<(String, u64, f64)> {
        let values = measured(name, &[Avx512], theirs).values(work(name), Avx512);
        let facts = values.iter().map(|value| {
            (
                value["peer_name"].as_str().unwrap().to_owned(),
                value["peer_threads"].as_u64().unwrap(),
                value["ratio"].as_f64().unwrap(),
            )
        });
        facts.collect()
    }

    #[test]
    fn one_window_is_compared_with_each_peer_at_its_better_thread_count() {
        assert_eq!(
            counted("infer_1", &[5.0, 3.0, 1.0, 4.0]),
            [
                ("onnxruntime".to_owned(), 1, 0.5),
                ("PyTorch".to_owned(), 2, 1.5)
            ]
        );
    }

    #[test]
    fn other_rows_are_compared_with_the_fastest() {
        for row in ["infer_256", "trees_fit", "trees_fit_large", "trees_predict"] {
            let counted = counted(row, &[5.0, 3.0, 7.0, 4.0]);
            assert_eq!(counted.len(), 1, "{row}");
            assert_eq!((counted[0].1, counted[0].2), (2, 1.5), "{row}");
        }
    }

    #[test]
    fn a_row_in_json_has_what_its_readers_look_for() {
        let all = measured("infer_256", &[Avx2], &[5.0, 3.0, 4.0, 6.0]);
        let value = &all.values(work("infer_256"), Avx2)[0];
        assert_eq!(value["row"], "infer_256");
        assert_eq!(value["isa"], "avx2");
        assert_eq!(value["ours"], 2.0);
        assert_eq!(value["ours_fastest"], 1.0);
        assert_eq!(value["peer"], 3.0);
        assert_eq!(value["peer_name"], "PyTorch");
        assert_eq!(value["peer_version"], "1.2");
        assert_eq!(value["unit"], "s");
        assert_eq!(value["ratio"], 1.5);
        assert_eq!(value["ours_peak_mb"], 20.0);
        assert_eq!(value["peer_peak_mb"], 30.0);
        // Nobody watched.
        assert_eq!(value["busy"], Value::Null);
        assert_eq!(value["peers"].as_object().unwrap().len(), 4);
        assert_eq!(value["peers"]["onnxruntime, 1 thread"]["seconds"], 4.0);
        assert_eq!(value["peers"]["onnxruntime, 1 thread"]["isa"], "avx512");
    }

    #[test]
    fn a_peer_that_cannot_be_held_is_the_same_beside_both_sets() {
        let all = measured("trees_fit", &[Avx2, Avx512], &[5.0, 3.0, 7.0, 4.0]);
        assert_eq!(all.ours.len(), 2);
        assert_eq!(all.theirs.len(), 4);
        let all = measured("train_default", &[Avx2, Avx512], &[5.0, 3.0]);
        assert_eq!(all.theirs.len(), 4);
    }

    #[test]
    fn a_row_without_a_peer_is_left_out() {
        let all = measured("trees_fit", &[Avx2], &[]);
        assert!(all.values(work("trees_fit"), Avx2).is_empty());
        assert!(all.values(work("trees_fit"), Avx512).is_empty());
    }

    #[test]
    fn answers_of_several_rounds_are_one_sample() {
        let mut measured = Measured::default();
        measured.add(answer(&[3.0, 5.0]), Others::default());
        measured.add(
            Answer {
                peak_mb: None,
                version: None,
                ..answer(&[1.0])
            },
            Others::default(),
        );
        assert_eq!(measured.seconds(), 3.0);
        assert_eq!(measured.peak_mb, Some(30.0));
        assert_eq!(measured.version.as_deref(), Some("1.2"));
    }

    #[test]
    fn an_answer_needs_seconds_and_nothing_else() {
        let read =
            Answer::read(br#"{"row": "ets", "seconds": [0.5, 1], "peak_mb": null}"#).unwrap();
        assert_eq!(read.seconds, [0.5, 1.0]);
        assert_eq!((read.peak_mb, read.version, read.isa), (None, None, None));
        let all = br#"{"seconds": [2], "peak_mb": 7.5, "version": "3.1", "isa": "avx2"}"#;
        let read = Answer::read(all).unwrap();
        assert_eq!(read.peak_mb, Some(7.5));
        assert_eq!(read.version.as_deref(), Some("3.1"));
        assert_eq!(read.isa.as_deref(), Some("avx2"));
        for bad in [
            &b""[..],
            b"seconds",
            b"{}",
            br#"{"seconds": []}"#,
            br#"{"seconds": [1, null]}"#,
            br#"{"seconds": [0]}"#,
        ] {
            assert!(Answer::read(bad).is_err(), "{bad:?}");
        }
    }

    /// The names stand in three places, two of which this crate cannot link.
    #[test]
    fn every_row_is_known_to_both_sides() {
        let folder = crate::root().unwrap().join("benches");
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let ours = read("src/rows.rs");
        for work in &ALL {
            let name = format!("\"{}\"", work.name);
            assert!(ours.contains(&name), "{name}");
            for peer in work.peers {
                let script = read(&format!("peers/{}", peer.script()));
                assert!(script.contains(&name), "{name} of {}", peer.name());
            }
        }
    }
}
