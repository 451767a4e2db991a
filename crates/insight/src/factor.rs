//! What stands against a target: the features of the catalogue, and the tags of the person.

use std::cmp::Reverse;
use vitalcast_domain::{FactorCategory, MetricType, TAG_PREFIX};
use vitalcast_features::{Feature, TagDays};

/// Tags that are tested at most: each test costs the others power.
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

    /// Whether it is a tag.
    pub(crate) fn is_tag(&self) -> bool {
        match self {
            Self::Feature(_) => false,
            Self::Tag(_) => true,
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

/// The tags that may stand against a target, and the number of those that are left out: of more than two
/// hundred, the ones with the fewest days of yes or of no are.
pub fn tag_columns(mut tags: Vec<TagDays>) -> (Vec<Column>, usize) {
    let left_out = tags.len().saturating_sub(MOST_TAGS);
    if left_out > 0 {
        let fewer = |tag: &TagDays| {
            let answers = || tag.values.iter().flatten();
            let yes = answers().filter(|answer| **answer > 0.0).count();
            yes.min(answers().count() - yes)
        };
        tags.sort_by_cached_key(|tag| Reverse(fewer(tag)));
        tags.truncate(MOST_TAGS);
        tags.sort_by(|left, right| left.name.cmp(&right.name));
    }
    let columns = tags.into_iter();
    let columns = columns.map(|tag| (Factor::Tag(tag.name), tag.values));
    (columns.collect(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_with_most_of_both_answers_are_tested() {
        let tags: Vec<TagDays> = (0..300)
            .map(|tag| TagDays {
                name: format!("{tag:03}"),
                values: (0..400)
                    .map(|day| Some(f64::from(u8::from(day < tag))))
                    .collect(),
            })
            .collect();
        let (columns, left_out) = tag_columns(tags.clone());
        assert_eq!((columns.len(), left_out), (200, 100));
        let names: Vec<String> = columns.iter().map(|(factor, _)| factor.name()).collect();
        // Yes on 101 to 299 days of 400; of those with 100 both ways, the first.
        assert_eq!(names[0], "tag:100");
        assert_eq!(names[199], "tag:299");
        let (columns, left_out) = tag_columns(tags[..5].to_vec());
        assert_eq!((columns.len(), left_out), (5, 0));
    }
}
