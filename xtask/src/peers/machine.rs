//! The machine that a table was measured on: its processor, the instruction sets of it, and whether
//! anything else ran meanwhile.

use std::fmt;
use std::time::Duration;

/// A set of vector instructions for which the LSTM has kernels, by its name in `VITALCAST_ISA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InstructionSet {
    /// Single numbers.
    Scalar,
    /// 128 bits, x86-64 with SSE 4.2.
    Sse,
    /// 256 bits with fused products, x86-64 from 2013 on.
    Avx2,
    /// 512 bits.
    Avx512,
    /// 128 bits, every 64-bit Arm.
    Neon,
}

impl InstructionSet {
    /// The widest that this processor has.
    pub(super) fn native() -> Self {
        Self::available().last().copied().unwrap_or(Self::Scalar)
    }

    /// Those that this processor has, the widest last.
    pub(super) fn available() -> Vec<Self> {
        let has = |set: &Self| match set {
            Self::Scalar => true,
            Self::Sse => has_sse(),
            Self::Avx2 => has_avx2(),
            Self::Avx512 => has_avx512(),
            Self::Neon => cfg!(target_arch = "aarch64"),
        };
        let all = [
            Self::Scalar,
            Self::Sse,
            Self::Avx2,
            Self::Avx512,
            Self::Neon,
        ];
        all.into_iter().filter(has).collect()
    }

    /// Its name in `VITALCAST_ISA` and in answers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sse => "sse",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scalar => "scalar",
            Self::Sse => "SSE",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
            Self::Neon => "NEON",
        })
    }
}

