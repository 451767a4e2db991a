//! Waterfall charts: how a forecast comes about, from a base to the value.

use crate::{
    chart::{Drawn, chart_methods, counted},
    error::{ChartError, check_count, check_value},
    legend::Swatch,
    palette::Ink,
    rows::{self, Around, Row, Rows},
    scene::{PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
    unit::Unit,
};

/// The most parts of a waterfall.
pub const LARGEST_PARTS: usize = 60;

/// What one feature adds to a forecast, or takes from it.
#[derive(Debug, Clone, PartialEq)]
pub struct WaterfallPart {
    /// Name of the feature.
    pub label: String,
    /// How far the forecast moves: up if positive.
    pub amount: f64,
    /// The feature's own value, for example `6.2 h`. May be empty.
    pub note: String,
}

/// How a forecast gets from a base to its value: an arrow for each part, the largest first.
///
/// An arrow to the right adds, an arrow to the left takes away; each has its amount beside it.
///
/// ```
/// use vitalcast_charts::{TerminalOptions, Unit, WaterfallChart, WaterfallPart};
///
/// let part = |label: &str, amount, note: &str| WaterfallPart {
///     label: label.to_owned(),
///     amount,
///     note: note.to_owned(),
/// };
/// let chart = WaterfallChart {
///     title: "Why 59 bpm?".to_owned(),
///     subtitle: String::new(),
///     unit: Unit::beats_per_minute(),
///     base: 57.0,
///     base_label: "mean of your days".to_owned(),
///     parts: vec![part("sleep last night", -0.4, "7.9 h"), part("late carbs", 1.9, "84 g")],
///     rest: 0.5,
///     value: 59.0,
///     value_label: "Forecast".to_owned(),
/// };
/// assert_eq!(
///     chart.verdict(),
///     "Forecast: 59.0 bpm, 2.0 bpm above the base (mean of your days, 57.0 bpm). \
///      Largest part: late carbs, +1.9 bpm."
/// );
/// assert!(chart.terminal(TerminalOptions::default())?.contains("+1.9 bpm"));
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WaterfallChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit of all values. Amounts that would round away get one or two decimals more.
    pub unit: Unit,
    /// The value that the parts start from.
    pub base: f64,
    /// What the base is, for example `mean of your days`.
    pub base_label: String,
    /// The parts, in any order, at most [`LARGEST_PARTS`].
    pub parts: Vec<WaterfallPart>,
    /// Sum of the parts that are not listed; 0 if there are none.
    pub rest: f64,
    /// The value that the parts lead to: base, parts and rest add up to it.
    pub value: f64,
    /// What the value is, for example `forecast`.
    pub value_label: String,
}

/// An arrow of a waterfall.
pub(crate) struct Step<'a> {
    pub(crate) label: &'a str,
    pub(crate) note: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) amount: f64,
}

chart_methods!(WaterfallChart);

impl WaterfallChart {
    /// One sentence: the value, how far it is from the base, and the largest part.
    pub fn verdict(&self) -> String {
        let unit = self.shown_unit();
        let (value, base) = (unit.write(self.value), unit.write(self.base));
        let label = as_first_word(&clean(&self.value_label));
        let base_label = clean(&self.base_label);
        let says_nothing = base_label.trim().is_empty() || base_label.eq_ignore_ascii_case("base");
        let difference = unit.write((self.value - self.base).abs());
        let first = if unit.write_number(self.value) == unit.write_number(self.base) {
            let named = if says_nothing {
                String::new()
            } else {
                format!(" ({base_label})")
            };
            format!("{label}: {value}, the same as the base{named}.")
        } else {
            let side = if self.value > self.base {
                "above"
            } else {
                "below"
            };
            let named = if says_nothing {
                base
            } else {
                format!("{base_label}, {base}")
            };
            format!("{label}: {value}, {difference} {side} the base ({named}).")
        };
        match self.steps().first().filter(|step| step.amount != 0.0) {
            Some(step) if !self.parts.is_empty() => format!(
                "{first} Largest part: {}, {}.",
                clean(step.label),
                unit.write_change(step.amount)
            ),
            Some(_) | None => first,
        }
    }

    /// A height that suits the number of parts in a picture as wide as [`PictureSize::default`].
    pub fn natural_height(&self) -> u32 {
        self.natural_height_at(PictureSize::default().width)
    }

