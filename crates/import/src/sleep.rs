//! Sleep sessions from the stages of a night.

use crate::dates::minutes_of;
use crate::readings::Night;
use chrono::{DateTime, TimeDelta, Utc};
use vitalcast_domain::Moment;

/// Stages further apart than this, in minutes, are of two sessions.
const GAP_MINUTES: i64 = 60;
/// Longest stage or recording, hours; a longer one is damage.
const LONGEST_HOURS: i64 = 24;

/// A stage of sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    InBed,
    Awake,
    /// Asleep; the depth is not known.
    Asleep,
    Light,
    Deep,
    Rem,
}

impl Stage {
    fn is_asleep(self) -> bool {
        match self {
            Self::Asleep | Self::Light | Self::Deep | Self::Rem => true,
            Self::InBed | Self::Awake => false,
        }
    }

    fn is_staged(self) -> bool {
        match self {
            Self::Light | Self::Deep | Self::Rem => true,
            Self::Asleep | Self::InBed | Self::Awake => false,
        }
    }
}

/// A stage with its time. The offset is that of the person's clock, if the source says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval {
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    pub(crate) stage: Stage,
    pub(crate) offset_seconds: Option<i32>,
}

/// The sessions of some stages of one source, in the order of time. Where stages overlap, a minute counts
/// once: as the stage that says most about it. Intervals that end before they begin are left out.
pub(crate) fn nights(mut stages: Vec<Interval>) -> Vec<Night> {
    stages.retain(|stage| {
        stage.start < stage.end && stage.end - stage.start <= TimeDelta::hours(LONGEST_HOURS)
    });
    stages.sort_by_key(|stage| (stage.start, stage.end, stage.stage));
    let mut nights = Vec::new();
    let mut session: Vec<Interval> = Vec::new();
    let mut end = DateTime::<Utc>::MIN_UTC;
    for stage in stages {
        if !session.is_empty() && stage.start - end > TimeDelta::minutes(GAP_MINUTES) {
            nights.extend(night(&session));
            session.clear();
        }
        end = if session.is_empty() {
            stage.end
        } else {
            end.max(stage.end)
        };
        session.push(stage);
    }
    nights.extend(night(&session));
    nights
}

/// One session; `None` if nobody slept in it.
fn night(stages: &[Interval]) -> Option<Night> {
    let asleep = |stage: &&Interval| stage.stage.is_asleep();
    let first = stages
        .iter()
        .filter(asleep)
        .min_by_key(|stage| stage.start)?;
    let last = stages.iter().filter(asleep).max_by_key(|stage| stage.end)?;
    let (from, to) = (first.start, last.end);
    let moment = |at, stage: &Interval| Moment::Instant {
        at,
        offset_seconds: stage.offset_seconds,
    };
    // A minute counts as what most is known about: a stage before "asleep", "awake" before both.
    let union = |wanted: &dyn Fn(Stage) -> bool, but: &dyn Fn(Stage) -> bool| {
        let spans = |kept: &dyn Fn(Stage) -> bool| -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
            let kept = stages.iter().filter(|stage| kept(stage.stage));
            kept.map(|stage| (stage.start.max(from), stage.end.min(to)))
                .filter(|(start, end)| start < end)
                .collect()
        };
        without(spans(wanted), spans(but))
    };
    let is_staged = stages.iter().any(|stage| stage.stage.is_staged());
    let no = |_| false;
    let only = |wanted: Stage| move |stage: Stage| stage == wanted;
    let awake = union(&only(Stage::Awake), &Stage::is_staged);
    let staged = union(&Stage::is_staged, &no);
    let plain = union(&only(Stage::Asleep), &|stage| {
        stage.is_staged() || stage == Stage::Awake
    });
    let has_awake = stages.iter().any(|stage| stage.stage == Stage::Awake);
    let in_bed = stages.iter().map(|stage| (stage.start, stage.end));
    let begin = in_bed.clone().map(|(start, _)| start).min()?;
    let end = in_bed.map(|(_, end)| end).max()?;
    Some(Night {
        asleep: Some(staged + plain),
        deep: is_staged.then(|| union(&only(Stage::Deep), &no)),
        rem: is_staged.then(|| union(&only(Stage::Rem), &only(Stage::Deep))),
        awake: has_awake.then_some(awake),
        in_bed: Some(minutes_of(end - begin)),
        ..Night::new(
            Moment::instant(from).id(),
            moment(from, first),
            Some(moment(to, last)),
        )
    })
}

/// Minutes of the union of some spans outside of others.
fn without(
    mut spans: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    mut others: Vec<(DateTime<Utc>, DateTime<Utc>)>,
) -> f64 {
    let merge = |spans: &mut Vec<(DateTime<Utc>, DateTime<Utc>)>| {
        spans.sort();
        let mut merged: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        for span in spans.drain(..) {
            match merged.last_mut() {
                Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
                _ => merged.push(span),
            }
        }
        *spans = merged;
    };
    merge(&mut spans);
    merge(&mut others);
    let mut total = TimeDelta::zero();
    let mut first = 0;
    for (start, end) in spans {
        total += end - start;
        // Both are in the order of time, and those before a span are before all later ones.
        first += others[first..].partition_point(|other| other.1 <= start);
        for other in others[first..].iter().take_while(|other| other.0 < end) {
            total -= end.min(other.1) - start.max(other.0);
        }
    }
    minutes_of(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(from: &str, to: &str, stage: Stage) -> Interval {
        let at = |text: &str| format!("2024-05-{text}:00Z").parse().unwrap();
        Interval {
            start: at(from),
            end: at(to),
            stage,
            offset_seconds: Some(7_200),
        }
    }

    #[test]
    fn overlapping_stages_of_a_night_count_once() {
        let nights = nights(vec![
            stage("01T22:00", "02T06:30", Stage::InBed),
            stage("01T22:30", "02T02:00", Stage::Asleep),
            stage("01T23:00", "02T00:00", Stage::Deep),
            stage("02T00:00", "02T00:30", Stage::Awake),
            stage("02T00:30", "02T01:00", Stage::Rem),
            stage("02T01:30", "02T06:00", Stage::Light),
            stage("02T14:00", "02T14:40", Stage::Asleep),
        ]);
        assert_eq!(nights.len(), 2);
        let night = &nights[0];
        // 22:30 to 06:00 without half an hour awake.
        assert_eq!(night.asleep, Some(420.0));
        assert_eq!(
            (night.deep, night.rem, night.awake),
            (Some(60.0), Some(30.0), Some(30.0))
        );
        assert_eq!(night.in_bed, Some(510.0));
        assert_eq!(night.at.to_string(), "2024-05-02T00:30:00+02:00");
        assert_eq!(nights[1].asleep, Some(40.0));
        assert_eq!(nights[1].deep, None, "stages were not measured");
    }

    #[test]
    fn time_in_bed_without_sleep_is_no_night() {
        assert!(nights(vec![stage("01T22:00", "02T06:30", Stage::InBed)]).is_empty());
        assert!(nights(vec![stage("02T06:30", "01T22:00", Stage::Deep)]).is_empty());
    }
}
