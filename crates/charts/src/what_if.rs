//! What-if charts: the forecast of the day as it is, beside forecasts of a changed day.

use crate::{
    chart::{Drawn, chart_methods},
    error::{ChartError, check_count, check_value},
    legend::Swatch,
    palette::Ink,
    plot::BAND_OPACITY,
    rows::{self, Around, Row, Rows},
    scene::{PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
    unit::Unit,
};

/// The most scenarios of a what-if chart.
pub const LARGEST_SCENARIOS: usize = 20;

/// A forecast with its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIfBar {
    /// What the forecast is for, for example `as it is` or `12,000 steps`.
    pub label: String,
    /// The forecast.
    pub value: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
}

/// How a scenario compares with the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// No further from the baseline than the usual error, or not at all.
    WithinNoise,
    Better,
    Worse,
}

impl Change {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::WithinNoise => "within the usual error",
            Self::Better => "better",
            Self::Worse => "worse",
        }
    }

    const fn ink(self) -> Ink {
        match self {
            Self::WithinNoise => Ink::Average,
            Self::Better => Ink::Reading,
            Self::Worse => Ink::Forecast,
        }
    }
}

/// Forecasts of scenarios below the forecast without a change: an arrow leads from one to the other.
///
/// The usual error of the model is a band around the baseline: what ends inside it may be chance.
///
/// ```
/// use vitalcast_charts::{Unit, WhatIfBar, WhatIfChart};
///
/// let bar = |label: &str, value: f64| WhatIfBar {
///     label: label.to_owned(),
///     value,
///     lower: value - 3.0,
///     upper: value + 3.0,
/// };
/// let chart = WhatIfChart {
///     title: "Resting heart rate of tomorrow".to_owned(),
///     subtitle: String::new(),
///     unit: Unit::beats_per_minute(),
///     better_is_lower: true,
///     baseline: bar("as it is", 58.0),
///     scenarios: vec![bar("no late meal", 55.5), bar("12,000 steps", 57.6)],
///     noise: Some(1.4),
/// };
/// assert_eq!(
///     chart.verdict(),
///     "Best expected: no late meal, 55.5 bpm, \u{2212}2.5 bpm against as it is (58.0 bpm)."
/// );
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIfChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit of all values. Differences that would round away get one or two decimals more.
    pub unit: Unit,
    /// Whether a lower value is the better one.
    pub better_is_lower: bool,
    /// The forecast without a change.
    pub baseline: WhatIfBar,
    /// The forecasts with changes, from the top. 1 to [`LARGEST_SCENARIOS`].
    pub scenarios: Vec<WhatIfBar>,
    /// Usual error of the model, not negative, drawn as a band around the baseline.
    pub noise: Option<f64>,
}

chart_methods!(WhatIfChart);

impl WhatIfChart {
    /// One sentence: the best scenario, or that none differs by more than the usual error.
    pub fn verdict(&self) -> String {
        let unit = self.shown_unit();
        let better = |one: &&WhatIfBar, other: &&WhatIfBar| {
            let order = one.value.total_cmp(&other.value);
            if self.better_is_lower {
                order.reverse()
            } else {
                order
            }
        };
        // Of equal scenarios the first, which `max_by` would give last.
        let Some(best) = self.scenarios.iter().rev().max_by(better) else {
            return "There is no scenario.".to_owned();
        };
        let changes = || self.scenarios.iter().map(|bar| self.change(bar));
        let base = format!(
            "{} ({})",
            clean(&self.baseline.label),
            unit.write(self.baseline.value)
        );
        if changes().all(|change| change == Change::WithinNoise) {
            let is_equal = |bar: &WhatIfBar| bar.value == self.baseline.value;
            return match self.noise {
                _ if self.scenarios.iter().all(is_equal) => {
                    format!("No scenario changes the forecast: {base}.")
                }
                Some(noise) => format!(
                    "No scenario differs from {base} by more than the usual error of the model, {}.",
                    unit.write(noise)
                ),
                None => format!("No scenario changes the forecast: {base}."),
            };
        }
        if !changes().any(|change| change == Change::Better) {
            return format!("No scenario is expected to be better than {base}.");
        }
        format!(
            "Best expected: {}, {}, {} against {base}.",
            clean(&best.label),
            unit.write(best.value),
            unit.write_change(best.value - self.baseline.value)
        )
    }

    /// A height that suits the number of scenarios in a picture as wide as [`PictureSize::default`].
    pub fn natural_height(&self) -> u32 {
        self.natural_height_at(PictureSize::default().width)
    }

