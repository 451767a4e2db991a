//! The error of a model beside the errors of its baselines, as bars.

use crate::{
    error::{ChartError, LARGEST_BASELINES, LARGEST_VALUE, check_count, check_value},
    font::Weight,
    paint::{self, Style},
    palette::Ink,
    scene::{Anchor, PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
    unit::Unit,
};

/// One bar: a forecaster and its mean absolute error.
#[derive(Debug, Clone, PartialEq)]
pub struct SkillBar {
    /// Name of the forecaster, for example `yesterday's value`.
    pub label: String,
    /// Mean absolute error; `None` if it was not computed, which is not the same as 0.
    pub mean_absolute_error: Option<f64>,
}

/// Horizontal bars of mean absolute errors, the smallest first, the model highlighted.
#[derive(Debug, Clone, PartialEq)]
pub struct SkillChart {
    /// Title of the chart, for example `Mean error of the forecast`.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit and decimals of the errors; a mean error often deserves more decimals than a reading.
    pub unit: Unit,
    /// The model.
    pub model: SkillBar,
    /// The baselines.
    pub baselines: Vec<SkillBar>,
}

/// A bar with whether it is the model's.
pub(crate) struct RankedBar<'a> {
    pub(crate) bar: &'a SkillBar,
    pub(crate) is_model: bool,
}

