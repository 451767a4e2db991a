//! What food diaries share: nutrients by column, and foods that are added up to meals.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::numbers::{Cell, Mark, Marks, cell_with};
use crate::readings::{Place, shortened};
use crate::report::SkipReason;
use crate::table::{Fault, Row, Table};
use chrono::{NaiveDate, NaiveTime};
use std::collections::BTreeMap;
use vitalcast_domain::{Meal, Moment, Provenance, Record, Told, Unit, UserId};

/// Names of the columns of protein, carbohydrate, fat, fibre and sugar, g.
const COLUMNS: [&[&str]; 5] = [
    &["Protein (g)", "Protein"],
    &["Carbohydrates (g)", "Carbs (g)", "Carbohydrates", "Carbs"],
    &["Fat (g)", "Fat", "Total Fat (g)"],
    &["Fiber (g)", "Fiber", "Fibre (g)"],
    &["Sugars (g)", "Sugar (g)", "Sugars", "Sugar"],
];
/// Energy of a gram of protein, carbohydrate and fat, kcal.
const ENERGY_PER_GRAM: [f64; 3] = [4.0, 4.0, 9.0];
/// Energy over what the macronutrients give, from which on it must be in kilojoules.
const KILOJOULES_FROM: f64 = 2.5;

/// The columns of a table that hold nutrients.
pub(crate) struct Nutrients {
    energy: Option<usize>,
    /// Unit of the energy.
    pub(crate) unit: Unit,
    /// Whether the header names the unit.
    pub(crate) is_named: bool,
    grams: [Option<usize>; 5],
}

impl Nutrients {
    pub(crate) fn of(table: &Table<'_>) -> Self {
        let kilojoules = table.column(&["Energy (kJ)", "Calories (kJ)", "Kilojoules", "kJ"]);
        let named = table.column(&["Energy (kcal)", "Calories (kcal)", "kcal"]);
        let (energy, unit, is_named) = match (named, kilojoules) {
            (Some(column), _) => (Some(column), Unit::Kilocalories, true),
            (None, Some(column)) => (Some(column), Unit::Kilojoules, true),
            (None, None) => {
                let column = table.column(&["Calories", "Energy"]);
                (column, Unit::Kilocalories, false)
            }
        };
        Self {
            energy,
            unit,
            is_named,
            grams: COLUMNS.map(|names| table.column(names)),
        }
    }

    /// The nutrients of a row.
    pub(crate) fn read(&self, row: &Row<'_>) -> Result<Eaten, Fault> {
        let energy = amount(row, self.energy, "energy")?;
        let mut eaten = Eaten {
            energy_kcal: energy.and_then(|energy| self.unit.convert(energy, Unit::Kilocalories)),
            ..Eaten::default()
        };
        let names = ["protein", "carbohydrate", "fat", "fibre", "sugar"];
        for ((grams, column), name) in eaten.grams.iter_mut().zip(self.grams).zip(names) {
            *grams = amount(row, column, name)?;
        }
        Ok(eaten)
    }
}

/// What diaries write as amounts: no food is weighed to the milligram, so a comma before three digits groups
/// thousands, unless the column says otherwise.
pub(crate) fn amount(
    row: &Row<'_>,
    column: Option<usize>,
    name: &str,
) -> Result<Option<f64>, Fault> {
    let marks = || {
        let marks = column.map_or_else(Marks::default, |column| row.marks(column));
        Marks {
            comma: match marks.comma {
                Mark::Unclear => Mark::Grouping,
                known @ (Mark::Grouping | Mark::Decimal) => known,
            },
            ..marks
        }
    };
    match cell_with(row.text(column), name, marks)? {
        Cell::Empty | Cell::NotMeasured => Ok(None),
        Cell::Value(value, None) => Ok(Some(value)),
        Cell::Value(_, Some(_)) => row.number(column, name),
    }
}

