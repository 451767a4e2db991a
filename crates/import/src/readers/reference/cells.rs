//! The columns of the reference tables, and the cells of a row by column.
//!
//! A column has the name of a field of records (`vitalcast_domain`), in snake_case or in the camelCase of
//! the database, or one of a few further names. The column of a number may have its unit behind the name:
//! `duration_s`, `Energy (kJ)`.

use crate::format::same;
use crate::report::RejectReason;
use crate::table::{Fault, Row};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::LazyLock;
use vitalcast_domain::{Activity, HealthMetric, Meal, NumberField, RecordField, Unit};

/// A column that is read, by its place in [`NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column(usize);

/// The columns beside the fields of records: whose row it is, where it comes from, since when it is as it
/// is, and a further one for the energy of a meal.
const BESIDE: [&str; 8] = [
    "user_id",
    "id",
    "source_id",
    "source",
    "created_at",
    "updated_at",
    "day",
    "energy_kj",
];
const FIELDS: [&[RecordField]; 3] = [Meal::FIELDS, Activity::FIELDS, HealthMetric::FIELDS];

/// Every name on the wire, once, and their number.
const ALL: ([&str; 64], usize) = {
    let mut all = ([""; 64], 0);
    while all.1 < BESIDE.len() {
        all.0[all.1] = BESIDE[all.1];
        all.1 += 1;
    }
    let mut kind = 0;
    while kind < FIELDS.len() {
        let mut field = 0;
        while field < FIELDS[kind].len() {
            let name = FIELDS[kind][field].name;
            if place_in(&all.0, all.1, name).is_none() {
                all.0[all.1] = name;
                all.1 += 1;
            }
            field += 1;
        }
        kind += 1;
    }
    all
};
const COUNT: usize = ALL.1;

/// The place of a name among the first of some.
const fn place_in(names: &[&str], count: usize, name: &str) -> Option<usize> {
    let wanted = name.as_bytes();
    let mut place = 0;
    while place < count {
        let held = names[place].as_bytes();
        let mut at = 0;
        while at < held.len() && at < wanted.len() && held[at] == wanted[at] {
            at += 1;
        }
        if at == held.len() && at == wanted.len() {
            return Some(place);
        }
        place += 1;
    }
    None
}

/// The names as the database writes them.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let in_camel_case = |name: &str| {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| {
            let (initial, rest) = word.split_at(1);
            name + &initial.to_uppercase() + rest
        })
    };
    ALL.0[..COUNT]
        .iter()
        .map(|name| in_camel_case(name))
        .collect()
});

/// Further names of columns.
const OTHER_NAMES: [(Column, &str); 14] = [
    (Column::ENERGY_KJ, "kilojoules"),
    (Column::ENERGY_KJ, "kj"),
    (Column::CALORIES, "energyKcal"),
    (Column::CALORIES, "kcal"),
    (Column::CARBS, "carbohydrates"),
    (Column::CARBS, "carbohydrate"),
    (Column::PROTEIN, "proteins"),
    (Column::FAT, "fats"),
    (Column::FIBER, "fibre"),
    (Column::FIBER, "fibers"),
    (Column::SUGAR, "sugars"),
    (Column::AVERAGE_HEART_RATE, "avgHeartRate"),
    (Column::AVERAGE_HEART_RATE, "averageHr"),
    (Column::MAX_HEART_RATE, "maxHr"),
];

