//! Correlation against lag.

use crate::{
    error::{ChartError, check_count},
    font::Weight,
    heat_map::{check_correlation, written},
    paint::{self, Style},
    palette::Ink,
    scene::{Anchor, PictureSize, Scene},
    terminal::{self, TerminalOptions},
};

/// The most lags of a picture.
pub const LARGEST_LAGS: usize = 400;

/// What lags are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LagUnit {
    /// Days from a feature to what it is compared with.
    Days,
    /// Hours between them.
    Hours,
}

/// The correlation at one lag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LagPoint {
    /// Days or hours, ascending.
    pub lag: u32,
    /// −1 to 1.
    pub correlation: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Whether it is more than chance explains.
    pub stands_out: bool,
}

/// Correlations by lag, each with its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct LagChart {
    /// What is shown.
    pub title: String,
    /// A remark below the title. May be empty.
    pub subtitle: String,
    /// What lags are counted in.
    pub unit: LagUnit,
    /// The lags, ascending.
    pub points: Vec<LagPoint>,
    /// Place of the strongest that stands out.
    pub optimal: Option<usize>,
}

impl LagChart {
    /// The picture as a self-contained SVG document with title and description.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`PictureSize`].
    pub fn svg(&self, size: PictureSize) -> Result<String, ChartError> {
        self.svg_styled(size, Style::Own)
    }

    pub(crate) fn svg_styled(&self, size: PictureSize, style: Style) -> Result<String, ChartError> {
        self.check()?;
        size.check()?;
        paint::svg(&self.scene(size), style)
    }

