//! The columns of the reference tables, and the cells of a row by column.

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

/// Every column with its name in the database, in the order of [`Column`].
const NAMES: [&str; Column::Steps as usize + 1] = [
    "userId",
    "id",
    "sourceId",
    "source",
    "createdAt",
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
pub(super) struct CsvColumns([Option<usize>; NAMES.len()]);

impl CsvColumns {
    pub(super) fn of(table: &Table<'_>) -> Self {
        Self(NAMES.map(|name| table.column(&[name])))
    }

    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.0[column as usize]
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
        self.row.text(self.columns.place(column))
    }
}

/// The used fields of a JSON object.
pub(super) struct JsonCells([String; NAMES.len()]);

impl JsonCells {
    /// Reads a line of a JSON-lines file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            (
                RejectReason::NotUtf8,
                "the line is not UTF-8 text".to_owned(),
            )
        })?;
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            (
                RejectReason::NotJson,
                format!(
                    "not a JSON object (column {}), expected one object per line",
                    error.column()
                ),
            )
        })?;
        let mut cells = NAMES.map(|_| String::new());
        for (name, value) in fields {
            let place = NAMES
                .iter()
                .position(|known| crate::format::same(known, &name));
            if let Some(cell) = place.map(|place| &mut cells[place]) {
                *cell = match value {
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

    /// The cells of some columns of a CSV record.
    pub(super) fn of_record(columns: &CsvColumns, record: &csv::ByteRecord) -> Self {
        Self(columns.0.map(|place| {
            let cell = place.and_then(|place| record.get(place)).unwrap_or(b"");
            String::from_utf8_lossy(cell).trim().to_owned()
        }))
    }
}

impl Cells for JsonCells {
    fn cell(&self, column: Column) -> &str {
        &self.0[column as usize]
    }
}