impl Column {
    pub(super) const USER_ID: Self = Self::of("user_id");
    pub(super) const ID: Self = Self::of("id");
    pub(super) const SOURCE_ID: Self = Self::of("source_id");
    pub(super) const SOURCE: Self = Self::of("source");
    pub(super) const CREATED_AT: Self = Self::of("created_at");
    pub(super) const UPDATED_AT: Self = Self::of("updated_at");
    pub(super) const DAY: Self = Self::of("day");
    pub(super) const ENERGY_KJ: Self = Self::of("energy_kj");
    pub(super) const CONSUMED_AT: Self = Self::of("consumed_at");
    pub(super) const STARTED_AT: Self = Self::of("started_at");
    pub(super) const ENDED_AT: Self = Self::of("ended_at");
    pub(super) const RECORDED_AT: Self = Self::of("recorded_at");
    pub(super) const NAME: Self = Self::of("name");
    pub(super) const MEAL_TYPE: Self = Self::of("meal_type");
    pub(super) const ACTIVITY_TYPE: Self = Self::of("activity_type");
    pub(super) const INTENSITY: Self = Self::of("intensity");
    pub(super) const METRIC_TYPE: Self = Self::of("metric_type");
    pub(super) const KIND: Self = Self::of("kind");
    pub(super) const VALUE: Self = Self::of("value");
    pub(super) const UNIT: Self = Self::of("unit");
    pub(super) const CALORIES: Self = Self::of_number(&Meal::ENERGY);
    pub(super) const PROTEIN: Self = Self::of_number(&Meal::PROTEIN);
    pub(super) const CARBS: Self = Self::of_number(&Meal::CARBS);
    pub(super) const FAT: Self = Self::of_number(&Meal::FAT);
    pub(super) const FIBER: Self = Self::of_number(&Meal::FIBER);
    pub(super) const SUGAR: Self = Self::of_number(&Meal::SUGAR);
    pub(super) const DURATION: Self = Self::of_number(&Activity::DURATION);
    pub(super) const CALORIES_BURNED: Self = Self::of_number(&Activity::ENERGY);
    pub(super) const AVERAGE_HEART_RATE: Self = Self::of_number(&Activity::AVERAGE_HEART_RATE);
    pub(super) const MAX_HEART_RATE: Self = Self::of_number(&Activity::MAX_HEART_RATE);
    pub(super) const DISTANCE: Self = Self::of_number(&Activity::DISTANCE);
    pub(super) const STEPS: Self = Self::of_number(&Activity::STEPS);

    /// The column of a name on the wire. A name that is none does not compile as a constant.
    const fn of(name: &str) -> Self {
        Self(place_in(&ALL.0, COUNT, name).expect("a column that is read"))
    }

    /// The column of a number.
    const fn of_number<T>(field: &NumberField<T>) -> Self {
        Self::of(field.name)
    }

    /// Its name in the database.
    pub(super) fn name(self) -> &'static str {
        &NAMES[self.0]
    }

    /// The column of a name in a table, with the unit behind the name.
    fn named(name: &str) -> Option<(Self, Option<Unit>)> {
        let known = ALL.0[..COUNT].iter().position(|known| same(known, name));
        let other = || {
            let other = OTHER_NAMES.iter().find(|(_, known)| same(known, name));
            other.map(|(column, _)| *column)
        };
        match known.map(Self).or_else(other) {
            Some(column) => Some((column, None)),
            None => with_unit(name).map(|(column, unit)| (column, Some(unit))),
        }
    }
}

/// Names of the columns of numbers, with their units.
static NUMBERS: LazyLock<Vec<(&str, Column, Unit)>> = LazyLock::new(|| {
    fn of<T>(field: &NumberField<T>) -> (&'static str, Column, Unit) {
        (field.name, Column::of_number(field), field.unit)
    }
    let mut numbers: Vec<_> = Meal::NUMBERS.iter().map(of).collect();
    numbers.extend(Activity::NUMBERS.iter().map(of));
    let others = OTHER_NAMES.iter().filter_map(|&(column, name)| {
        let known = numbers.iter().find(|known| known.1 == column)?;
        Some((name, column, known.2))
    });
    let others: Vec<_> = others.collect();
    numbers.extend(others);
    // Alone, it does not say whether in kilocalories or kilojoules.
    numbers.push(("energy", Column::CALORIES, Unit::Kilocalories));
    numbers
});

/// The column of a number whose name has the unit behind it, such as `durationSeconds` or `Fat [g]`.
fn with_unit(name: &str) -> Option<(Column, Unit)> {
    NUMBERS.iter().find_map(|(known, column, unit)| {
        let found = unit_behind(name, known)?;
        found.convert(1.0, *unit)?;
        Some((*column, found))
    })
}

/// The unit behind the beginning of a name.
fn unit_behind(name: &str, known: &str) -> Option<Unit> {
    let letters = known.bytes().filter(u8::is_ascii_alphanumeric).count();
    let (last, _) = name
        .char_indices()
        .filter(|(_, letter)| letter.is_ascii_alphanumeric())
        .nth(letters.checked_sub(1)?)?;
    let (begin, rest) = name.split_at(last + 1);
    let word = rest.trim_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, '(' | ')' | '[' | ']' | '_' | '-' | ',')
    });
    (same(begin, known) && !word.is_empty())
        .then(|| Unit::parse(word).ok())
        .flatten()
}

