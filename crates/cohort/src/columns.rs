//! The columns of a cohort table.

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use vitalcast_domain::PredictionMetric;
use vitalcast_features::catalogue;

/// A column, as the schema of every cohort table describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortColumn {
    /// Name.
    pub name: String,
    /// Unit, empty for text, dates and times.
    pub unit: &'static str,
    /// Description in one line.
    pub meaning: String,
}

/// Keys of the metadata of a column.
pub(crate) const UNIT: &str = "unit";
const MEANING: &str = "meaning";

/// The columns that say whose row it is.
const KEYS: [(&str, &str); 3] = [
    ("user_id", "Id of the person"),
    ("date", "The person's local day"),
    (
        "as_known_at",
        "The row holds what was known at this time, and nothing that became known later",
    ),
];

/// The numbers of a row, in order: the features of the catalogue, then the metrics that can be forecast.
fn numbers() -> impl Iterator<Item = CohortColumn> {
    let features = catalogue().iter().map(|feature| CohortColumn {
        name: feature.name.to_owned(),
        unit: feature.unit,
        meaning: feature.meaning.to_owned(),
    });
    let metrics = PredictionMetric::ALL.iter().map(|metric| CohortColumn {
        name: format!("actual_{}", metric.as_str().to_lowercase()),
        unit: metric.unit_label(),
        meaning: format!("{metric} of this day, as forecasts are compared with it"),
    });
    features.chain(metrics)
}

/// All columns, in order.
pub fn cohort_columns() -> impl Iterator<Item = CohortColumn> {
    let keys = KEYS.map(|(name, meaning)| CohortColumn {
        name: name.to_owned(),
        unit: "",
        meaning: meaning.to_owned(),
    });
    keys.into_iter().chain(numbers())
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let keys = [
        DataType::Utf8,
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    ];
    let keys = keys.into_iter().map(|of_type| (of_type, false));
    let types = keys.chain(std::iter::repeat((DataType::Float64, true)));
    let fields: Vec<Field> = cohort_columns()
        .zip(types)
        .map(|(column, (of_type, nullable))| {
            let mut metadata = HashMap::from([(MEANING.to_owned(), column.meaning)]);
            if !column.unit.is_empty() {
                metadata.insert(UNIT.to_owned(), column.unit.to_owned());
            }
            Field::new(column.name, of_type, nullable).with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
});

/// The schema of the tables that are written here.
pub(crate) fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// What keeps a schema from being that of a cohort table of this version or another one, in words.
pub(crate) fn fault_of(found: &Schema) -> Option<String> {
    let expected = SCHEMA.fields().iter().take(KEYS.len());
    for (place, field) in expected.enumerate() {
        let is_there = found.fields().get(place).is_some_and(|other| {
            other.name() == field.name() && other.data_type() == field.data_type()
        });
        if !is_there {
            return Some(format!("column {} is not {}", place + 1, field.name()));
        }
    }
    let numbers = found.fields().iter().skip(KEYS.len());
    let other = numbers
        .into_iter()
        .find(|field| field.data_type() != &DataType::Float64);
    other.map(|field| format!("column {} does not hold numbers", field.name()))
}
