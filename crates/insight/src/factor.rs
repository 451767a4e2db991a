//! What stands against a target: the features of the catalogue, and the tags of the person.

use std::cmp::Reverse;
use vitalcast_domain::{FactorCategory, MetricType, TAG_PREFIX};
use vitalcast_features::{Feature, TagDays};

/// Days of yes and days of no that a tag needs: fewer tell nothing, and each test costs the others power.
const LEAST_OF_EACH: usize = 3;
/// Tags that are tested at most: those with most answers.
const MOST_TAGS: usize = 200;

/// What stands against a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Factor {
    /// A feature of the catalogue.
    Feature(&'static Feature),
    /// A tag, by its name: 1 on days on which it was so, 0 on days on which it was not.
    Tag(String),
}

impl Factor {
    /// The name on the wire.
    pub fn name(&self) -> String {
        match self {
            Self::Feature(feature) => feature.name.to_owned(),
            Self::Tag(name) => format!("{TAG_PREFIX}{name}"),
        }
    }

    /// Its category.
    pub fn category(&self) -> FactorCategory {
        match self {
            Self::Feature(feature) => feature.category.into(),
            Self::Tag(_) => FactorCategory::Tag,
        }
    }

    /// Whether it is something that the target of the same day is computed from.
    pub(crate) fn is_part_of(&self, metric: MetricType) -> bool {
        match self {
            Self::Feature(feature) => feature.is_part_of(metric),
            Self::Tag(_) => false,
        }
    }
}

/// The values of a factor, one a day.
pub type Column = (Factor, Vec<Option<f64>>);

/// The tags that may stand against a target: at least three days of yes and three of no from day `first` on. Of
/// more than two hundred, those with most answers.
pub fn tag_columns(tags: Vec<TagDays>, first: usize) -> Vec<Column> {
    let answers = |tag: &TagDays| {
        let answers = || tag.values.iter().skip(first).flatten();
        let yes = answers().filter(|answer| **answer > 0.0).count();
        (yes, answers().count() - yes)
    };
    let mut counted: Vec<(usize, TagDays)> = tags
        .into_iter()
        .filter_map(|tag| {
            let (yes, no) = answers(&tag);
            (yes.min(no) >= LEAST_OF_EACH).then_some((yes + no, tag))
        })
        .collect();
    if counted.len() > MOST_TAGS {
        counted.sort_by_key(|(answers, _)| Reverse(*answers));
        counted.truncate(MOST_TAGS);
        counted.sort_by(|left, right| left.1.name.cmp(&right.1.name));
    }
    counted
        .into_iter()
        .map(|(_, tag)| (Factor::Tag(tag.name), tag.values))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_two_evenings_is_not_tested() {
        let tag = |name: &str, answers: &[f64]| TagDays {
            name: name.to_owned(),
            values: answers.iter().map(|answer| Some(*answer)).collect(),
        };
        let tags = vec![
            tag("rare", &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
            tag("seldom", &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
            tag("daily", &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
        ];
        let names = |first| -> Vec<Factor> {
            let columns = tag_columns(tags.clone(), first);
            columns.into_iter().map(|(factor, _)| factor).collect()
        };
        assert_eq!(names(0), [Factor::Tag("seldom".to_owned())]);
        // What lies before the days that count does not help.
        assert_eq!(names(1), []);
    }

    #[test]
    fn the_most_answered_tags_are_tested() {
        let tags: Vec<TagDays> = (0..300)
            .map(|tag| TagDays {
                name: format!("{tag:03}"),
                values: (0..6 + tag).map(|day| Some(f64::from(day % 2))).collect(),
            })
            .collect();
        let columns = tag_columns(tags, 0);
        assert_eq!(columns.len(), 200);
        assert_eq!(columns[0].0, Factor::Tag("100".to_owned()));
    }
}