    /// A height that suits the number of scenarios in a picture of this width: a narrow one has its
    /// labels above the marks.
    pub fn natural_height_at(&self, width: u32) -> u32 {
        rows::natural_height(&self.rows(), &self.title, &self.around(), width)
    }

    pub(crate) fn change(&self, bar: &WhatIfBar) -> Change {
        let difference = bar.value - self.baseline.value;
        if difference == 0.0 || difference.abs() <= self.noise.unwrap_or(0.0) {
            Change::WithinNoise
        } else if (difference < 0.0) == self.better_is_lower {
            Change::Better
        } else {
            Change::Worse
        }
    }

    /// The unit with as many decimals as the largest difference needs.
    pub(crate) fn shown_unit(&self) -> Unit {
        let difference = |bar: &WhatIfBar| (bar.value - self.baseline.value).abs();
        let largest = self.scenarios.iter().map(difference).fold(0.0, f64::max);
        let decimals = self.unit.decimals_of(largest);
        self.unit.clone().with_decimals(decimals)
    }

    /// The baseline and the scenarios.
    pub(crate) fn bars(&self) -> impl Iterator<Item = &WhatIfBar> {
        std::iter::once(&self.baseline).chain(&self.scenarios)
    }

    /// The lowest and the highest value to be drawn.
    pub(crate) fn extremes(&self) -> (f64, f64) {
        let noise = self.noise.unwrap_or(0.0);
        let around = (self.baseline.value - noise, self.baseline.value + noise);
        self.bars().fold(around, |(low, high), bar| {
            (
                low.min(bar.value).min(bar.lower),
                high.max(bar.value).max(bar.upper),
            )
        })
    }

    fn around(&self) -> Around {
        Around {
            subtitle: self.subtitle.clone(),
            legend: self.legend(),
            sentence: self.verdict(),
        }
    }

    fn legend(&self) -> Vec<(Swatch, String)> {
        let mut entries = Vec::new();
        for change in [Change::Better, Change::Worse, Change::WithinNoise] {
            let is_there = self.scenarios.iter().any(|bar| self.change(bar) == change);
            let points_up = (change == Change::Better) != self.better_is_lower;
            let swatch = match change {
                Change::WithinNoise => Swatch::Ring(change.ink()),
                Change::Better | Change::Worse if points_up => Swatch::ArrowUp(change.ink()),
                Change::Better | Change::Worse => Swatch::ArrowDown(change.ink()),
            };
            if is_there {
                let name = match (change, self.noise) {
                    (Change::WithinNoise, None) => "no change",
                    (Change::WithinNoise | Change::Better | Change::Worse, _) => change.word(),
                };
                entries.push((swatch, name.to_owned()));
            }
        }
        if let Some(noise) = self.noise {
            let name = format!("usual error, {}", self.shown_unit().write(noise));
            entries.push((Swatch::Band(Ink::Average, BAND_OPACITY + 0.1), name));
        }
        entries.push((Swatch::Whisker(Ink::Text), "interval".to_owned()));
        entries
    }

    fn rows(&self) -> Vec<Row> {
        let unit = self.shown_unit();
        let interval = |bar: &WhatIfBar| unit.write_range(bar.lower, bar.upper);
        let mut rows = vec![Row {
            label: self.baseline.label.clone(),
            note: interval(&self.baseline),
            number: unit.write(self.baseline.value),
            is_strong: true,
        }];
        rows.extend(self.scenarios.iter().map(|bar| Row {
            label: bar.label.clone(),
            note: interval(bar),
            number: self.number(bar, &unit),
            is_strong: false,
        }));
        rows
    }

    /// `55.5 bpm (−2.5)`.
    pub(crate) fn number(&self, bar: &WhatIfBar, unit: &Unit) -> String {
        let bare = Unit::new("", unit.decimals);
        let change = bare.write_change(bar.value - self.baseline.value);
        format!("{} ({change})", unit.write(bar.value))
    }
}