    /// The picture as the bytes of a PNG file, in the light colours.
    ///
    /// # Errors
    ///
    /// As for [`Self::svg`], and when the bitmap would be too large.
    pub fn png(&self, size: PictureSize) -> Result<Vec<u8>, ChartError> {
        self.check()?;
        size.check()?;
        size.check_pixels()?;
        paint::png(&self.scene(size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break: one line a lag.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::lags(self, options))
    }

    /// The picture in words, for those who do not see it.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn.
    pub fn description(&self) -> Result<String, ChartError> {
        self.check()?;
        Ok(self.describe())
    }

    fn check(&self) -> Result<(), ChartError> {
        if self.points.is_empty() {
            return Err(ChartError::Empty {
                field: "points".to_owned(),
            });
        }
        check_count("points", self.points.len(), LARGEST_LAGS)?;
        if let Some(place) = self.optimal.filter(|place| *place >= self.points.len()) {
            return Err(ChartError::ValueOutOfRange {
                field: "optimal".to_owned(),
                value: place as f64,
                lowest: 0.0,
                highest: (self.points.len() - 1) as f64,
            });
        }
        for (index, point) in self.points.iter().enumerate() {
            for (name, value) in [
                ("correlation", point.correlation),
                ("lower", point.lower),
                ("upper", point.upper),
            ] {
                check_correlation(&format!("points[{index}].{name}"), value)?;
            }
            if point.lower > point.upper {
                return Err(ChartError::IntervalReversed {
                    field: format!("points[{index}]"),
                    lower: point.lower,
                    upper: point.upper,
                });
            }
            if index > 0 && point.lag <= self.points[index - 1].lag {
                return Err(ChartError::LagsNotAscending {
                    index,
                    lag: point.lag,
                });
            }
        }
        Ok(())
    }

    /// `2 days`, `1 day`, `6 h`.
    pub(crate) fn write_lag(&self, lag: u32) -> String {
        match (self.unit, lag) {
            (LagUnit::Days, 1) => "1 day".to_owned(),
            (LagUnit::Days, _) => format!("{lag} days"),
            (LagUnit::Hours, _) => format!("{lag} h"),
        }
    }

    pub(crate) fn verdict(&self) -> String {
        match self.optimal.and_then(|place| self.points.get(place)) {
            Some(point) => format!(
                "Strongest at {}: {}",
                self.write_lag(point.lag),
                written(point.correlation, false)
            ),
            None if self.points.iter().any(|point| point.stands_out) => String::new(),
            None => "No lag stands out".to_owned(),
        }
    }

    fn describe(&self) -> String {
        let points: Vec<String> = self
            .points
            .iter()
            .map(|point| {
                let mark = if point.stands_out { ", stands out" } else { "" };
                format!(
                    "{}: {}{mark}",
                    self.write_lag(point.lag),
                    written(point.correlation, false)
                )
            })
            .collect();
        let verdict = self.verdict();
        let space = if verdict.is_empty() { "" } else { ". " };
        format!("{verdict}{space}{}.", points.join("; "))
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let margin = scene.margin();
        let top = scene.heading(&self.subtitle) + 18.0;
        let bottom = (scene.height() - margin - 40.0).max(top + 10.0);
        let (left, right) = (margin + 40.0, scene.width() - margin - 8.0);
        let y_of = |value: f64| top + (1.0 - value) / 2.0 * (bottom - top);
        let small = |ink| (11.0, Weight::Regular, ink);
        for tick in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            let y = y_of(tick);
            let ink = if tick == 0.0 { Ink::Rule } else { Ink::Grid };
            scene.rectangle((left, y - 0.5), (right - left, 1.0), ink, 1.0);
            let text = format!("{tick:.1}").replace('-', "\u{2212}");
            scene.text((left - 8.0, y + 4.0), Anchor::End, small(Ink::Muted), &text);
        }
        // Lags are as far apart as they are; half a step is left free at either end.
        let (first, last) = (self.points[0].lag, self.points[self.points.len() - 1].lag);
        let nearest = self
            .points
            .windows(2)
            .map(|pair| pair[1].lag - pair[0].lag)
            .min()
            .unwrap_or(1);
        let steps = f64::from(last - first) / f64::from(nearest) + 1.0;
        let step = (right - left) / steps;
        let x_of = |lag: u32| left + (f64::from(lag - first) / f64::from(nearest) + 0.5) * step;
        // Every label needs some room; the first is always there.
        let every = (34.0 / step).ceil().max(1.0) as usize;
        for (index, point) in self.points.iter().enumerate() {
            let x = x_of(point.lag);
            let ink = if point.stands_out {
                Ink::Reading
            } else {
                Ink::Average
            };
            let interval = (y_of(point.upper), y_of(point.lower));
            let width = (step * 0.5).min(14.0);
            let corner = (x - width / 2.0, interval.0);
            let extent = (width, (interval.1 - interval.0).max(1.0));
            scene.rectangle(corner, extent, ink, 0.22);
            let y = y_of(point.correlation);
            scene.line(vec![(x, y_of(0.0)), (x, y)], ink, 2.0);
            if point.stands_out {
                scene.dot((x, y), 5.0, ink);
            } else {
                scene.ring((x, y), 4.5, 1.6, ink);
            }
            if index % every == 0 {
                let at = (x, bottom + 16.0);
                let text = point.lag.to_string();
                scene.text(at, Anchor::Middle, small(Ink::Muted), &text);
            }
            if self.optimal == Some(index) {
                let above = interval.0 > top + 14.0;
                let y = if above {
                    interval.0 - 6.0
                } else {
                    interval.1 + 16.0
                };
                let at = (x, y);
                let style = (12.0, Weight::Strong, Ink::Text);
                let text = written(point.correlation, true);
                scene.text(at, Anchor::Middle, style, &text);
            }
        }
        let axis = match self.unit {
            LagUnit::Days => "days from the feature to the metric; bars are 95 % intervals",
            LagUnit::Hours => "hours before falling asleep; bars are 95 % intervals",
        };
        let axis = scene
            .fonts
            .fit(axis, 11.0, Weight::Regular, scene.width() - 2.0 * margin);
        let at = (f64::midpoint(left, right), bottom + 34.0);
        scene.text(at, Anchor::Middle, small(Ink::Muted), &axis);
        scene
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(lag: u32, correlation: f64, stands_out: bool) -> LagPoint {
        LagPoint {
            lag,
            correlation,
            lower: correlation - 0.2,
            upper: correlation + 0.2,
            stands_out,
        }
    }

    fn chart(points: Vec<LagPoint>, optimal: Option<usize>) -> LagChart {
        LagChart {
            title: "Late carbs and resting heart rate".to_owned(),
            subtitle: String::new(),
            unit: LagUnit::Days,
            points,
            optimal,
        }
    }

    #[test]
    fn the_strongest_is_named() {
        let chart = chart(vec![point(0, 0.1, false), point(1, 0.6, true)], Some(1));
        assert_eq!(
            chart.description().unwrap(),
            "Strongest at 1 day: +0.60. 0 days: +0.10; 1 day: +0.60, stands out."
        );
        let text = chart.terminal(TerminalOptions::default()).unwrap();
        assert!(text.contains("+0.60*"), "{text}");
    }

    #[test]
    fn lags_out_of_order_and_values_out_of_range_are_refused() {
        let unsorted = chart(vec![point(1, 0.1, false), point(1, 0.2, false)], None);
        assert!(
            unsorted
                .svg(PictureSize::default())
                .unwrap_err()
                .to_string()
                .contains("points[1]")
        );
        let wide = chart(vec![point(0, 0.9, false)], None);
        assert_eq!(
            wide.description().unwrap_err().to_string(),
            "points[0].upper is 1.1: it must lie between -1 and 1"
        );
        assert!(chart(Vec::new(), None).description().is_err());
        let beyond = chart(vec![point(0, 0.1, false)], Some(1));
        assert!(
            beyond
                .description()
                .unwrap_err()
                .to_string()
                .contains("optimal")
        );
    }

    #[test]
    fn a_terminal_is_never_overrun() {
        let points = (0..30).map(|lag| point(lag, -0.8 + f64::from(lag) * 0.05, lag > 20));
        let chart = chart(points.collect(), Some(29));
        for width in [40, 80] {
            let options = TerminalOptions {
                width,
                ..TerminalOptions::default()
            };
            for line in chart.terminal(options).unwrap().lines() {
                assert!(crate::text::columns(line) <= width as usize, "{line}");
            }
        }
    }
}
