//! Importance charts: how much a model's forecasts or errors depend on each feature.

use crate::{
    chart::{Drawn, chart_methods},
    error::{ChartError, check_count, check_value},
    legend::Swatch,
    palette::Ink,
    rows::{self, Around, Row, Rows},
    scene::{PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
    unit::{Unit, with_minus_sign},
};

/// The most rows of an importance chart.
pub const LARGEST_IMPORTANCE_ROWS: usize = 60;

/// The importance of one feature, or of one group of features.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportanceRow {
    /// Name of the feature.
    pub label: String,
    /// Its importance; negative for a contribution that takes away, or by chance.
    pub value: f64,
    /// Lower end of its interval.
    pub lower: Option<f64>,
    /// Upper end of its interval.
    pub upper: Option<f64>,
    /// A remark, for example `12 % of all`. May be empty.
    pub note: String,
}

impl ImportanceRow {
    /// Both ends of the interval; an end that is not known is the value itself. `None` without
    /// interval.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        (self.lower.is_some() || self.upper.is_some()).then(|| {
            (
                self.lower.unwrap_or(self.value),
                self.upper.unwrap_or(self.value),
            )
        })
    }

    /// Whether there is no interval, or one that does not hold 0.
    pub(crate) fn is_clear(&self) -> bool {
        self.interval()
            .is_none_or(|(lower, upper)| lower > 0.0 || upper < 0.0)
    }
}

/// Horizontal bars of importances with their intervals.
///
/// A bar whose interval holds 0 is grey: such a feature may not matter at all.
///
/// ```
/// use vitalcast_charts::{ImportanceChart, ImportanceRow, Unit};
///
/// let row = |label: &str, value: f64| ImportanceRow {
///     label: label.to_owned(),
///     value,
///     lower: Some(value - 0.2),
///     upper: Some(value + 0.2),
///     note: String::new(),
/// };
/// let chart = ImportanceChart {
///     title: "What the forecasts depend on".to_owned(),
///     subtitle: String::new(),
///     unit: Some(Unit::beats_per_minute().with_decimals(2)),
///     rows: vec![row("sleep last night", 0.42), row("steps", 0.05)],
/// };
/// assert_eq!(
///     chart.verdict(),
///     "Most important: sleep last night, 0.42 bpm, interval 0.22–0.62 bpm. \
///      1 of 2 intervals holds 0."
/// );
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImportanceChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit of the values, if they have one.
    pub unit: Option<Unit>,
    /// The rows, from the top. 1 to [`LARGEST_IMPORTANCE_ROWS`].
    pub rows: Vec<ImportanceRow>,
}

chart_methods!(ImportanceChart);

impl ImportanceChart {
    /// One or two sentences: the row furthest from 0, and how many intervals hold 0.
    pub fn verdict(&self) -> String {
        let unit = self.shown_unit();
        let Some(first) = self.largest() else {
            return "Nothing was compared.".to_owned();
        };
        if first.value == 0.0 {
            return "None of them matters.".to_owned();
        }
        let mut text = format!(
            "Most important: {}, {}",
            clean(&first.label),
            with_minus_sign(&unit.write(first.value))
        );
        if let Some((lower, upper)) = first.interval() {
            text.push_str(&format!(", interval {}", unit.write_range(lower, upper)));
        }
        text.push('.');
        let with = self.rows.iter().filter(|row| row.interval().is_some());
        let unclear = self.rows.iter().filter(|row| !row.is_clear()).count();
        let (with, verb) = (with.count(), if unclear == 1 { "holds" } else { "hold" });
        if unclear > 0 {
            text.push_str(&format!(" {unclear} of {with} intervals {verb} 0."));
        }
        text
    }

    /// A height that suits the number of rows in a picture as wide as [`PictureSize::default`].
    pub fn natural_height(&self) -> u32 {
        self.natural_height_at(PictureSize::default().width)
    }

    /// A height that suits the number of rows in a picture of this width: a narrow one has its labels
    /// above the bars.
    pub fn natural_height_at(&self, width: u32) -> u32 {
        rows::natural_height(&self.words(), &self.title, &self.around(), width)
    }

    /// The row furthest from 0; the first of equals.
    fn largest(&self) -> Option<&ImportanceRow> {
        self.rows.iter().reduce(|best, next| {
            if next.value.abs() > best.value.abs() {
                next
            } else {
                best
            }
        })
    }

    fn around(&self) -> Around {
        let mut legend = Vec::new();
        if self.rows.iter().any(|row| row.interval().is_some()) {
            legend.push((Swatch::Band(Ink::Reading, 1.0), "importance".to_owned()));
            if self.rows.iter().any(|row| !row.is_clear()) {
                let holds_zero = "interval holds 0".to_owned();
                legend.push((Swatch::Band(Ink::Baseline, 1.0), holds_zero));
            }
            legend.push((Swatch::Whisker(Ink::Text), "interval".to_owned()));
        }
        Around {
            subtitle: self.subtitle.clone(),
            legend,
            sentence: self.verdict(),
        }
    }