/// Nutrients; what is not known is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Eaten {
    pub(crate) energy_kcal: Option<f64>,
    /// Protein, carbohydrate, fat, fibre and sugar, g.
    pub(crate) grams: [Option<f64>; 5],
}

impl Eaten {
    fn add(&mut self, more: &Self) {
        let sum = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        self.energy_kcal = sum(self.energy_kcal, more.energy_kcal);
        for (grams, more) in self.grams.iter_mut().zip(more.grams) {
            *grams = sum(*grams, more);
        }
    }

    /// Whether nothing in it is above 0.
    pub(crate) fn is_nothing(&self) -> bool {
        let is_none = |value: &Option<f64>| value.is_none_or(|value| value == 0.0);
        is_none(&self.energy_kcal) && self.grams.iter().all(is_none)
    }
}

/// Finds out whether the energies of a table without a unit are in kilojoules: they are then about four
/// times what the macronutrients give.
#[derive(Debug, Default)]
pub(crate) struct EnergyCheck {
    energy: f64,
    of_nutrients: f64,
}

impl EnergyCheck {
    pub(crate) fn see(&mut self, eaten: &Eaten) {
        let [protein, carbs, fat, ..] = eaten.grams;
        if let (Some(energy), Some(protein), Some(carbs), Some(fat)) =
            (eaten.energy_kcal, protein, carbs, fat)
        {
            let grams = [protein, carbs, fat].into_iter().zip(ENERGY_PER_GRAM);
            self.energy += energy;
            self.of_nutrients += grams.map(|(grams, energy)| grams * energy).sum::<f64>();
        }
    }

    pub(crate) fn are_kilojoules(&self) -> bool {
        self.of_nutrients > 0.0 && self.energy / self.of_nutrients >= KILOJOULES_FROM
    }
}

/// When and what a meal was, as its diary tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sitting {
    pub(crate) day: NaiveDate,
    pub(crate) time: Option<NaiveTime>,
    /// The diary's name of the meal, or what stands for it.
    pub(crate) name: String,
}

/// Meals, added up from their foods. A meal has one id, however many foods are added to it later.
#[derive(Debug, Default)]
pub(crate) struct Meals {
    meals: BTreeMap<Sitting, (Eaten, u64)>,
}

impl Meals {
    /// Adds a food, or a whole meal, from a line.
    pub(crate) fn add(&mut self, sitting: Sitting, eaten: &Eaten, line: u64) {
        let (meal, _) = self
            .meals
            .entry(sitting)
            .or_insert_with(|| (Eaten::default(), line));
        meal.add(eaten);
    }

    /// Passes the meals on.
    pub(crate) fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        source: &str,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        for (sitting, (eaten, line)) in self.meals {
            if eaten.is_nothing() {
                importer.skip(SkipReason::NothingEaten);
                continue;
            }
            let Sitting { day, time, name } = sitting;
            let at = time.map_or(Moment::Date(day), |time| Moment::Clock(day.and_time(time)));
            let id = format!("meal-{}-{}", at.id(), crate::words::letters(&name));
            let provenance = Provenance::told(source, shortened(&id), Told::at(at));
            let record = Record::Meal(meal(provenance, Some(name), &eaten));
            importer.checked(user, Place { line, ..place }, record)?;
        }
        Ok(())
    }
}

/// A meal of these nutrients; its name says which one of the day it is.
pub(crate) fn meal(provenance: Provenance, name: Option<String>, eaten: &Eaten) -> Meal {
    let [protein_g, carbs_g, fat_g, fiber_g, sugar_g] = eaten.grams;
    let name = name.filter(|name| !name.is_empty());
    Meal {
        provenance,
        meal_type: name.as_deref().and_then(crate::words::meal),
        name: name.map(|name| shortened(&name)),
        energy_kcal: eaten.energy_kcal,
        protein_g,
        carbs_g,
        fat_g,
        fiber_g,
        sugar_g,
    }
}