/// Cells by column, from a CSV row or a JSON object.
pub(super) trait Cells {
    /// The cell without surrounding spaces; empty if there is none.
    fn cell(&self, column: Column) -> &str;

    /// The unit that the name of the column says.
    fn unit(&self, column: Column) -> Option<Unit>;
}

/// Positions of the columns in a CSV file.
pub(super) struct CsvColumns {
    places: [Option<usize>; COUNT],
    units: [Option<Unit>; COUNT],
    /// Names of columns that are not read.
    pub(super) unread: Vec<String>,
}

impl CsvColumns {
    pub(super) fn of(names: &[String]) -> Self {
        let mut columns = Self {
            places: [None; COUNT],
            units: [None; COUNT],
            unread: Vec::new(),
        };
        // The name of the database counts before others, and the first of several columns.
        let is_own = |name: &str| ALL.0[..COUNT].iter().any(|known| same(known, name));
        let mut places: Vec<usize> = (0..names.len()).collect();
        places.sort_by_key(|place| !is_own(&names[*place]));
        for place in places {
            let name = &names[place];
            match Column::named(name) {
                Some((column, unit)) if columns.places[column.0].is_none() => {
                    columns.places[column.0] = Some(place);
                    columns.units[column.0] = unit;
                }
                None if name.is_empty() => {}
                Some(_) | None => columns.unread.push(name.clone()),
            }
        }
        columns
    }

    /// The place of a column, if the table has it.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column.0]
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.place(column).is_some()
    }
}

/// A row of a CSV file.
pub(super) struct CsvCells<'r, 't> {
    pub(super) row: &'r Row<'t>,
    pub(super) columns: &'r CsvColumns,
}

impl Cells for CsvCells<'_, '_> {
    fn cell(&self, column: Column) -> &str {
        self.row.text(self.columns.places[column.0])
    }

    fn unit(&self, column: Column) -> Option<Unit> {
        self.columns.units[column.0]
    }
}

/// The names of the fields of JSON objects, each looked up once.
#[derive(Default)]
pub(super) struct JsonNames(HashMap<String, Option<(Column, Option<Unit>)>>);

/// Most names that are kept: objects may have ids for names.
const MOST_NAMES: usize = 1_000;

impl JsonNames {
    fn column(&mut self, name: String) -> Option<(Column, Option<Unit>)> {
        if let Some(known) = self.0.get(&name) {
            return *known;
        }
        let found = Column::named(&name);
        if self.0.len() < MOST_NAMES {
            self.0.insert(name, found);
        }
        found
    }

    /// Names of fields that are not read, in their order.
    pub(super) fn unread(&self) -> Vec<String> {
        let names = self.0.iter().filter(|(_, found)| found.is_none());
        let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }
}

/// The used fields of a JSON object.
pub(super) struct JsonCells {
    cells: [String; COUNT],
    units: [Option<Unit>; COUNT],
}

impl JsonCells {
    /// Reads the text of an object.
    pub(super) fn parse(bytes: &[u8], names: &mut JsonNames) -> Result<Self, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            (
                RejectReason::NotUtf8,
                "the object is not UTF-8 text".to_owned(),
            )
        })?;
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            (
                RejectReason::NotJson,
                format!(
                    "not a JSON object (column {}), expected one object per line or a list of \
                     objects",
                    error.column()
                ),
            )
        })?;
        let mut found = Self {
            cells: std::array::from_fn(|_| String::new()),
            units: [None; COUNT],
        };
        for (name, value) in fields {
            let Some((column, unit)) = names.column(name) else {
                continue;
            };
            if found.cells[column.0].is_empty() {
                found.units[column.0] = unit;
                found.cells[column.0] = match value {
                    Value::String(text) => text.trim().to_owned(),
                    Value::Null => String::new(),
                    Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        value.to_string()
                    }
                };
            }
        }
        Ok(found)
    }
}

impl Cells for JsonCells {
    fn cell(&self, column: Column) -> &str {
        &self.cells[column.0]
    }

    fn unit(&self, column: Column) -> Option<Unit> {
        self.units[column.0]
    }
}
