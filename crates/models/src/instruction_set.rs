//! The vector instructions that networks are computed with on a CPU.

use crate::error::ModelError;
use pulp::{Scalar, Simd, WithSimd};
use std::fmt;
use std::sync::OnceLock;

/// The environment variable with the name of an instruction set, for tests and comparisons.
const VARIABLE: &str = "VITALCAST_ISA";

/// Vector instructions of a CPU. Each computes the same up to rounding.
///
/// The best that the machine has is used. The environment variable `VITALCAST_ISA` forces another:
/// `scalar`, `sse`, `avx2`, `avx512` or `neon`. It is read once, when the first network is made; with
/// an unknown name, or a set that this machine does not have, no network can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// No vector instructions but those of every CPU the program was compiled for.
    Scalar,
    /// x86-64 with SSE 4.2: sixteen registers of four numbers.
    Sse,
    /// x86-64 with AVX2 and FMA: sixteen registers of eight numbers.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, CD, DQ, VL): 32 registers of sixteen numbers.
    Avx512,
    /// 64-bit ARM: 32 registers of four numbers.
    Neon,
}

impl InstructionSet {
    /// All instruction sets, from the narrowest to the widest of a machine.
    pub const ALL: [Self; 5] = [
        Self::Scalar,
        Self::Sse,
        Self::Avx2,
        Self::Avx512,
        Self::Neon,
    ];

    /// Its name: `scalar`, `sse`, `avx2`, `avx512`, `neon`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sse => "sse",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Those of this machine, from the narrowest to the widest.
    pub fn available() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|set| set.is_available())
            .collect()
    }

    /// The one that networks are computed with.
    ///
    /// # Errors
    ///
    /// [`ModelError::InstructionSet`] when `VITALCAST_ISA` names none, or one that this machine does
    /// not have.
    pub fn chosen() -> Result<Self, ModelError> {
        static CHOSEN: OnceLock<Result<InstructionSet, ModelError>> = OnceLock::new();
        let choose = || match std::env::var_os(VARIABLE) {
            Some(name) => Self::named(&name.to_string_lossy()),
            None => Ok(Self::best()),
        };
        CHOSEN.get_or_init(choose).clone()
    }

    /// Does some work on numbers compiled for the instruction set that networks are computed with, as far
    /// as it is inlined; without one, for every machine. Sums keep their order, and no product is
    /// fused with a sum, so the set changes no bit.
    pub fn vectorized<T>(work: impl FnOnce() -> T) -> T {
        match Self::chosen() {
            Ok(set) => set.dispatch(work),
            Err(_) => work(),
        }
    }

    /// The one to compute with where a network has been made before.
    pub(crate) fn of_networks() -> Self {
        Self::chosen().expect("no network can be made without one")
    }

    fn best() -> Self {
        *Self::available().last().expect("there is always scalar")
    }

    fn named(name: &str) -> Result<Self, ModelError> {
        Self::available()
            .into_iter()
            .find(|set| set.name() == name)
            .ok_or_else(|| ModelError::InstructionSet {
                name: name.to_owned(),
                available: Self::available().into_iter().map(Self::name).collect(),
            })
    }

    fn is_available(self) -> bool {
        struct Nothing;
        impl WithSimd for Nothing {
            type Output = ();
            fn with_simd<S: Simd>(self, _: S) {}
        }
        self.try_dispatch(Nothing).is_ok()
    }

    /// Does some work compiled for this instruction set.
    pub(crate) fn dispatch<W: WithSimd>(self, work: W) -> W::Output {
        self.try_dispatch(work)
            .unwrap_or_else(|_| unreachable!("sets are chosen among the machine's"))
    }

    /// Gives the work back on a machine without this set.
    #[cfg(target_arch = "x86_64")]
    fn try_dispatch<W: WithSimd>(self, work: W) -> Result<W::Output, W> {
        use pulp::x86::{V2, V3, V4};
        match self {
            Self::Scalar => on(Some(Scalar), work),
            Self::Sse => on(V2::try_new(), work),
            Self::Avx2 => on(V3::try_new(), work),
            Self::Avx512 => on(V4::try_new(), work),
            Self::Neon => Err(work),
        }
    }

    /// Gives the work back on a machine without this set.
    #[cfg(not(target_arch = "x86_64"))]
    fn try_dispatch<W: WithSimd>(self, work: W) -> Result<W::Output, W> {
        match self {
            Self::Scalar => on(Some(Scalar), work),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => on(pulp::aarch64::Neon::try_new(), work),
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => Err(work),
            Self::Sse | Self::Avx2 | Self::Avx512 => Err(work),
        }
    }
}

fn on<S: Simd, W: WithSimd>(simd: Option<S>, work: W) -> Result<W::Output, W> {
    match simd {
        Some(simd) => Ok(simd.vectorize(work)),
        None => Err(work),
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_scalar_and_what_the_compiler_was_told() {
        let available = InstructionSet::available();
        assert_eq!(available[0], InstructionSet::Scalar);
        for (set, compiled) in [
            (InstructionSet::Sse, cfg!(target_feature = "sse4.2")),
            (InstructionSet::Avx2, cfg!(target_feature = "avx2")),
            (InstructionSet::Neon, cfg!(target_feature = "neon")),
        ] {
            assert!(!compiled || available.contains(&set), "{set}");
        }
        assert!(available.len() < InstructionSet::ALL.len());
    }

    #[test]
    fn an_unknown_or_missing_set_is_refused_with_those_there_are() {
        for set in InstructionSet::ALL {
            let found = InstructionSet::named(set.name());
            assert_eq!(found.is_ok(), set.is_available(), "{set}");
        }
        let error = InstructionSet::named("mmx").unwrap_err().to_string();
        assert!(
            error.starts_with("instruction set mmx (VITALCAST_ISA) "),
            "{error}"
        );
        assert!(error.contains("scalar"), "{error}");
    }
}
