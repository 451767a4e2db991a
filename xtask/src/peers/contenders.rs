//! Who else does our work, in which script, and what holds them to an instruction set.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::InstructionSet;

/// Threads that a peer is given; the better number counts.
pub(super) const THREADS: [usize; 2] = [1, 2];

/// The largest number of threads: ours.
pub(super) fn most_threads() -> usize {
    THREADS.into_iter().max().unwrap_or(1)
}

/// A library that does the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    PyTorch,
    Onnxruntime,
    LightGbm,
    XgBoost,
    Statsforecast,
    SciPy,
    Shap,
    Captum,
    DiceMl,
    HealthkitToSqlite,
    AppleHealthParser,
    Pandas,
    Sqlite3,
}

/// What a script needs besides Python's own libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    /// `requirements.txt`.
    Models,
    /// `requirements-exports.txt`: one of the readers needs a newer pandas than the others bear.
    Exports,
}

impl Peer {
    /// Its name in tables and, in lower case, for the scripts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PyTorch => "PyTorch",
            Self::Onnxruntime => "onnxruntime",
            Self::LightGbm => "LightGBM",
            Self::XgBoost => "XGBoost",
            Self::Statsforecast => "statsforecast",
            Self::SciPy => "SciPy",
            Self::Shap => "shap",
            Self::Captum => "captum",
            Self::DiceMl => "dice-ml",
            Self::HealthkitToSqlite => "healthkit-to-sqlite",
            Self::AppleHealthParser => "apple-health-parser",
            Self::Pandas => "pandas",
            Self::Sqlite3 => "sqlite3",
        }
    }

    /// The environment of its script.
    pub(super) fn environment(self) -> Environment {
        match self {
            Self::HealthkitToSqlite | Self::AppleHealthParser | Self::Pandas | Self::Sqlite3 => {
                Environment::Exports
            }
            Self::PyTorch
            | Self::Onnxruntime
            | Self::LightGbm
            | Self::XgBoost
            | Self::Statsforecast
            | Self::SciPy
            | Self::Shap
            | Self::Captum
            | Self::DiceMl => Environment::Models,
        }
    }

    /// The numbers of threads that it is given, of which the better one counts. The readers have one.
    pub(super) fn threads(self) -> &'static [usize] {
        match self.environment() {
            Environment::Models => &THREADS,
            Environment::Exports => &THREADS[..1],
        }
    }

    /// Its script in `benches/peers`.
    pub(super) fn script(self) -> &'static str {
        match self {
            Self::PyTorch | Self::Captum => "pytorch.py",
            Self::HealthkitToSqlite | Self::AppleHealthParser | Self::Pandas | Self::Sqlite3 => {
                "exports.py"
            }
            Self::Onnxruntime
            | Self::LightGbm
            | Self::XgBoost
            | Self::Statsforecast
            | Self::SciPy
            | Self::Shap
            | Self::DiceMl => "other.py",
        }
    }

    /// Whether it can be held to a set narrower than the native one. onnxruntime takes what the
    /// processor has, whatever it is told; the others run the same instructions everywhere.
    fn can_be_held(self) -> bool {
        match self {
            Self::PyTorch | Self::SciPy | Self::Captum => true,
            Self::Onnxruntime
            | Self::LightGbm
            | Self::XgBoost
            | Self::Statsforecast
            | Self::Shap
            | Self::DiceMl
            | Self::HealthkitToSqlite
            | Self::AppleHealthParser
            | Self::Pandas
            | Self::Sqlite3 => false,
        }
    }
}

/// The variable that holds our kernels to an instruction set.
pub(super) const OURS: &str = "VITALCAST_ISA";

/// Variables that hold libraries to AVX2: ATen, oneDNN and MKL in PyTorch; NumPy and the OpenBLAS of
/// NumPy and SciPy.
const HELD_TO_AVX2: [(&str, &str); 5] = [
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_ICL AVX512_SPR"),
    ("OPENBLAS_CORETYPE", "Haswell"),
];

/// Variables that limit the threads of libraries which a script cannot tell.
const THREAD_LIMITS: [&str; 4] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
];

/// Holds a program to an instruction set; to the native one by not holding it, whatever our own
/// environment says.
fn hold(command: &mut Command, set: InstructionSet, native: InstructionSet) {
    command.env_remove(OURS);
    for (name, _) in HELD_TO_AVX2 {
        command.env_remove(name);
    }
    if set == native {
        return;
    }
    command.env(OURS, set.name());
    if set == InstructionSet::Avx2 {
        command.envs(HELD_TO_AVX2);
    }
}

