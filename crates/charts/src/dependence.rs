//! Dependence charts: the forecast at each value of one feature, all others as they were.

use crate::{
    axis::ValueAxis,
    chart::{Drawn, chart_methods},
    error::{ChartError, LARGEST_COUNT, check_count, check_value},
    font::Weight,
    legend::{self, Swatch},
    palette::Ink,
    plot::{LABEL, Room, UNIT_ABOVE},
    scene::{Anchor, PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
    unit::{Unit, with_minus_sign},
};

/// The forecast as one feature changes, with the person's own days.
///
/// The line says what the model forecasts, not what a change of the feature would bring about. Beyond
/// the person's own days it is a guess.
///
/// ```
/// use vitalcast_charts::{DependenceChart, Unit};
///
/// let chart = DependenceChart {
///     title: "Late carbohydrates".to_owned(),
///     subtitle: String::new(),
///     x_label: "late carbohydrates".to_owned(),
///     x_unit: "g".to_owned(),
///     unit: Unit::beats_per_minute(),
///     line: vec![(0.0, 56.2), (50.0, 57.0), (100.0, 58.8)],
///     points: vec![(20.0, 56.0), (80.0, 59.0)],
///     current: Some((80.0, 58.2)),
/// };
/// assert_eq!(
///     chart.verdict(),
///     "From 0 to 100 g of late carbohydrates the expected value goes from 56.2 to 58.8 bpm."
/// );
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DependenceChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Name of the feature.
    pub x_label: String,
    /// Unit of the feature. Can be empty.
    pub x_unit: String,
    /// Unit of the forecasts.
    pub unit: Unit,
    /// The feature and the mean forecast, by strictly ascending values of the feature, at least one.
    pub line: Vec<(f64, f64)>,
    /// The feature and the metric on the person's own days, in any order.
    pub points: Vec<(f64, f64)>,
    /// The feature and the forecast of the day in question.
    pub current: Option<(f64, f64)>,
}

chart_methods!(DependenceChart);

impl DependenceChart {
    /// One sentence: how the forecast changes from the lowest to the highest value of the feature, and
    /// beyond which values it lies if it turns on the way.
    pub fn verdict(&self) -> String {
        let unit = self.shown_unit();
        let (Some(first), Some(last)) = (self.line.first(), self.line.last()) else {
            return "There is no line.".to_owned();
        };
        let label = clean(&self.x_label);
        let value = |value: f64| unit.write_number(value);
        let (low, high) = self.extremes_of_line();
        let range = {
            let (low, high) = (self.write_x(first.0), self.write_x(last.0));
            let symbol = clean(&self.x_unit);
            let space = if symbol.is_empty() { "" } else { " " };
            format!("{low} to {high}{space}{symbol} of {label}")
        };
        if self.line.len() == 1 {
            return format!("Only one value of {label} was tried.");
        }
        if value(low) == value(high) {
            return format!(
                "From {range} the expected value stays at {}.",
                unit.write(low)
            );
        }
        let ends = (first.1.min(last.1), first.1.max(last.1));
        let turn = if value(low) != value(ends.0) || value(high) != value(ends.1) {
            format!(
                ", and lies between {} on the way",
                unit.write_range(low, high)
            )
        } else {
            String::new()
        };
        let (start, end) = (value(first.1), unit.write(last.1));
        format!("From {range} the expected value goes from {start} to {end}{turn}.")
    }

    /// The unit with as many decimals as the changes of the line need.
    pub(crate) fn shown_unit(&self) -> Unit {
        let (low, high) = self.extremes_of_line();
        let decimals = self.unit.decimals_of((high - low).abs());
        self.unit.clone().with_decimals(decimals)
    }

    fn extremes_of_line(&self) -> (f64, f64) {
        extremes(self.line.iter().map(|(_, value)| *value))
    }

    /// All points of the picture.
    fn all(&self) -> impl Iterator<Item = &(f64, f64)> {
        self.line.iter().chain(&self.points).chain(&self.current)
    }

    /// The lowest and the highest value to be drawn.
    pub(crate) fn extremes(&self) -> (f64, f64) {
        extremes(self.all().map(|(_, value)| *value))
    }

    /// An axis of the feature, from its lowest to its highest value.
    pub(crate) fn x_axis(&self, wanted: usize) -> ValueAxis {
        let (low, high) = extremes(self.all().map(|(x, _)| *x));
        let decimals = x_decimals(high - low, low.abs().max(high.abs()));
        let mut axis = ValueAxis::around(low, high, decimals, wanted);
        // The plot itself has room at its ends.
        if high > low {
            (axis.low, axis.high) = (low, high);
        }
        axis
    }

    /// A value of the feature without its unit.
    pub(crate) fn write_x(&self, x: f64) -> String {
        let (low, high) = extremes(self.all().map(|(x, _)| *x));
        let decimals = x_decimals(high - low, low.abs().max(high.abs()));
        with_minus_sign(&crate::unit::write_number(x, usize::from(decimals)))
    }

    /// `late carbohydrates, g`.
    pub(crate) fn x_title(&self) -> String {
        let (label, unit) = (clean(&self.x_label), clean(&self.x_unit));
        if unit.trim().is_empty() {
            label
        } else {
            format!("{label}, {unit}")
        }
    }
}