impl SkillChart {
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
    /// The errors of [`Self::svg`], and an error if the bitmap is too large.
    pub fn png(&self, size: PictureSize) -> Result<Vec<u8>, ChartError> {
        self.check()?;
        size.check()?;
        size.check_pixels()?;
        paint::png(&self.scene(size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break.
    ///
    /// The height is that of the bars: one line each, whatever `options` say.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::skill(self, options))
    }

    /// A text description of the chart, for screen readers.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn.
    pub fn description(&self) -> Result<String, ChartError> {
        self.check()?;
        Ok(self.describe())
    }

    /// A height that suits the number of bars, within the limits of [`PictureSize`].
    pub fn natural_height(&self) -> u32 {
        let bars = u32::try_from(self.baselines.len() + 1).unwrap_or(u32::MAX);
        bars.saturating_mul(34).saturating_add(126).clamp(160, 4000)
    }

    fn check(&self) -> Result<(), ChartError> {
        self.unit.check()?;
        check_count("baselines", self.baselines.len(), LARGEST_BASELINES)?;
        let named = std::iter::once(("model".to_owned(), &self.model)).chain(
            self.baselines
                .iter()
                .enumerate()
                .map(|(index, bar)| (format!("baselines[{index}]"), bar)),
        );
        for (name, bar) in named {
            let Some(error) = bar.mean_absolute_error else {
                continue;
            };
            let field = format!("{name}.mean_absolute_error");
            check_value(|| field.clone(), error)?;
            if error < 0.0 {
                return Err(ChartError::ValueOutOfRange {
                    field,
                    value: error,
                    lowest: 0.0,
                    highest: LARGEST_VALUE,
                });
            }
        }
        Ok(())
    }

    /// All bars, the smallest error first, those without a score last; ties as given.
    pub(crate) fn ranked(&self) -> Vec<RankedBar<'_>> {
        let mut bars = vec![RankedBar {
            bar: &self.model,
            is_model: true,
        }];
        bars.extend(self.baselines.iter().map(|bar| RankedBar {
            bar,
            is_model: false,
        }));
        bars.sort_by(|one, other| {
            let error =
                |ranked: &RankedBar<'_>| ranked.bar.mean_absolute_error.unwrap_or(f64::INFINITY);
            error(one).total_cmp(&error(other))
        });
        bars
    }

    pub(crate) fn largest(&self) -> Option<f64> {
        self.ranked()
            .iter()
            .filter_map(|ranked| ranked.bar.mean_absolute_error)
            .reduce(f64::max)
    }

    /// One sentence that compares the error of the model with that of the best baseline.
    ///
    /// It compares two means and nothing else: whether the difference is more than luck is for the
    /// paired test of the evaluation to say.
    pub fn verdict(&self) -> String {
        let best = self
            .baselines
            .iter()
            .filter_map(|bar| {
                bar.mean_absolute_error
                    .map(|error| (clean(&bar.label), error))
            })
            .reduce(|best, next| if next.1 < best.1 { next } else { best });
        let model = self.model.mean_absolute_error;
        match (model, best) {
            (None, _) => "The model was not scored.".to_owned(),
            (_, None) => "No baseline was scored, so there is nothing to compare with.".to_owned(),
            (Some(model), Some((name, best))) if model == best => {
                format!("The model's error is the same as that of the best baseline ({name}).")
            }
            (Some(_), Some((name, 0.0))) => {
                format!("The model does not beat the best baseline ({name}), which made no error.")
            }
            (Some(model), Some((name, best))) => {
                let percent = (1.0 - model / best) * 100.0;
                let size = match percent.abs() {
                    less if less < 0.5 => "less than 1 %".to_owned(),
                    more if more > 999.0 => "more than 999 %".to_owned(),
                    other => format!("{other:.0} %"),
                };
                if percent > 0.0 {
                    format!("The model's error is {size} lower than the best baseline's ({name}).")
                } else {
                    format!(
                        "The model does not beat the best baseline ({name}): its error is {size} \
                         higher."
                    )
                }
            }
        }
    }

    pub(crate) fn write_error(&self, bar: &SkillBar) -> String {
        bar.mean_absolute_error
            .map_or_else(|| "not scored".to_owned(), |error| self.unit.write(error))
    }

    pub(crate) fn describe(&self) -> String {
        let bars: Vec<String> = self
            .ranked()
            .iter()
            .map(|ranked| {
                let role = if ranked.is_model { " (the model)" } else { "" };
                format!(
                    "{}{role} {}",
                    clean(&ranked.bar.label),
                    self.write_error(ranked.bar)
                )
            })
            .collect();
        format!(
            "Mean absolute error: {}. {}",
            bars.join(", "),
            self.verdict()
        )
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let margin = scene.margin();
        let top = scene.heading(&self.subtitle) + 12.0;
        let room = scene.width() - 2.0 * margin;
        let verdict = scene
            .fonts
            .wrap(&self.verdict(), 12.0, Weight::Regular, room, 3);
        let bottom = scene.height() - margin - 12.0 - verdict.len() as f64 * 16.0;
        let bars = self.ranked();
        let pitch = ((bottom - top) / bars.len() as f64).clamp(1.0, 36.0);
        let label_size = 13.0f64.min(pitch * 0.8);
        let weight_of = |ranked: &RankedBar<'_>| {
            if ranked.is_model {
                Weight::Strong
            } else {
                Weight::Regular
            }
        };
        let fitted = |text: &str, ranked: &RankedBar<'_>, share: f64| {
            let limit = scene.width() * share;
            let text = scene
                .fonts
                .fit(&clean(text), label_size, weight_of(ranked), limit);
            let room = scene.fonts.room(&text, label_size, weight_of(ranked));
            (text, room)
        };
        let labels: Vec<(String, f64)> = bars
            .iter()
            .map(|ranked| fitted(&ranked.bar.label, ranked, 0.42))
            .collect();
        let values: Vec<(String, f64)> = bars
            .iter()
            .map(|ranked| fitted(&self.write_error(ranked.bar), ranked, 0.3))
            .collect();
        let widest =
            |texts: &[(String, f64)]| texts.iter().map(|(_, room)| *room).fold(0.0, f64::max);
        let left = margin + widest(&labels) + 12.0;
        let right = (scene.width() - margin - widest(&values) - 8.0).max(left + 10.0);
        let largest = self.largest().filter(|largest| *largest > 0.0);
        let mut y = top;
        for ((ranked, (label, _)), (value, _)) in bars.iter().zip(&labels).zip(&values) {
            let middle = y + pitch / 2.0;
            let baseline = middle + label_size * 0.36;
            let weight = weight_of(ranked);
            let (ink, colour) = if ranked.is_model {
                (Ink::Text, Ink::Reading)
            } else {
                (Ink::Muted, Ink::Baseline)
            };
            scene.text(
                (left - 12.0, baseline),
                Anchor::End,
                (label_size, weight, ink),
                label,
            );
            let share = match (ranked.bar.mean_absolute_error, largest) {
                (Some(error), Some(largest)) => error / largest,
                _ => 0.0,
            };
            let length = share * (right - left);
            let thickness = (pitch * 0.56).min(20.0);
            let corner = (left, middle - thickness / 2.0);
            scene.rectangle(corner, (length, thickness), colour, 1.0);
            let at = (left + length + 8.0, baseline);
            scene.text(at, Anchor::Start, (label_size, weight, ink), value);
            y += pitch;
        }
        scene.rectangle((left - 0.5, top), (1.0, y - top), Ink::Rule, 1.0);
        for (index, line) in verdict.iter().enumerate() {
            let at = (margin, y + 24.0 + index as f64 * 16.0);
            scene.text(at, Anchor::Start, (12.0, Weight::Regular, Ink::Muted), line);
        }
        scene
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, error: impl Into<Option<f64>>) -> SkillBar {
        SkillBar {
            label: label.to_owned(),
            mean_absolute_error: error.into(),
        }
    }

    fn chart(model: impl Into<Option<f64>>, baselines: Vec<SkillBar>) -> SkillChart {
        SkillChart {
            title: "Mean error".to_owned(),
            subtitle: String::new(),
            unit: Unit::beats_per_minute().with_decimals(2),
            model: bar("model", model),
            baselines,
        }
    }

    #[test]
    fn bars_are_ranked_and_those_without_a_score_come_last() {
        let chart = chart(
            1.0,
            vec![bar("none", None), bar("naive", 1.1), bar("mean", 0.9)],
        );
        let order: Vec<&str> = chart
            .ranked()
            .iter()
            .map(|r| r.bar.label.as_str())
            .collect();
        assert_eq!(order, ["mean", "model", "naive", "none"]);
    }

    #[track_caller]
    fn check(model: impl Into<Option<f64>>, baseline: impl Into<Option<f64>>, expected: &str) {
        assert_eq!(
            chart(model, vec![bar("naive", baseline)]).verdict(),
            expected
        );
    }

    #[test]
    fn the_verdict_says_plainly_who_did_better() {
        check(
            0.94,
            1.0,
            "The model's error is 6 % lower than the best baseline's (naive).",
        );
        check(
            1.06,
            1.0,
            "The model does not beat the best baseline (naive): its error is 6 % higher.",
        );
        check(
            0.999,
            1.0,
            "The model's error is less than 1 % lower than the best baseline's (naive).",
        );
        check(
            1.0,
            1.0,
            "The model's error is the same as that of the best baseline (naive).",
        );
        check(
            0.5,
            0.0,
            "The model does not beat the best baseline (naive), which made no error.",
        );
        check(None, 1.0, "The model was not scored.");
        check(
            1.0,
            None,
            "No baseline was scored, so there is nothing to compare with.",
        );
    }

    #[test]
    fn an_error_below_zero_is_refused_by_name() {
        let error = chart(1.0, vec![bar("naive", -1.0)]).check().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("baselines[0].mean_absolute_error is -1")
        );
    }

    #[test]
    fn more_baselines_than_can_be_read_are_refused() {
        let baselines = vec![bar("naive", 1.0); LARGEST_BASELINES + 1];
        assert_eq!(
            chart(1.0, baselines).check().unwrap_err().to_string(),
            "baselines has 61 entries, expected at most 60"
        );
    }

    #[test]
    fn a_bar_without_a_score_is_described_as_such() {
        let text = chart(None, vec![bar("naive", 1.0)]).describe();
        assert!(text.contains("model (the model) not scored"), "{text}");
    }
}