    /// A height that suits the number of parts in a picture of this width: a narrow one has its labels
    /// above the arrows.
    pub fn natural_height_at(&self, width: u32) -> u32 {
        rows::natural_height(&self.rows(), &self.title, &self.around(), width)
    }

    /// The arrows from the base to the value: the parts, the largest first, and the rest.
    pub(crate) fn steps(&self) -> Vec<Step<'_>> {
        let mut parts: Vec<&WaterfallPart> = self.parts.iter().collect();
        parts.sort_by(|one, other| other.amount.abs().total_cmp(&one.amount.abs()));
        let listed = parts
            .iter()
            .map(|part| (&*part.label, &*part.note, part.amount));
        // A difference of sums leaves a rest of rounding.
        let rounding = 1e-9 * self.base.abs().max(self.value.abs());
        let rest = (self.rest.abs() > rounding).then_some(("Everything else", "", self.rest));
        let mut at = self.base;
        listed
            .chain(rest)
            .map(|(label, note, amount)| {
                let from = at;
                at += amount;
                Step {
                    label,
                    note,
                    from,
                    to: at,
                    amount,
                }
            })
            .collect()
    }

    /// The unit with as many decimals as the largest part needs. Base, parts and value have the same
    /// number of them, so that a reader can add them up.
    pub(crate) fn shown_unit(&self) -> Unit {
        let amounts = self.parts.iter().map(|part| part.amount.abs());
        let largest = amounts.fold(self.rest.abs(), f64::max);
        let decimals = self.unit.decimals_of(largest);
        self.unit.clone().with_decimals(decimals)
    }

    fn around(&self) -> Around {
        Around {
            subtitle: self.subtitle.clone(),
            legend: vec![
                (Swatch::ArrowUp(Ink::Positive), "adds to it".to_owned()),
                (Swatch::ArrowDown(Ink::Negative), "takes from it".to_owned()),
            ],
            sentence: self.verdict(),
        }
    }

    /// The lowest and the highest value on the way.
    pub(crate) fn extremes(&self) -> (f64, f64) {
        let start = (self.base.min(self.value), self.base.max(self.value));
        self.steps().iter().fold(start, |(low, high), step| {
            (low.min(step.to), high.max(step.to))
        })
    }

    /// The words of all rows: the base, the arrows, the value.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let unit = self.shown_unit();
        let end = |label: &str, value: f64, is_strong| Row {
            label: label.to_owned(),
            note: String::new(),
            number: unit.write(value),
            is_strong,
        };
        let mut rows = vec![end(&self.base_label, self.base, false)];
        rows.extend(self.steps().iter().map(|step| Row {
            label: step.label.to_owned(),
            note: step.note.to_owned(),
            number: unit.write_change(step.amount),
            is_strong: false,
        }));
        rows.push(end(&self.value_label, self.value, true));
        rows
    }
}

