//! The daily table: every field of every view of every day, grouped by polars.

use crate::error::FeaturesError;
use crate::field::{FIELDS, Reduction, contribute, reduction};
use crate::knowledge::{Calendar, Views, Visible, visible};
use chrono::NaiveDate;
use polars::prelude::*;
use vitalcast_domain::{AsOf, History};

/// The days of one person: `NaN` inside stands for missing and never leaves this crate.
pub(crate) struct DailyTable {
    views: Views,
    /// `[view, field]`, row-major.
    values: Vec<f64>,
}

impl DailyTable {
    /// A field of a day as seen from an evening; `None` before the table begins, and where nothing
    /// was known.
    pub(crate) fn value(&self, field: usize, day: usize, evening: usize) -> Option<f64> {
        let value = self.values[self.views.seen(day, evening) * FIELDS + field];
        (!value.is_nan()).then_some(value)
    }
}

/// Rows of the long table before it is grouped: one group key per view and field.
#[derive(Default)]
struct LongTable {
    keys: Vec<u64>,
    values: Vec<f64>,
}

/// The daily tables of several people over the same days. One person's table does not depend on
/// who else is in the list.
pub(crate) fn daily_tables(
    histories: &[&History],
    first_day: NaiveDate,
    days: usize,
    as_of: AsOf,
) -> Result<Vec<DailyTable>, FeaturesError> {
    let mut long = LongTable::default();
    let mut offset = 0_usize;
    let mut all_views = Vec::with_capacity(histories.len());
    for history in histories {
        let calendar = Calendar::new(history, first_day, days);
        let versions: Vec<Visible<'_>> = visible(history, &calendar, as_of);
        let views = Views::new(days, &versions);
        for version in &versions {
            for view in views.of(version) {
                contribute(version.record, &mut |field, value| {
                    long.keys.push(((offset + view) * FIELDS + field) as u64);
                    long.values.push(value);
                });
            }
        }
        offset += views.count();
        all_views.push(views);
    }
    let values = grouped(long, offset * FIELDS)?;
    let mut rest = values.as_slice();
    Ok(all_views
        .into_iter()
        .map(|views| {
            let (own, others) = rest.split_at(views.count() * FIELDS);
            rest = others;
            DailyTable {
                views,
                values: own.to_vec(),
            }
        })
        .collect())
}

/// Reduces the values of each key to one; `NaN` where a key has none.
///
/// Rows come in the canonical order of records and polars keeps that order within a group, so a sum
/// is always added up in the same order.
fn grouped(long: LongTable, size: usize) -> Result<Vec<f64>, FeaturesError> {
    let mut values = vec![f64::NAN; size];
    if long.keys.is_empty() {
        return Ok(values);
    }
    let frame = df!("key" => long.keys, "value" => long.values)?
        .lazy()
        .group_by([col("key")])
        .agg([
            col("value").sum().alias("sum"),
            col("value").count().alias("count"),
            col("value").min().alias("min"),
            col("value").max().alias("max"),
            col("value").last().alias("last"),
        ])
        .collect()?;
    let keys = frame.column("key")?.u64()?;
    let count = frame.column("count")?.cast(&DataType::Float64)?;
    let count = count.f64()?;
    let column =
        |name: &str| -> PolarsResult<Float64Chunked> { Ok(frame.column(name)?.f64()?.clone()) };
    let (sum, min, max, last) = (
        column("sum")?,
        column("min")?,
        column("max")?,
        column("last")?,
    );
    let rows = keys
        .into_no_null_iter()
        .zip(sum.into_no_null_iter())
        .zip(count.into_no_null_iter())
        .zip(min.into_no_null_iter())
        .zip(max.into_no_null_iter())
        .zip(last.into_no_null_iter());
    for (((((key, sum), count), min), max), last) in rows {
        let key = usize::try_from(key).expect("keys count cells of a table in memory");
        values[key] = match reduction(key % FIELDS) {
            Reduction::Sum => sum,
            Reduction::Mean => sum / count,
            Reduction::Smallest => min,
            Reduction::Largest => max,
            Reduction::Latest => last,
        };
    }
    Ok(values)
}