#[cfg(target_arch = "x86_64")]
fn has_sse() -> bool {
    is_x86_feature_detected!("sse4.2")
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    // All that our kernels need.
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_sse() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

/// The name of the processor: as the system tells it, with family and model where the name alone may
/// mean several generations.
pub(super) fn processor() -> String {
    let named = if cfg!(target_os = "macos") {
        told("sysctl", &["-n", "machdep.cpu.brand_string"])
    } else {
        std::fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| named_in(&text))
            // Arm's /proc/cpuinfo has numbers only.
            .or_else(|| told("lscpu", &[]).and_then(|text| field(&text, "Model name")))
    };
    named.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// What a program prints, if it can be run.
fn told(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).output();
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The first value of a name in lines `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        let value = value.trim();
        (found.trim() == name && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The processor in the text of `/proc/cpuinfo`.
fn named_in(text: &str) -> Option<String> {
    let name = field(text, "model name")?;
    Some(match (field(text, "cpu family"), field(text, "model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        (None, _) | (_, None) => name,
    })
}

/// Processors that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Processes that ran or waited for a processor in the last minute, on average; Linux tells it.
pub(super) fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Time of processors, in ticks of the system's clock, since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    /// Of all processors, also idle.
    all: u64,
    /// In which they worked, or were taken away from a virtual machine.
    busy: u64,
    /// Of this process and of the children whose end it has seen.
    own: u64,
}

impl Ticks {
    /// Now; nothing where the system does not tell.
    fn now() -> Option<Self> {
        let machine = std::fs::read_to_string("/proc/stat").ok()?;
        let process = std::fs::read_to_string("/proc/self/stat").ok()?;
        Self::read(&machine, &process)
    }

    /// From `/proc/stat` and `/proc/self/stat` (proc(5)).
    fn read(machine: &str, process: &str) -> Option<Self> {
        let line = machine.lines().find(|line| line.starts_with("cpu "))?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            // What follows `steal` is counted in `user` and `nice` already.
            .take(8)
            .map(|word| word.parse().ok())
            .collect::<Option<_>>()?;
        let all: u64 = ticks.iter().sum();
        let [idle, waiting] = [*ticks.get(3)?, *ticks.get(4)?];
        // The name of the program may hold spaces and brackets.
        let (_, after_name) = process.rsplit_once(") ")?;
        let own: Vec<u64> = after_name
            .split_whitespace()
            // Own time in the program and in the system, and the same of children.
            .skip(11)
            .take(4)
            .map(|word| word.parse().ok())
            .collect::<Option<_>>()?;
        (own.len() == 4).then(|| Self {
            all,
            busy: all - idle - waiting,
            own: own.iter().sum(),
        })
    }
}

/// Watches the processors from its start on.
#[derive(Debug)]
pub(super) struct Watch(Option<Ticks>);

impl Watch {
    /// Starts.
    pub(super) fn start() -> Self {
        Self(Ticks::now())
    }

    /// What others used since.
    pub(super) fn stop(self) -> Others {
        match (self.0, Ticks::now()) {
            (Some(before), Some(after)) => Others::between(before, after),
            (None, _) | (_, None) => Others::default(),
        }
    }
}

/// What other processes used while something was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Others {
    ticks: u64,
    of: u64,
}

impl Others {
    /// From this share of all processors on, the machine was not idle.
    const BUSY: f64 = 0.05;

    fn between(before: Ticks, after: Ticks) -> Self {
        let since = |of: fn(&Ticks) -> u64| of(&after).saturating_sub(of(&before));
        Self {
            ticks: since(|ticks| ticks.busy).saturating_sub(since(|ticks| ticks.own)),
            of: since(|ticks| ticks.all),
        }
    }

    /// What they use within a time in which we do nothing.
    pub(super) fn during(pause: Duration) -> Self {
        let watch = Watch::start();
        std::thread::sleep(pause);
        watch.stop()
    }

    /// Both times together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            ticks: self.ticks + other.ticks,
            of: self.of + other.of,
        }
    }

    /// Their share of all processors; nothing where the system does not tell.
    pub(super) fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.ticks as f64 / self.of as f64)
    }

    /// Whether that is too much for figures that others should repeat.
    pub(super) fn are_busy(self) -> Option<bool> {
        self.share().map(|share| share >= Self::BUSY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "cpu  100 5 20 800 60 3 2 10 7 0\ncpu0 50 2 10 400 30 1 1 5 3 0\nintr 1 2 3\n";

    #[test]
    fn idle_time_and_waiting_for_disks_are_not_work() {
        let ticks = Ticks::read(STAT, "1 (a) R 1 1 1 0 -1 0 1 1 1 1 30 4 5 6 20 0 9 0").unwrap();
        assert_eq!(
            ticks,
            Ticks {
                all: 1_000,
                busy: 140,
                own: 45
            }
        );
    }

    #[test]
    fn a_program_may_be_named_like_its_own_line() {
        let named = "1 (a) R 9 (b) R 1 1 1 0 -1 0 1 1 1 1 30 4 5 6 20 0 9 0";
        assert_eq!(Ticks::read(STAT, named).unwrap().own, 45);
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        for (machine, process) in [
            ("", "1 (a) R 1 1 1 0 -1 0 1 1 1 1 30 4 5 6"),
            (STAT, ""),
            (STAT, "1 (a) R 1 1"),
            (
                "cpu  1 2 x 4 5 6 7 8\n",
                "1 (a) R 1 1 1 0 -1 0 1 1 1 1 3 4 5 6",
            ),
            ("cpu  1 2\n", "1 (a) R 1 1 1 0 -1 0 1 1 1 1 3 4 5 6"),
        ] {
            assert_eq!(
                Ticks::read(machine, process),
                None,
                "{machine:?} {process:?}"
            );
        }
        assert_eq!(Others::default().share(), None);
        assert_eq!(Others::default().are_busy(), None);
    }

    fn others(busy: u64, own: u64) -> Others {
        let before = Ticks {
            all: 5_000,
            busy: 700,
            own: 80,
        };
        let after = Ticks {
            all: before.all + 1_000,
            busy: before.busy + busy,
            own: before.own + own,
        };
        Others::between(before, after)
    }

    #[test]
    fn our_own_work_is_not_that_of_others() {
        assert_eq!(others(900, 900).are_busy(), Some(false));
        assert_eq!(others(930, 900).are_busy(), Some(false));
        assert_eq!(others(950, 900).are_busy(), Some(true));
        assert_eq!(others(400, 0).share(), Some(0.4));
        // Ours is measured to the tick, the machine's is sampled: it may come out smaller.
        assert_eq!(others(890, 900).share(), Some(0.0));
    }

    #[test]
    fn shares_of_two_times_are_weighed_by_their_length() {
        let both = others(100, 0).and(Others {
            ticks: 0,
            of: 3_000,
        });
        assert_eq!(both.share(), Some(0.025));
        assert_eq!(both.and(Others::default()), both);
    }

    #[test]
    fn a_child_that_works_counts_as_ours() {
        let Some(before) = Ticks::now() else {
            return;
        };
        let mut child = std::process::Command::new("sh");
        child.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        assert!(child.status().unwrap().success());
        assert!(Ticks::now().unwrap().own > before.own);
    }

    #[test]
    fn a_processor_is_named_with_its_generation() {
        let amd = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n\
                   model name\t: AMD EPYC\nstepping\t: 1\n\nprocessor\t: 1\nmodel\t\t: 2\n";
        assert_eq!(
            named_in(amd).as_deref(),
            Some("AMD EPYC (family 25, model 1)")
        );
        assert_eq!(named_in("processor\t: 0\nBogoMIPS\t: 50.00\n"), None);
        assert_eq!(named_in("model name\t: \n"), None);
        let arm = "Architecture:   aarch64\nModel name:     Neoverse-N1\nModel:  1\n";
        assert_eq!(field(arm, "Model name").as_deref(), Some("Neoverse-N1"));
    }

    #[test]
    fn the_widest_instruction_set_is_the_native_one() {
        let available = InstructionSet::available();
        assert!(available.is_sorted());
        assert_eq!(available.last(), Some(&InstructionSet::native()));
        assert_eq!(available.first(), Some(&InstructionSet::Scalar));
    }
}
