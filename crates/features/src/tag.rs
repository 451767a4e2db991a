//! Tags by day: what a person noted, one series for each tag.

use crate::error::FeaturesError;
use crate::table::Span;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use vitalcast_domain::{AsOf, History, Tag};

/// The days of one tag.
#[derive(Debug, Clone, PartialEq)]
pub struct TagDays {
    /// The name, as it was written first.
    pub name: String,
    /// By day: 1 if it was so, 0 if it was not, `None` if nobody said anything.
    pub values: Vec<Option<f64>>,
}

/// The tags of the days `first_day ..= last_day` with everything known at `as_of`, in the order of their names.
///
/// Names that differ in upper and lower case only are one tag. A source that sometimes answers no says what it
/// has to say: a day without an answer is missing. A source that never does leaves a tag out to say no: on a
/// finished day on which it has any tag, its others are 0. If one source says yes and another one no, it was so.
///
/// # Errors
///
/// [`FeaturesError::TooManyDays`], [`FeaturesError::EndOfCalendar`].
pub fn tag_days(
    history: &History,
    first_day: NaiveDate,
    last_day: NaiveDate,
    as_of: AsOf,
) -> Result<Vec<TagDays>, FeaturesError> {
    let days = Span::new(first_day, last_day)?.days;
    let today = history.profile.day_of(as_of);
    let current = current(&history.tags, as_of);
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let mut of_source: BTreeMap<&str, Source> = BTreeMap::new();
    for tag in &current {
        let key = key_of(&tag.name);
        names.entry(key.clone()).or_insert(&tag.name);
        let source = of_source.entry(&tag.provenance.source).or_default();
        source.answers_no |= !tag.applies;
        let applies = source.said.entry((tag.provenance.day, key)).or_default();
        *applies |= tag.applies;
    }
    let mut values: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    let mut say = |key: &str, day: NaiveDate, applies: bool| {
        let Ok(place) = usize::try_from((day - first_day).num_days()) else {
            return;
        };
        if place < days {
            let series = values
                .entry(key.to_owned())
                .or_insert_with(|| vec![None; days]);
            let held = series[place].unwrap_or(0.0);
            series[place] = Some(held.max(f64::from(u8::from(applies))));
        }
    };
    for source in of_source.values() {
        for ((day, key), applies) in &source.said {
            say(key, *day, *applies);
        }
        if source.answers_no {
            continue;
        }
        let of_days: BTreeSet<NaiveDate> = source.said.keys().map(|(day, _)| *day).collect();
        let own: BTreeSet<&str> = source.said.keys().map(|(_, key)| key.as_str()).collect();
        for day in of_days.into_iter().filter(|day| *day < today) {
            for key in &own {
                say(key, day, false);
            }
        }
    }
    Ok(values
        .into_iter()
        .map(|(key, values)| TagDays {
            name: names[&key].to_owned(),
            values,
        })
        .collect())
}

/// What makes two names the same tag.
fn key_of(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What one source says.
#[derive(Default)]
struct Source {
    answers_no: bool,
    /// Whether a tag was said to apply, by day and name.
    said: BTreeMap<(NaiveDate, String), bool>,
}

/// The version of each tag that is current at a moment, in the order of their times.
pub(crate) fn current(tags: &[Tag], as_of: AsOf) -> Vec<&Tag> {
    let mut latest: BTreeMap<(&str, &str), &Tag> = BTreeMap::new();
    for tag in tags {
        let provenance = &tag.provenance;
        if provenance.known_at > as_of {
            continue;
        }
        // Versions known at one moment count in the order they were written.
        let key = (provenance.source.as_str(), provenance.source_id.as_str());
        let held = latest.entry(key).or_insert(tag);
        if held.provenance.known_at <= provenance.known_at {
            *held = tag;
        }
    }
    let mut current: Vec<&Tag> = latest.into_values().collect();
    current.sort_by_key(|tag| (tag.provenance.day, tag.provenance.observed_at));
    current
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Days;
    use vitalcast_domain::{Profile, Provenance, Record, Told};

    fn day(of_may: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 5, of_may).unwrap()
    }

    fn history(said: &[(&str, u32, &str, bool)]) -> History {
        let mut history = History::new("ann".parse().unwrap(), Profile::default());
        history.extend(said.iter().map(|(source, of_may, name, applies)| {
            let told = Told::at(vitalcast_domain::Moment::Date(day(*of_may)));
            let id = format!("{of_may} {name}");
            Record::Tag(Tag {
                provenance: Provenance::told(*source, id, told),
                name: (*name).to_owned(),
                applies: *applies,
                note: None,
            })
            .placed(&Profile::default())
        }));
        history
    }

    fn of<'a>(found: &'a [TagDays], name: &str) -> &'a [Option<f64>] {
        &found.iter().find(|tag| tag.name == name).unwrap().values
    }

    #[test]
    fn a_journal_that_asks_has_no_answer_where_there_is_none() {
        let history = history(&[
            ("whoop", 1, "Alcohol?", true),
            ("whoop", 2, "Alcohol?", false),
            ("whoop", 3, "Late meal?", true),
        ]);
        let as_of = history.profile.evening_of(day(9));
        let found = tag_days(&history, day(1), day(4), as_of).unwrap();
        assert_eq!(of(&found, "Alcohol?"), [Some(1.0), Some(0.0), None, None]);
        assert_eq!(of(&found, "Late meal?"), [None, None, Some(1.0), None]);
    }

    #[test]
    fn an_app_of_labels_says_no_by_leaving_one_out() {
        let history = history(&[
            ("sleep", 1, "alcohol", true),
            ("sleep", 2, "sport", true),
            ("sleep", 4, "Alcohol", true),
            ("ring", 2, "tea", false),
        ]);
        let as_of = history.profile.evening_of(day(9));
        let found = tag_days(&history, day(1), day(4), as_of).unwrap();
        let alcohol = [Some(1.0), Some(0.0), None, Some(1.0)];
        assert_eq!(of(&found, "alcohol"), alcohol);
        assert_eq!(of(&found, "tea"), [None, Some(0.0), None, None]);
        // What is left out of a day that is not over may still come.
        let at_noon = history.profile.start_of_day(day(2)) + chrono::TimeDelta::hours(12);
        let mut early = history.clone();
        for tag in &mut early.tags {
            tag.provenance.known_at = history.profile.start_of_day(tag.provenance.day);
        }
        let found = tag_days(&early, day(1), day(2), at_noon).unwrap();
        assert_eq!(of(&found, "alcohol"), [Some(1.0), None]);
    }

    #[test]
    fn a_corrected_answer_counts_from_when_it_is_known() {
        let mut history = history(&[("whoop", 1, "Alcohol?", true)]);
        let mut later = history.tags[0].clone();
        later.applies = false;
        later.provenance.known_at = history.profile.evening_of(day(3));
        history.tags.push(later);
        for (evening, value) in [(2, 1.0), (3, 0.0)] {
            let as_of = history.profile.evening_of(day(evening));
            let found = tag_days(&history, day(1), day(1), as_of).unwrap();
            assert_eq!(found[0].values, [Some(value)], "{evening}");
        }
    }

    #[test]
    fn tags_change_no_feature_and_no_day() {
        let bare = history(&[]);
        let tagged = history(&[("whoop", 1, "Alcohol?", true)]);
        assert_eq!(tagged.span(), bare.span());
        let as_of = bare.profile.evening_of(day(2));
        let table = |history: &History| {
            crate::feature_table(history, day(1), day(1) + Days::new(1), as_of).unwrap()
        };
        assert_eq!(table(&bare), table(&tagged));
    }
}