    /// The unit with as many decimals as the largest value needs.
    pub(crate) fn shown_unit(&self) -> Unit {
        let unit = self.unit.clone().unwrap_or_else(|| Unit::new("", 0));
        let values = self.rows.iter().map(|row| row.value.abs());
        let decimals = unit.decimals_of(values.fold(0.0, f64::max));
        unit.with_decimals(decimals)
    }

    /// The lowest and the highest value to be drawn; 0 is one of them.
    pub(crate) fn extremes(&self) -> (f64, f64) {
        self.rows
            .iter()
            .fold((0.0, 0.0), |(low, high): (f64, f64), row| {
                let (lower, upper) = row.interval().unwrap_or((row.value, row.value));
                (
                    low.min(row.value).min(lower),
                    high.max(row.value).max(upper),
                )
            })
    }

    fn words(&self) -> Vec<Row> {
        let unit = self.shown_unit();
        self.rows
            .iter()
            .map(|row| Row {
                label: row.label.clone(),
                note: row.note.clone(),
                number: with_minus_sign(&unit.write(row.value)),
                is_strong: false,
            })
            .collect()
    }
}

impl Drawn for ImportanceChart {
    fn check(&self) -> Result<(), ChartError> {
        if let Some(unit) = &self.unit {
            unit.check()?;
        }
        if self.rows.is_empty() {
            return Err(ChartError::Empty {
                field: "rows".to_owned(),
            });
        }
        check_count("rows", self.rows.len(), LARGEST_IMPORTANCE_ROWS)?;
        for (index, row) in self.rows.iter().enumerate() {
            let ends = [
                ("value", Some(row.value)),
                ("lower", row.lower),
                ("upper", row.upper),
            ];
            for (name, value) in ends {
                if let Some(value) = value {
                    check_value(|| format!("rows[{index}].{name}"), value)?;
                }
            }
            if let (Some(lower), Some(upper)) = (row.lower, row.upper)
                && lower > upper
            {
                return Err(ChartError::IntervalReversed {
                    field: format!("rows[{index}]"),
                    lower,
                    upper,
                });
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let unit = self.shown_unit();
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| format!("{} {}", clean(&row.label), unit.write(row.value)))
            .collect();
        format!("{} All: {}.", self.verdict(), rows.join(", "))
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let words = self.words();
        let decimals = self.shown_unit().decimals;
        let table = Rows::draw(
            &mut scene,
            &words,
            self.extremes(),
            decimals,
            &self.around(),
        );
        let thickness = table.thickness();
        let zero = table.x(0.0);
        for (index, row) in self.rows.iter().enumerate() {
            let (x, y) = (table.x(row.value), table.middle(index));
            let ink = if row.is_clear() {
                Ink::Reading
            } else {
                Ink::Baseline
            };
            let corner = (x.min(zero), y - thickness / 2.0);
            scene.rectangle(corner, ((x - zero).abs(), thickness), ink, 1.0);
        }
        table.level(&mut scene, 0.0, words.len(), Ink::Rule);
        for (index, row) in self.rows.iter().enumerate() {
            if let Some((lower, upper)) = row.interval() {
                let ends = (table.x(lower), table.x(upper));
                let cap = (thickness * 0.28).min(4.5);
                scene.whisker(ends, table.middle(index), cap, Ink::Text);
            }
        }
        scene
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::importance(self, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, value: f64, interval: Option<(f64, f64)>) -> ImportanceRow {
        ImportanceRow {
            label: label.to_owned(),
            value,
            lower: interval.map(|(lower, _)| lower),
            upper: interval.map(|(_, upper)| upper),
            note: String::new(),
        }
    }

    fn chart(rows: Vec<ImportanceRow>) -> ImportanceChart {
        ImportanceChart {
            title: "Importance".to_owned(),
            subtitle: String::new(),
            unit: None,
            rows,
        }
    }

    #[test]
    fn the_row_furthest_from_zero_is_named_with_its_sign() {
        let chart = chart(vec![
            row("a", 0.1, None),
            row("b", -0.3, None),
            row("c", 0.3, None),
        ]);
        assert_eq!(chart.verdict(), "Most important: b, \u{2212}0.30.");
    }

    #[test]
    fn only_an_interval_beside_zero_is_clear() {
        assert!(row("a", 0.3, Some((0.1, 0.5))).is_clear());
        assert!(row("a", -0.3, Some((-0.5, -0.1))).is_clear());
        assert!(!row("a", 0.3, Some((-0.1, 0.5))).is_clear());
        assert!(!row("a", 0.3, Some((0.0, 0.5))).is_clear());
        assert!(row("a", 0.3, None).is_clear());
    }

    #[test]
    fn importances_of_zero_are_not_ranked_in_words() {
        let chart = chart(vec![row("a", 0.0, None), row("b", 0.0, None)]);
        assert_eq!(chart.verdict(), "None of them matters.");
    }

    #[test]
    fn no_rows_and_reversed_intervals_are_refused() {
        assert_eq!(
            chart(Vec::new()).check().unwrap_err().to_string(),
            "rows is empty, expected at least one entry"
        );
        let reversed = chart(vec![row("a", 0.3, Some((0.5, 0.1)))]);
        assert!(matches!(
            reversed.check(),
            Err(ChartError::IntervalReversed { .. })
        ));
    }
}