/// Decimals with which the values of a feature can be told apart.
fn x_decimals(span: f64, largest: f64) -> u8 {
    let scale = if span > 0.0 { span } else { largest };
    match scale {
        scale if scale >= 20.0 || scale == 0.0 => 0,
        scale if scale >= 2.0 => 1,
        scale if scale >= 0.2 => 2,
        _ => 3,
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

impl Drawn for DependenceChart {
    fn check(&self) -> Result<(), ChartError> {
        self.unit.check()?;
        if self.line.is_empty() {
            return Err(ChartError::Empty {
                field: "line".to_owned(),
            });
        }
        check_count("line", self.line.len(), LARGEST_COUNT)?;
        check_count("points", self.points.len(), LARGEST_COUNT)?;
        let line = self.line.iter().enumerate();
        let points = self.points.iter().enumerate();
        let named = line
            .map(|(index, point)| (format!("line[{index}]"), point))
            .chain(points.map(|(index, point)| (format!("points[{index}]"), point)))
            .chain(
                self.current
                    .iter()
                    .map(|point| ("current".to_owned(), point)),
            );
        for (field, (x, value)) in named {
            check_value(|| format!("{field}.0"), *x)?;
            check_value(|| format!("{field}.1"), *value)?;
        }
        for (index, pair) in self.line.windows(2).enumerate() {
            if pair[1].0 <= pair[0].0 {
                return Err(ChartError::NotAscending {
                    field: format!("line[{}].0", index + 1),
                });
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let mut text = self.verdict();
        if let Some((x, value)) = self.current {
            let unit = clean(&self.x_unit);
            let space = if unit.is_empty() { "" } else { " " };
            text.push_str(&format!(
                " The day in question: {}{space}{unit}, {}.",
                self.write_x(x),
                self.shown_unit().write(value)
            ));
        }
        if !self.points.is_empty() {
            let count = crate::chart::counted(self.points.len(), "day");
            text.push_str(&format!(" Beside the line: {count} of the person."));
        }
        text
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let top = scene.heading(&self.subtitle) + 8.0;
        let mut entries = vec![(Swatch::Line(Ink::Forecast), "expected value".to_owned())];
        if !self.points.is_empty() {
            entries.push((Swatch::Ring(Ink::Reading), "your days".to_owned()));
        }
        if self.current.is_some() {
            entries.push((Swatch::Dot(Ink::Forecast), "this day".to_owned()));
        }
        let top = legend::draw(&mut scene, &entries, top) + 28.0;
        let bottom = (scene.height() - scene.margin() - 38.0).max(top + 24.0);
        let room = Room::new(&scene, (top, bottom), self.extremes(), self.unit.decimals);
        let wanted = ((scene.width() - 60.0) / 90.0).round().clamp(2.0, 8.0) as usize;
        let x_axis = self.x_axis(wanted);
        let plot = room.of_numbers(x_axis.low, x_axis.high);
        plot.value_axis(&mut scene, &self.unit.symbol, UNIT_ABOVE);
        plot.number_axis(&mut scene, &x_axis);
        let style = (LABEL, Weight::Regular, Ink::Muted);
        let most = scene.width() - 2.0 * scene.margin();
        let title = scene
            .fonts
            .fit(&self.x_title(), LABEL, Weight::Regular, most);
        let half = scene.fonts.room(&title, LABEL, Weight::Regular) / 2.0;
        let middle = f64::midpoint(plot.left, plot.right);
        let middle = middle.min(scene.width() - scene.margin() - half);
        scene.text((middle, plot.bottom + 35.0), Anchor::Middle, style, &title);
        // Many days hide the line less where their marks are small.
        let radius = if self.points.len() > 200 { 1.8 } else { 2.8 };
        for (x, value) in &self.points {
            scene.ring(plot.at(*x, *value), radius, 1.0, Ink::Reading);
        }
        if let Some((x, value)) = self.current {
            let (x, y) = plot.at(x, value);
            scene.line(vec![(x, y), (x, plot.bottom)], Ink::Rule, 1.0);
        }
        let line: Vec<(f64, f64)> = self.line.iter().map(|(x, v)| plot.at(*x, *v)).collect();
        if let [only] = line[..] {
            scene.ring(only, 3.4, 1.5, Ink::Forecast);
        }
        scene.line(line, Ink::Forecast, 2.0);
        if let Some((x, value)) = self.current {
            scene.dot(plot.at(x, value), 6.0, Ink::Surface);
            scene.dot(plot.at(x, value), 4.6, Ink::Forecast);
        }
        scene
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::dependence(self, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(line: &[(f64, f64)]) -> DependenceChart {
        DependenceChart {
            title: "Steps".to_owned(),
            subtitle: String::new(),
            x_label: "steps".to_owned(),
            x_unit: String::new(),
            unit: Unit::beats_per_minute(),
            line: line.to_vec(),
            points: Vec::new(),
            current: None,
        }
    }

    #[test]
    fn a_flat_line_says_that_it_is_flat() {
        assert_eq!(
            chart(&[(0.0, 57.0), (9000.0, 57.0)]).verdict(),
            "From 0 to 9000 of steps the expected value stays at 57 bpm."
        );
    }

    #[test]
    fn a_line_that_turns_says_how_far_it_goes() {
        assert_eq!(
            chart(&[(0.0, 57.0), (1.0, 52.0), (2.0, 58.0)]).verdict(),
            "From 0.0 to 2.0 of steps the expected value goes from 57.0 to 58.0 bpm, and lies \
             between 52.0\u{2013}58.0 bpm on the way."
        );
        assert_eq!(
            chart(&[(1.0, 57.0)]).verdict(),
            "Only one value of steps was tried."
        );
    }

    #[test]
    fn values_of_the_feature_must_ascend() {
        let error = chart(&[(0.0, 57.0), (0.0, 58.0)]).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "line[1].0 is not larger than the one before it: sort in ascending order, each value once"
        );
        let error = chart(&[(0.0, f64::NAN)]).check().unwrap_err();
        assert!(error.to_string().starts_with("line[0].1 is NaN"), "{error}");
    }
}