/// With a capital letter.
fn as_first_word(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

impl Drawn for WaterfallChart {
    fn check(&self) -> Result<(), ChartError> {
        self.unit.check()?;
        check_count("parts", self.parts.len(), LARGEST_PARTS)?;
        for (name, value) in [
            ("base", self.base),
            ("rest", self.rest),
            ("value", self.value),
        ] {
            check_value(|| name.to_owned(), value)?;
        }
        for (index, part) in self.parts.iter().enumerate() {
            check_value(|| format!("parts[{index}].amount"), part.amount)?;
        }
        let sum = self.steps().last().map_or(self.base, |step| step.to);
        // What a reader could see: one unit of the last decimal, and rounding beside large numbers.
        let finest = 10f64.powi(-i32::from(self.shown_unit().decimals));
        let (low, high) = self.extremes();
        let tolerance = finest.max(1e-6 * low.abs().max(high.abs()));
        if (sum - self.value).abs() > tolerance {
            return Err(ChartError::PartsDoNotAdd);
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let unit = self.shown_unit();
        let steps = self.steps();
        let parts: Vec<String> = steps
            .iter()
            .map(|step| {
                let note = clean(step.note);
                let note = if note.trim().is_empty() {
                    note
                } else {
                    format!(" ({note})")
                };
                let change = unit.write_change(step.amount);
                format!("{}{note} {change}", clean(step.label))
            })
            .collect();
        let parts = if parts.is_empty() {
            String::new()
        } else {
            format!(" {}: {}.", counted(parts.len(), "part"), parts.join(", "))
        };
        format!("{}{parts}", self.verdict())
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let rows = self.rows();
        let decimals = self.shown_unit().decimals;
        let table = Rows::draw(&mut scene, &rows, self.extremes(), decimals, &self.around());
        let (steps, last) = (self.steps(), rows.len() - 1);
        let ends = steps.iter().map(|step| step.to);
        for (row, value) in std::iter::once(self.base).chain(ends).enumerate() {
            table.join(&mut scene, table.x(value), row);
        }
        let thickness = table.thickness();
        for (index, step) in steps.iter().enumerate() {
            let ink = if step.amount < 0.0 {
                Ink::Negative
            } else {
                Ink::Positive
            };
            let ends = (table.x(step.from), table.x(step.to));
            scene.arrow(ends, table.middle(index + 1), thickness, ink);
        }
        let radius = (thickness * 0.4).clamp(1.5, 5.5);
        let base = (table.x(self.base), table.middle(0));
        scene.ring(base, radius, radius.min(1.6), Ink::Average);
        let value = (table.x(self.value), table.middle(last));
        scene.dot(value, radius, Ink::Forecast);
        scene
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::waterfall(self, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(base: f64, amounts: &[f64], rest: f64) -> WaterfallChart {
        let parts = amounts
            .iter()
            .enumerate()
            .map(|(index, amount)| WaterfallPart {
                label: format!("feature {index}"),
                amount: *amount,
                note: String::new(),
            });
        WaterfallChart {
            title: "Parts".to_owned(),
            subtitle: String::new(),
            unit: Unit::beats_per_minute(),
            base,
            base_label: "usual value".to_owned(),
            parts: parts.collect(),
            rest,
            value: base + amounts.iter().sum::<f64>() + rest,
            value_label: "Forecast".to_owned(),
        }
    }

    #[test]
    fn arrows_lead_from_the_base_to_the_value_with_the_largest_first() {
        let chart = chart(57.0, &[0.5, -2.0, 1.0], 0.25);
        let ends: Vec<(f64, f64)> = chart.steps().iter().map(|s| (s.from, s.to)).collect();
        assert_eq!(
            ends,
            [(57.0, 55.0), (55.0, 56.0), (56.0, 56.5), (56.5, 56.75)]
        );
    }

    #[test]
    fn amounts_get_decimals_that_show_them() {
        assert_eq!(chart(57.0, &[12.0], 0.0).shown_unit().decimals, 0);
        assert_eq!(chart(57.0, &[1.2], 0.0).shown_unit().decimals, 1);
        assert_eq!(chart(57.0, &[0.3], 0.0).shown_unit().decimals, 2);
        assert_eq!(chart(57.0, &[0.0], 0.0).shown_unit().decimals, 0);
    }

    #[test]
    fn parts_that_lead_elsewhere_are_refused() {
        let mut wrong = chart(57.0, &[1.2], 0.0);
        assert!(wrong.check().is_ok());
        wrong.value = 60.0;
        assert_eq!(wrong.check(), Err(ChartError::PartsDoNotAdd));
    }

    #[test]
    fn a_rest_of_rounding_is_no_part() {
        assert_eq!(chart(57.0, &[1.0], 1e-14).steps().len(), 1);
        assert_eq!(chart(57.0, &[1.0], 1e-4).steps().len(), 2);
    }

    #[test]
    fn labels_that_say_nothing_are_not_repeated() {
        let mut chart = chart(57.0, &[1.5], 0.0);
        chart.base_label = "base".to_owned();
        chart.value_label = "forecast".to_owned();
        assert_eq!(
            chart.verdict(),
            "Forecast: 58.5 bpm, 1.5 bpm above the base (57.0 bpm). Largest part: feature 0, +1.5 bpm."
        );
    }

    #[test]
    fn a_forecast_at_its_base_says_so() {
        assert_eq!(
            chart(57.0, &[], 0.0).verdict(),
            "Forecast: 57 bpm, the same as the base (usual value)."
        );
        assert_eq!(
            chart(57.0, &[1.0, -1.0], 0.0).verdict(),
            "Forecast: 57.0 bpm, the same as the base (usual value). Largest part: feature 0, +1.0 bpm."
        );
    }
}
