//! The table for people: a line for each row, instruction set and peer.

use super::contenders::{THREADS, most_threads};
use super::machine::{InstructionSet, Others};
use super::rows::{Measurements, Pair, Work};

/// Its lines, the head first.
pub(super) fn lines(
    measurements: &Measurements,
    works: &[&'static Work],
    sets: &[InstructionSet],
) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<17} {:<8} {:>9} {:>6}   {:<26} {:>9} {:>6} {:>7}",
        "row", "set", "ours, ms", "MB", "peer", "ms", "MB", "ratio"
    )];
    let (mut busy, mut native) = (false, false);
    for work in works {
        for set in sets {
            for (place, pair) in measurements.pairs(work, *set).iter().enumerate() {
                busy |= pair.others().are_busy() == Some(true);
                native |= pair.contender.set != pair.set;
                lines.push(line(pair, place == 0));
            }
        }
    }
    if native {
        lines.push(
            "† cannot be held to this instruction set, and used what the processor has".to_owned(),
        );
    }
    if busy {
        lines.push(
            "* other processes ran meanwhile; in brackets their share of all processors".to_owned(),
        );
    }
    lines
}

fn line(pair: &Pair<'_>, is_first: bool) -> String {
    let own = if is_first {
        format!(
            "{:<17} {:<8} {:>9} {:>6}",
            pair.work.name,
            pair.set.to_string(),
            milliseconds(pair.ours.seconds()),
            megabytes(pair.ours.peak_mb),
        )
    } else {
        " ".repeat(43)
    };
    let native = if pair.contender.set == pair.set {
        ""
    } else {
        " †"
    };
    format!(
        "{own}   {:<26} {:>9} {:>6} {:>7.2}{}",
        pair.contender.words() + native,
        milliseconds(pair.theirs.seconds()),
        megabytes(pair.theirs.peak_mb),
        pair.ratio(),
        marked(pair.others()),
    )
}

fn marked(others: Others) -> String {
    match (others.are_busy(), others.share()) {
        (Some(true), Some(share)) => format!(" * ({:.0} %)", 100.0 * share),
        (Some(true | false) | None, _) => String::new(),
    }
}

/// Three digits of a short time, whole milliseconds of a long one.
fn milliseconds(seconds: f64) -> String {
    let milliseconds = 1e3 * seconds;
    match milliseconds {
        ..10.0 => format!("{milliseconds:.3}"),
        10.0..100.0 => format!("{milliseconds:.1}"),
        _ => format!("{milliseconds:.0}"),
    }
}

fn megabytes(megabytes: Option<f64>) -> String {
    megabytes.map_or_else(|| "?".to_owned(), |megabytes| format!("{megabytes:.0}"))
}

/// What else ran before the first row, in words.
pub(super) fn idleness(load: Option<f64>, others: Others) -> String {
    let load = load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"));
    match (others.share(), others.are_busy()) {
        (Some(share), Some(busy)) => format!(
            "load before: {load}; other processes had {:.0} % of the processors{}",
            100.0 * share,
            if busy {
                ": this machine is not idle"
            } else {
                ""
            }
        ),
        (None, _) | (_, None) => format!("load before: {load}; whether others run is unknown here"),
    }
}

/// The numbers of threads, in words.
pub(super) fn threads() -> String {
    let counts: Vec<String> = THREADS.iter().map(usize::to_string).collect();
    format!(
        "peers with {} threads, the faster of which is shown; ours with at most {}",
        counts.join(" and "),
        most_threads()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::rows::{ALL, Answer};
    use InstructionSet::{Avx2, Avx512};

    static WORKS: [Work; ALL.len()] = ALL;

    fn measured(work: &'static Work, sets: &[InstructionSet]) -> Measurements {
        let answer = |printed: &str| Answer::read(printed.as_bytes()).unwrap();
        let mut all = Measurements::new(Avx512);
        for set in sets {
            let ours = all.ours.entry((work.name, *set)).or_default();
            ours.add(
                answer(r#"{"seconds": [0.004], "peak_mb": 60.4}"#),
                Others::default(),
            );
            let contenders: Vec<_> = all.contenders(work, *set).collect();
            for contender in contenders {
                let theirs = all.theirs.entry((work.name, contender)).or_default();
                theirs.add(answer(r#"{"seconds": [0.0123]}"#), Others::default());
            }
        }
        all
    }

    #[test]
    fn our_figures_stand_beside_the_first_peer_only() {
        let work = WORKS.iter().find(|work| work.name == "infer_1").unwrap();
        let lines = lines(&measured(work, &[Avx512]), &[work], &[Avx512]);
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert_eq!(
            lines[1],
            "infer_1           AVX-512      4.000     60   PyTorch, 1 thread               12.3      ?    3.08"
        );
        assert!(lines[2].trim_start().starts_with("onnxruntime, 1 thread "));
        let end = |line: &str| line.find("12.3");
        assert_eq!(end(&lines[1]), end(&lines[2]));
    }

    #[test]
    fn a_peer_that_was_not_held_is_marked_where_that_matters() {
        let work = WORKS.iter().find(|work| work.name == "infer_1").unwrap();
        let both = [Avx2, Avx512];
        let lines = lines(&measured(work, &both), &[work], &both);
        assert_eq!(lines.len(), 6, "{lines:#?}");
        let is_marked = |line: &String| line.contains('†');
        let marked: Vec<bool> = lines.iter().map(is_marked).collect();
        assert_eq!(marked, [false, false, true, false, false, true]);
    }

    #[test]
    fn times_have_the_digits_that_mean_something() {
        for (seconds, shown) in [
            (0.000_423_4, "0.423"),
            (0.0423, "42.3"),
            (2.6, "2600"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(milliseconds(seconds), shown);
        }
    }

    #[test]
    fn what_is_not_known_is_said_to_be_unknown() {
        assert_eq!(
            idleness(None, Others::default()),
            "load before: unknown; whether others run is unknown here"
        );
    }
}