/// Our side of a row.
pub(super) fn ours(
    program: &Path,
    row: &str,
    set: InstructionSet,
    native: InstructionSet,
) -> Command {
    let mut command = Command::new(program);
    command.args(["row", row]);
    command.env("RAYON_NUM_THREADS", most_threads().to_string());
    hold(&mut command, set, native);
    command
}

/// What peers are run with.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) scripts: PathBuf,
    pub(super) python: PathBuf,
    /// That of [`Environment::Exports`].
    pub(super) python_of_exports: PathBuf,
    /// The default network, for onnxruntime.
    pub(super) model: PathBuf,
    /// The folder of the exports that are read.
    pub(super) exports: PathBuf,
}

/// A peer with a number of threads and an instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Contender {
    pub(super) peer: Peer,
    pub(super) threads: usize,
    /// What it is held to, or the native one.
    pub(super) set: InstructionSet,
}

impl Contender {
    /// A peer beside ours on an instruction set.
    pub(super) fn beside(
        peer: Peer,
        threads: usize,
        set: InstructionSet,
        native: InstructionSet,
    ) -> Self {
        Self {
            peer,
            threads,
            set: if peer.can_be_held() { set } else { native },
        }
    }

    /// Its name with the number of threads.
    pub(super) fn words(self) -> String {
        let threads = if self.threads == 1 {
            "thread"
        } else {
            "threads"
        };
        format!("{}, {} {threads}", self.peer.name(), self.threads)
    }

    /// Its side of a row.
    pub(super) fn command(self, beside: &Beside, row: &str, native: InstructionSet) -> Command {
        let mut command = Command::new(match self.peer.environment() {
            Environment::Models => &beside.python,
            Environment::Exports => &beside.python_of_exports,
        });
        let threads = self.threads.to_string();
        command
            .arg(beside.scripts.join(self.peer.script()))
            .args(["--row", row, "--threads", &threads])
            .args(["--peer", &self.peer.name().to_lowercase()])
            .arg("--model")
            .arg(&beside.model)
            .arg("--exports")
            .arg(&beside.exports)
            .envs(THREAD_LIMITS.map(|name| (name, threads.as_str())));
        hold(&mut command, self.set, native);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InstructionSet::{Avx2, Avx512};

    /// What a command gets of its environment, if that does not depend on ours.
    fn variable(command: &Command, name: &str) -> String {
        match command.get_envs().find(|(found, _)| *found == name) {
            Some((_, Some(value))) => value.to_string_lossy().into_owned(),
            Some((_, None)) => "removed".to_owned(),
            None => "inherited".to_owned(),
        }
    }

    #[test]
    fn all_sides_are_held_to_avx2_where_more_is_there() {
        let ours = ours(Path::new("bench"), "infer_1", Avx2, Avx512);
        assert_eq!(variable(&ours, OURS), "avx2");
        let torch = Contender::beside(Peer::PyTorch, 2, Avx2, Avx512);
        let command = torch.command(&Beside::default(), "infer_1", Avx512);
        for (name, value) in HELD_TO_AVX2 {
            assert_eq!(variable(&command, name), value);
        }
        for name in THREAD_LIMITS {
            assert_eq!(variable(&command, name), "2");
        }
    }

    #[test]
    fn natively_nothing_is_held_not_even_by_the_environment() {
        for native in [Avx2, Avx512] {
            let ours = ours(Path::new("bench"), "ets", native, native);
            assert_eq!(variable(&ours, OURS), "removed");
            for (name, _) in HELD_TO_AVX2 {
                assert_eq!(variable(&ours, name), "removed");
            }
        }
    }

    #[test]
    fn we_have_as_many_threads_as_the_peers_may_have() {
        let ours = ours(Path::new("bench"), "ets", Avx2, Avx2);
        assert_eq!(variable(&ours, "RAYON_NUM_THREADS"), "2");
    }

    #[test]
    fn a_reader_of_exports_has_an_environment_of_its_own() {
        let beside = Beside {
            python: "models".into(),
            python_of_exports: "exports".into(),
            ..Beside::default()
        };
        for (peer, program) in [(Peer::Shap, "models"), (Peer::Pandas, "exports")] {
            let contender = Contender::beside(peer, 1, Avx2, Avx2);
            let command = contender.command(&beside, "row", Avx2);
            assert_eq!(command.get_program(), program);
        }
        assert_eq!(Peer::Pandas.threads(), [1]);
    }

    #[test]
    fn a_peer_that_cannot_be_held_stays_native() {
        let set = |peer| Contender::beside(peer, 1, Avx2, Avx512).set;
        assert_eq!(set(Peer::PyTorch), Avx2);
        assert_eq!(set(Peer::Onnxruntime), Avx512);
    }
}
