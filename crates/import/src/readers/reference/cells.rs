//! The columns of the reference tables, and the cells of a row by column.

use crate::format::same;
use crate::report::RejectReason;
use crate::table::{Fault, Row, Table};
use serde_json::{Map, Value};

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    UserId,
    Id,
    SourceId,
    Source,
    CreatedAt,
    UpdatedAt,
    Day,
    Kind,
    ConsumedAt,
    StartedAt,
    EndedAt,
    RecordedAt,
    MetricType,
    Value,
    Unit,
    Name,
    MealType,
    Calories,
    EnergyKj,
    Protein,
    Carbs,
    Fat,
    Fiber,
    Sugar,
    Duration,
    ActivityType,
    Intensity,
    CaloriesBurned,
    AverageHeartRate,
    MaxHeartRate,
    Distance,
    Steps,
}

/// Number of columns.
const COUNT: usize = Column::Steps as usize + 1;

/// Every column with its name in the database, in the order of [`Column`].
const NAMES: [&str; COUNT] = [
    "userId",
    "id",
    "sourceId",
    "source",
    "createdAt",
    "updatedAt",
    "day",
    "kind",
    "consumedAt",
    "startedAt",
    "endedAt",
    "recordedAt",
    "metricType",
    "value",
    "unit",
    "name",
    "mealType",
    "calories",
    "energyKj",
    "protein",
    "carbs",
    "fat",
    "fiber",
    "sugar",
    "duration",
    "activityType",
    "intensity",
    "caloriesBurned",
    "averageHeartRate",
    "maxHeartRate",
    "distance",
    "steps",
];

/// Further names of columns.
const OTHER_NAMES: [(Column, &str); 4] = [
    (Column::EnergyKj, "kilojoules"),
    (Column::EnergyKj, "kj"),
    (Column::Calories, "energyKcal"),
    (Column::Calories, "kcal"),
];

impl Column {
    /// Name in the database.
    pub(super) fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// Cells by column, from a CSV row or a JSON object.
pub(super) trait Cells {
    /// The cell without surrounding spaces; empty if there is none.
    fn cell(&self, column: Column) -> &str;
}

/// Positions of the columns in a CSV file.
pub(super) struct CsvColumns([Option<usize>; COUNT]);

impl CsvColumns {
    pub(super) fn of(table: &Table<'_>) -> Self {
        let mut places = NAMES.map(|name| table.column(&[name]));
        for (column, name) in OTHER_NAMES {
            let place = &mut places[column as usize];
            *place = place.or_else(|| table.column(&[name]));
        }
        Self(places)
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.0[column as usize].is_some()
    }
}

/// A row of a CSV file.
pub(super) struct CsvCells<'r, 't> {
    pub(super) row: &'r Row<'t>,
    pub(super) columns: &'r CsvColumns,
}

impl Cells for CsvCells<'_, '_> {
    fn cell(&self, column: Column) -> &str {
        self.row.text(self.columns.0[column as usize])
    }
}

/// The used fields of a JSON object.
pub(super) struct JsonCells([String; COUNT]);

impl JsonCells {
    /// Reads the text of an object.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
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
        let mut cells = NAMES.map(|_| String::new());
        for (name, value) in fields {
            if let Some(place) = place_of(&name) {
                cells[place] = match value {
                    Value::String(text) => text.trim().to_owned(),
                    Value::Null => String::new(),
                    Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        value.to_string()
                    }
                };
            }
        }
        Ok(Self(cells))
    }
}

/// The column of a name.
fn place_of(name: &str) -> Option<usize> {
    let known = NAMES.iter().position(|known| same(known, name));
    known.or_else(|| {
        let other = OTHER_NAMES.iter().find(|(_, known)| same(known, name));
        other.map(|(column, _)| *column as usize)
    })
}

impl Cells for JsonCells {
    fn cell(&self, column: Column) -> &str {
        &self.0[column as usize]
    }
}
