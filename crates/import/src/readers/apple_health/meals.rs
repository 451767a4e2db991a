//! Meals from records of nutrients: those of one source and time are one meal.
//!
//! The records of a correlation usually stand a second time outside of it. Of equal values within and
//! outside, each counts as often as where it stands more often.

use crate::healthkit::{NUTRIENTS, Nutrient};
use crate::readings::shortened;
use std::collections::{BTreeMap, BTreeSet};
use vitalcast_domain::{Meal, MealType, Moment, Provenance, Told};

/// Most names that a meal is made of.
const MOST_NAMES: usize = 20;

/// What was eaten, by source and time.
#[derive(Debug, Default)]
pub(super) struct Meals {
    found: BTreeMap<(usize, i64), Eaten>,
}

/// A nutrient of a food.
pub(super) struct Portion {
    pub(super) nutrient: Nutrient,
    /// In kcal or g.
    pub(super) amount: f64,
    pub(super) source: usize,
    pub(super) at: Moment,
    /// Microseconds since 1970.
    pub(super) micros: i64,
    pub(super) name: Option<String>,
    pub(super) meal: Option<MealType>,
    /// Whether it stands in a correlation.
    pub(super) within: bool,
    pub(super) line: u64,
}

#[derive(Debug)]
struct Eaten {
    at: Moment,
    line: u64,
    /// Values within and outside of correlations.
    amounts: [[Vec<f64>; 2]; NUTRIENTS],
    names: BTreeSet<String>,
    meals: BTreeSet<&'static str>,
}

impl Meals {
    pub(super) fn add(&mut self, portion: Portion) {
        let key = (portion.source, portion.micros);
        let eaten = self.found.entry(key).or_insert_with(|| Eaten {
            at: portion.at,
            line: portion.line,
            amounts: Default::default(),
            names: BTreeSet::new(),
            meals: BTreeSet::new(),
        });
        let place = portion.nutrient as usize;
        eaten.amounts[place][usize::from(portion.within)].push(portion.amount);
        if let Some(name) = portion.name
            && eaten.names.len() < MOST_NAMES
        {
            eaten.names.insert(name);
        }
        eaten.meals.extend(portion.meal.map(MealType::as_str));
    }

    /// The meals with the places of their first records, in the order of sources and time. `None` for
    /// one without any nutrient.
    pub(super) fn finish(self, sources: &[String]) -> impl Iterator<Item = (u64, Option<Meal>)> {
        let found = self.found.into_iter();
        found.map(|((source, _), eaten)| {
            let source = sources.get(source).map_or("", String::as_str);
            (eaten.line, eaten.meal(source))
        })
    }
}

impl Eaten {
    fn meal(mut self, source: &str) -> Option<Meal> {
        let mut totals = [None; NUTRIENTS];
        for (total, [outside, within]) in totals.iter_mut().zip(&mut self.amounts) {
            *total = sum_of_union(outside, within);
        }
        if totals
            .iter()
            .all(|total| total.is_none_or(|total| total == 0.0))
        {
            return None;
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut meals = self.meals.iter();
        let meal_type = match (meals.next(), meals.next()) {
            (Some(meal), None) => meal.parse().ok(),
            (Some(_) | None, _) => None,
        };
        let id = format!("meal-{}", self.at.id());
        let of = |nutrient: Nutrient| totals[nutrient as usize];
        Some(Meal {
            provenance: Provenance::told(shortened(source), id, Told::at(self.at)),
            name: (!names.is_empty()).then(|| shortened(&names.join(", "))),
            meal_type,
            energy_kcal: of(Nutrient::Energy),
            protein_g: of(Nutrient::Protein),
            carbs_g: of(Nutrient::Carbohydrate),
            fat_g: of(Nutrient::Fat),
            fiber_g: of(Nutrient::Fibre),
            sugar_g: of(Nutrient::Sugar),
        })
    }
}

/// The sum of the values of two lists, of which each value counts as often as in the list that has it
/// more often.
fn sum_of_union(one: &mut [f64], other: &mut [f64]) -> Option<f64> {
    if one.is_empty() && other.is_empty() {
        return None;
    }
    one.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    let mut sum: f64 = 0.0;
    loop {
        sum += match (left.peek(), right.peek()) {
            (Some(first), Some(second)) if first == second => {
                right.next();
                left.next().copied().unwrap_or_default()
            }
            (Some(first), Some(second)) if first > second => {
                right.next().copied().unwrap_or_default()
            }
            (Some(_), _) => left.next().copied().unwrap_or_default(),
            (None, Some(_)) => right.next().copied().unwrap_or_default(),
            (None, None) => return Some((sum * 1e4).round() / 1e4),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_as_often_as_where_it_stands_more_often() {
        let sum = |one: &[f64], other: &[f64]| sum_of_union(&mut one.to_vec(), &mut other.to_vec());
        assert_eq!(sum(&[6.0, 6.0, 10.0], &[6.0, 10.0, 1.5]), Some(23.5));
        assert_eq!(sum(&[], &[2.0, 2.0]), Some(4.0));
        assert_eq!(sum(&[], &[]), None);
    }
}