impl Drawn for WhatIfChart {
    fn check(&self) -> Result<(), ChartError> {
        self.unit.check()?;
        if self.scenarios.is_empty() {
            return Err(ChartError::Empty {
                field: "scenarios".to_owned(),
            });
        }
        check_count("scenarios", self.scenarios.len(), LARGEST_SCENARIOS)?;
        for (index, bar) in self.bars().enumerate() {
            let field = match index {
                0 => "baseline".to_owned(),
                _ => format!("scenarios[{}]", index - 1),
            };
            for (name, value) in [
                ("value", bar.value),
                ("lower", bar.lower),
                ("upper", bar.upper),
            ] {
                check_value(|| format!("{field}.{name}"), value)?;
            }
            if bar.lower > bar.upper {
                return Err(ChartError::IntervalReversed {
                    field,
                    lower: bar.lower,
                    upper: bar.upper,
                });
            }
        }
        if let Some(noise) = self.noise {
            check_value(|| "noise".to_owned(), noise)?;
            if noise < 0.0 {
                return Err(ChartError::ValueOutOfRange {
                    field: "noise".to_owned(),
                    value: noise,
                    lowest: 0.0,
                    highest: crate::error::LARGEST_VALUE,
                });
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let unit = self.shown_unit();
        let scenarios: Vec<String> = self
            .scenarios
            .iter()
            .map(|bar| {
                let (label, number) = (clean(&bar.label), self.number(bar, &unit));
                let range = unit.write_range(bar.lower, bar.upper);
                let word = self.change(bar).word();
                format!("{label}: {number}, interval {range}, {word}.")
            })
            .collect();
        format!("{} {}", self.verdict(), scenarios.join(" "))
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let rows = self.rows();
        let decimals = self.shown_unit().decimals;
        let table = Rows::draw(&mut scene, &rows, self.extremes(), decimals, &self.around());
        let base = self.baseline.value;
        if let Some(noise) = self.noise {
            let ends = (base - noise, base + noise);
            table.band(&mut scene, ends, rows.len(), (Ink::Average, BAND_OPACITY));
        }
        table.level(&mut scene, base, rows.len(), Ink::Rule);
        let thickness = table.thickness();
        let radius = (thickness * 0.36).clamp(1.5, 5.0);
        for (index, bar) in self.bars().enumerate() {
            let y = table.middle(index);
            let ends = (table.x(bar.lower), table.x(bar.upper));
            let is_baseline = index == 0;
            let change = self.change(bar);
            let ink = if is_baseline { Ink::Text } else { change.ink() };
            scene.whisker(ends, y, (thickness * 0.25).min(4.0), ink);
            if is_baseline {
                scene.dot((table.x(bar.value), y), radius, ink);
            } else if change == Change::WithinNoise {
                scene.ring((table.x(bar.value), y), radius, radius.min(1.6), ink);
            } else {
                let ends = (table.x(base), table.x(bar.value));
                scene.arrow(ends, y, thickness * 0.62, ink);
            }
        }
        scene
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::what_if(self, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: f64) -> WhatIfBar {
        WhatIfBar {
            label: label.to_owned(),
            value,
            lower: value - 3.0,
            upper: value + 3.0,
        }
    }

    fn chart(better_is_lower: bool, values: &[f64], noise: Option<f64>) -> WhatIfChart {
        let scenarios = values.iter().enumerate();
        WhatIfChart {
            title: "What if".to_owned(),
            subtitle: String::new(),
            unit: Unit::beats_per_minute(),
            better_is_lower,
            baseline: bar("unchanged", 60.0),
            scenarios: scenarios
                .map(|(index, value)| bar(&format!("scenario {index}"), *value))
                .collect(),
            noise,
        }
    }

    #[test]
    fn the_better_direction_decides_which_scenario_is_best() {
        assert!(
            chart(true, &[57.0, 64.0], None)
                .verdict()
                .contains("scenario 0, 57.0 bpm")
        );
        assert!(
            chart(false, &[57.0, 64.0], None)
                .verdict()
                .contains("scenario 1, 64.0 bpm")
        );
    }

    #[test]
    fn what_lies_within_the_usual_error_is_not_called_better() {
        assert_eq!(
            chart(true, &[59.0, 61.5], Some(2.0)).verdict(),
            "No scenario differs from unchanged (60.0 bpm) by more than the usual error of the \
             model, 2.0 bpm."
        );
        assert_eq!(
            chart(true, &[60.0], Some(2.0)).verdict(),
            "No scenario changes the forecast: unchanged (60 bpm)."
        );
        assert_eq!(
            chart(true, &[64.0], Some(2.0)).verdict(),
            "No scenario is expected to be better than unchanged (60.0 bpm)."
        );
    }

    #[test]
    fn a_negative_error_and_no_scenario_are_refused() {
        assert!(matches!(
            chart(true, &[], None).check(),
            Err(ChartError::Empty { .. })
        ));
        let error = chart(true, &[57.0], Some(-1.0)).check().unwrap_err();
        assert!(error.to_string().starts_with("noise is -1"), "{error}");
        let mut reversed = chart(true, &[57.0], None);
        reversed.scenarios[0].lower = 70.0;
        assert!(
            reversed
                .check()
                .unwrap_err()
                .to_string()
                .starts_with("scenarios[0] has a lower end of 70")
        );
    }
}
