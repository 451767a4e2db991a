//! Sleep logs of the JSON files and of the tables, with their stages and scores.

use super::SOURCE;
use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Night, Place, Reading};
use crate::report::SkipReason;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use std::collections::BTreeMap;
use vitalcast_domain::{MetricType, Moment, Unit, UserId};

/// The sleep logs of an export.
#[derive(Debug, Default)]
pub(super) struct Nights<'f> {
    /// By id, those of the JSON files and those of the tables.
    old: BTreeMap<String, (Place<'f>, Night)>,
    new: BTreeMap<String, (Place<'f>, Night)>,
    /// Scores by the id of the log, with the day of waking.
    scores: BTreeMap<String, (Place<'f>, f64, Option<NaiveDate>)>,
    /// Minutes of deep and REM sleep by the id of the log, and the stages that were counted.
    stages: BTreeMap<String, (f64, f64)>,
    counted: std::collections::BTreeSet<String>,
}

impl<'f> Nights<'f> {
    /// Adds a log of a JSON file; the same one comes in several of them.
    pub(super) fn add_old(&mut self, importer: &mut Importer<'_>, place: Place<'f>, night: Night) {
        if self.old.insert(night.id.clone(), (place, night)).is_some() {
            importer.skip(SkipReason::Repeated);
        }
    }

    /// Adds a log of a table. Of two versions the later one counts.
    pub(super) fn add_new(&mut self, importer: &mut Importer<'_>, place: Place<'f>, night: Night) {
        if let Some((_, known)) = self.new.get(&night.id) {
            importer.skip(SkipReason::Repeated);
            if known.updated_at > night.updated_at {
                return;
            }
        }
        self.new.insert(night.id.clone(), (place, night));
    }

    pub(super) fn score(&mut self, place: Place<'f>, id: &str, score: f64, day: Option<NaiveDate>) {
        self.scores.insert(id.to_owned(), (place, score, day));
    }

    /// Adds a stage of a log; deep or REM sleep counts, the others only say that stages were measured.
    /// The same stage comes in overlapping files.
    pub(super) fn stage(&mut self, log: &str, id: &str, deep: f64, rem: f64) -> bool {
        if !self.counted.insert(format!("{log} {id}")) {
            return false;
        }
        let minutes = self.stages.entry(log.to_owned()).or_default();
        minutes.0 += deep;
        minutes.1 += rem;
        true
    }

    pub(super) fn finish(
        mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
    ) -> Result<(), ImportError> {
        for (id, (deep, rem)) in std::mem::take(&mut self.stages) {
            if let Some((_, night)) = self.new.get_mut(&id) {
                (night.deep, night.rem) = (Some(deep), Some(rem));
            }
        }
        for nights in [&mut self.old, &mut self.new] {
            for (id, (_, night)) in nights.iter_mut() {
                night.score = self.scores.get(id).map(|(_, score, _)| *score);
            }
        }
        for id in self.old.keys().chain(self.new.keys()) {
            self.scores.remove(id);
        }
        for (_, night) in self.merged(importer) {
            let (place, night) = night;
            importer.night(user, SOURCE, place, &night)?;
        }
        for (id, (place, score, day)) in self.scores {
            if let Some(day) = day {
                let metric = MetricType::SleepScore;
                let reading = Reading::of_morning(metric, score, Unit::Score, day);
                importer.reading(user, SOURCE, place, reading.id(format!("score-{id}")))?;
            } else {
                importer.skip(SkipReason::Missing);
            }
        }
        Ok(())
    }

    /// All logs. One that is in both kinds of files is that of the table, with what only the other says.
    fn merged(&mut self, importer: &mut Importer<'_>) -> BTreeMap<String, (Place<'f>, Night)> {
        let mut nights = std::mem::take(&mut self.new);
        let mut by_start: BTreeMap<NaiveDateTime, (NaiveDateTime, String)> = BTreeMap::new();
        for (id, (_, night)) in &nights {
            if let Some((start, end)) = span(night) {
                by_start.insert(start, (end, id.clone()));
            }
        }
        for (id, (place, old)) in std::mem::take(&mut self.old) {
            let same = nights.contains_key(&id).then(|| id.clone());
            let same = same.or_else(|| {
                let (start, end) = span(&old)?;
                let near = start.checked_sub_signed(TimeDelta::days(1))?..end;
                let overlaps = |(from, (to, _)): &(&NaiveDateTime, &(NaiveDateTime, String))| {
                    let both = end.min(*to) - start.max(**from);
                    both * 2 > (end - start).min(*to - **from)
                };
                let found = by_start.range(near).find(overlaps);
                found.map(|(_, (_, id))| id.clone())
            });
            match same.and_then(|same| nights.get_mut(&same)) {
                Some((_, night)) => {
                    importer.skip(SkipReason::Repeated);
                    night.deep = night.deep.or(old.deep);
                    night.rem = night.rem.or(old.rem);
                    night.awake = night.awake.or(old.awake);
                    night.in_bed = night.in_bed.or(old.in_bed);
                    night.efficiency = night.efficiency.or(old.efficiency);
                    night.score = night.score.or(old.score);
                }
                None => {
                    nights.insert(id, (place, old));
                }
            }
        }
        nights
    }
}

/// Start and end of a log on the clock, as far as that is written.
fn span(night: &Night) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let local = |moment: Moment| {
        moment.written_local_time().or(match moment {
            Moment::Instant { at, .. } => Some(at.naive_utc()),
            Moment::Clock(_) | Moment::Date(_) => None,
        })
    };
    let (start, end) = (local(night.at)?, local(night.until?)?);
    (start < end).then_some((start, end))
}
