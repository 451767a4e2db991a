//! Tables of replayed forecasts: one row per person, day, horizon and model.

use crate::write::{Sink, folder_of, keep, unwritable};
use crate::{CohortError, CohortFormat};
use arrow_array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use chrono::NaiveDate;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// A replayed forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastRow<'a> {
    /// Id of the person.
    pub user_id: &'a str,
    /// The day that was forecast.
    pub target_date: NaiveDate,
    /// Days from the origin to it.
    pub horizon: usize,
    /// Name of the model.
    pub model: &'a str,
    /// What was observed, in the unit of the metric.
    pub observed: f64,
    /// The forecast.
    pub forecast: f64,
    /// Lower and upper bound at each level; `None` where no such level is supported.
    pub intervals: &'a [Option<(f64, f64)>],
    /// The last day that was known.
    pub origin: NaiveDate,
}

/// Writes a table of forecasts. The ending of the name says the format: `.csv`, `.parquet`, `.arrow` or
/// `.feather`. Bounds have the columns `lower_L` and `upper_L`, where L is the level in per cent; a bound
/// that is not supported is empty. The file appears under its name once it is complete.
///
/// # Errors
///
/// [`CohortError::UnknownEndingOfForecasts`], [`CohortError::NoRows`], [`CohortError::Write`].
pub fn write_forecasts(
    path: impl AsRef<Path>,
    levels: &[f64],
    rows: &[ForecastRow<'_>],
) -> Result<(), CohortError> {
    let path = path.as_ref();
    let format = format_of(path)?;
    if rows.is_empty() {
        return Err(CohortError::NoRows);
    }
    let written = match format {
        None => tempfile::Builder::new()
            .prefix(".vitalcast-")
            .tempfile_in(folder_of(path))
            .and_then(|mut file| {
                file.write_all(csv(levels, rows).as_bytes())?;
                Ok(file)
            }),
        Some(format) => {
            let batch = batch(levels, rows);
            Sink::new(format, path, batch.schema()).and_then(|mut sink| {
                sink.write(&batch)?;
                sink.finish()
            })
        }
    };
    written
        .and_then(|file| keep(file, path))
        .map_err(|source| unwritable(path, source))
}

/// Whether a name is one that [`write_forecasts`] can write.
///
/// # Errors
///
/// [`CohortError::UnknownEndingOfForecasts`].
pub fn check_forecasts_name(path: &Path) -> Result<(), CohortError> {
    format_of(path).map(|_| ())
}

/// The format that a name says; `None` for CSV.
fn format_of(path: &Path) -> Result<Option<CohortFormat>, CohortError> {
    let ending = path.extension();
    if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        return Ok(None);
    }
    let format = CohortFormat::of(path);
    format
        .map(Some)
        .map_err(|_| CohortError::UnknownEndingOfForecasts(path.to_owned()))
}

/// The columns, in their order.
fn names(levels: &[f64]) -> Vec<String> {
    let fixed = [
        "user_id",
        "target_date",
        "horizon",
        "model",
        "observed",
        "forecast",
    ];
    let bounds = levels.iter().flat_map(|level| {
        let percent = percent(*level);
        [format!("lower_{percent}"), format!("upper_{percent}")]
    });
    let fixed = fixed.into_iter().map(str::to_owned);
    fixed.chain(bounds).chain(["origin".to_owned()]).collect()
}

/// A level in per cent, with as many decimals as it has: 80, 97.5.
fn percent(level: f64) -> String {
    let text = format!("{:.4}", level * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn csv(levels: &[f64], rows: &[ForecastRow<'_>]) -> String {
    let mut text = names(levels).join(",");
    text.push('\n');
    for row in rows {
        let user = quoted(row.user_id);
        let ForecastRow {
            target_date,
            horizon,
            model,
            observed,
            forecast,
            origin,
            ..
        } = row;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{user},{target_date},{horizon},{model},{observed},{forecast}"
        );
        for place in 0..levels.len() {
            match row.intervals.get(place).copied().flatten() {
                Some((lower, upper)) => {
                    let _ = write!(text, ",{lower},{upper}");
                }
                None => text.push_str(",,"),
            }
        }
        let _ = writeln!(text, ",{origin}");
    }
    text
}

/// A cell that a comma or a quote does not break.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn batch(levels: &[f64], rows: &[ForecastRow<'_>]) -> RecordBatch {
    let days = |day: NaiveDate| (day - NaiveDate::default()).num_days() as i32;
    let texts = |of: fn(&ForecastRow<'_>) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let floats = |values: Vec<Option<f64>>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let mut columns: Vec<ArrayRef> = vec![
        texts(|row| row.user_id.to_owned()),
        Arc::new(Date32Array::from_iter_values(
            rows.iter().map(|row| days(row.target_date)),
        )),
        Arc::new(Int32Array::from_iter_values(
            rows.iter().map(|row| row.horizon as i32),
        )),
        texts(|row| row.model.to_owned()),
        floats(rows.iter().map(|row| Some(row.observed)).collect()),
        floats(rows.iter().map(|row| Some(row.forecast)).collect()),
    ];
    for place in 0..levels.len() {
        let bound = |row: &ForecastRow<'_>| row.intervals.get(place).copied().flatten();
        columns.push(floats(
            rows.iter()
                .map(|row| bound(row).map(|(lower, _)| lower))
                .collect(),
        ));
        columns.push(floats(
            rows.iter()
                .map(|row| bound(row).map(|(_, upper)| upper))
                .collect(),
        ));
    }
    columns.push(Arc::new(Date32Array::from_iter_values(
        rows.iter().map(|row| days(row.origin)),
    )));
    let fields: Vec<Field> = names(levels)
        .into_iter()
        .zip(&columns)
        .map(|(name, column)| {
            let is_bound = column.data_type() == &DataType::Float64;
            Field::new(name, column.data_type().clone(), is_bound)
        })
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("the columns are those of the schema")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_csv_has_a_column_for_each_bound_and_leaves_an_unsupported_one_empty() {
        let intervals = [Some((58.0, 62.5)), None];
        let row = ForecastRow {
            user_id: "a,b",
            target_date: day("2026-03-02"),
            horizon: 1,
            model: "auto",
            observed: 60.0,
            forecast: 60.25,
            intervals: &intervals,
            origin: day("2026-03-01"),
        };
        assert_eq!(
            csv(&[0.8, 0.975], &[row]),
            "user_id,target_date,horizon,model,observed,forecast,lower_80,upper_80,lower_97.5,upper_97.5,\
             origin\n\"a,b\",2026-03-02,1,auto,60,60.25,58,62.5,,,2026-03-01\n"
        );
    }
}
