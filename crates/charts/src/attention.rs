//! Attention charts: how much each past day counts for a forecast.

use chrono::NaiveDate;

use crate::{
    axis::write_date,
    chart::{Drawn, chart_methods, check_ascending, check_span},
    error::{ChartError, LARGEST_COUNT, check_count, check_value},
    font::Weight,
    legend::{self, Swatch},
    palette::Ink,
    plot::{LABEL, Room, UNIT_ABOVE},
    scene::{Anchor, PictureSize, Scene},
    terminal::{self, TerminalOptions},
    unit::write_number,
};

/// How many days are marked and named.
const NAMED: usize = 3;

/// How much one day counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionDay {
    /// The day.
    pub day: NaiveDate,
    /// Its share of the attention, 0 to 1.
    pub share: f64,
}

/// Shares of attention by day, the oldest at the left; the three largest are marked and named.
///
/// A dashed line is the share that each day would have if all counted the same.
///
/// ```
/// use chrono::NaiveDate;
/// use vitalcast_charts::{AttentionChart, AttentionDay};
///
/// let day = |of_march, share| AttentionDay {
///     day: NaiveDate::from_ymd_opt(2026, 3, of_march).expect("a day of March"),
///     share,
/// };
/// let chart = AttentionChart {
///     title: "Days that the forecast reads most".to_owned(),
///     subtitle: String::new(),
///     days: vec![day(1, 0.1), day(2, 0.3), day(3, 0.6)],
/// };
/// assert_eq!(
///     chart.verdict(),
///     "Most of the attention: 3 Mar 2026 with 60 %, 2 Mar 2026 with 30 %, 1 Mar 2026 with 10 %."
/// );
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// The days in strictly ascending order, at least one; their shares add up to 1 at most.
    pub days: Vec<AttentionDay>,
}

chart_methods!(AttentionChart);

impl AttentionChart {
    /// One sentence: the days with the largest shares.
    pub fn verdict(&self) -> String {
        let named = self.named();
        if named.is_empty() {
            return "No day has any attention.".to_owned();
        }
        let (low, high) = self
            .days
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(low, high), day| {
                (low.min(day.share), high.max(day.share))
            });
        if self.days.len() > 1 && high - low <= high * 1e-6 {
            return "Every day has the same share.".to_owned();
        }
        let days: Vec<String> = named
            .iter()
            .map(|day| format!("{} with {}", write_date(day.day), self.write(day.share)))
            .collect();
        format!("Most of the attention: {}.", days.join(", "))
    }

    /// The days with the largest shares, the largest first and of equal ones the latest; none of them
    /// 0.
    pub(crate) fn named(&self) -> Vec<AttentionDay> {
        let mut days: Vec<AttentionDay> = self.days.iter().rev().copied().collect();
        days.sort_by(|one, other| other.share.total_cmp(&one.share));
        days.retain(|day| day.share > 0.0);
        days.truncate(NAMED);
        days
    }

    pub(crate) fn largest(&self) -> f64 {
        self.days.iter().map(|day| day.share).fold(0.0, f64::max)
    }

    /// The share of each day if all counted the same.
    pub(crate) fn even_share(&self) -> f64 {
        let sum: f64 = self.days.iter().map(|day| day.share).sum();
        sum / self.days.len() as f64
    }

    /// Decimals of the percentages.
    pub(crate) fn decimals(&self) -> u8 {
        u8::from(self.largest() < 0.1)
    }

    /// `12 %`, or `4.3 %` where all shares are small.
    pub(crate) fn write(&self, share: f64) -> String {
        let number = write_number(share * 100.0, usize::from(self.decimals()));
        format!("{number} %")
    }

    pub(crate) fn span(&self) -> (NaiveDate, NaiveDate) {
        let first = self
            .days
            .first()
            .expect("check refuses a chart without days");
        let last = self
            .days
            .last()
            .expect("check refuses a chart without days");
        (first.day, last.day)
    }
}

impl Drawn for AttentionChart {
    fn check(&self) -> Result<(), ChartError> {
        if self.days.is_empty() {
            return Err(ChartError::Empty {
                field: "days".to_owned(),
            });
        }
        check_count("days", self.days.len(), LARGEST_COUNT)?;
        let mut sum = 0.0;
        for (index, day) in self.days.iter().enumerate() {
            check_value(|| format!("days[{index}].share"), day.share)?;
            check_share(|| format!("days[{index}].share"), day.share, 0.0)?;
            sum += day.share;
        }
        // Shares may come from 32-bit numbers, whose sum is not quite 1.
        check_share(|| "the sum of all shares".to_owned(), sum, 1e-3)?;
        check_ascending("days", self.days.iter().map(|day| day.day))?;
        let (first, last) = self.span();
        check_span(first, last)
    }

    fn describe(&self) -> String {
        let (first, last) = self.span();
        let period = if first == last {
            write_date(first)
        } else {
            format!("{} to {}", write_date(first), write_date(last))
        };
        format!(
            "Shares of attention, {period}. {} If all days counted the same: {} each.",
            self.verdict(),
            self.write(self.even_share())
        )
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let top = scene.heading(&self.subtitle) + 8.0;
        let named = self.named();
        let mut entries: Vec<(Swatch, String)> = Vec::new();
        for (rank, day) in named.iter().enumerate() {
            let name = format!(
                "{}: {}, {}",
                rank + 1,
                write_date(day.day),
                self.write(day.share)
            );
            entries.push((Swatch::Band(Ink::Reading, 1.0), name));
        }
        let even = format!("even share, {}", self.write(self.even_share()));
        entries.push((Swatch::Dashes(Ink::Average), even));
        let below_legend = legend::draw(&mut scene, &entries, top);
        let bottom = scene.height() - scene.margin() - 34.0;
        // The ranks of the marked days stand above the highest bar, each higher than the one before
        // it where two days are close.
        let top = (below_legend + 28.0 + 12.0).min(bottom - 24.0);
        let percent = self.largest() * 100.0;
        let room = Room::new(&scene, (top, bottom), (0.0, percent), self.decimals());
        let (first, last) = self.span();
        let plot = room.of_days(first, last);
        plot.value_axis(&mut scene, "%", UNIT_ABOVE);
        plot.date_axis(&mut scene, (first, last), 0.0);
        let width = (plot.step() * 0.72).clamp(0.6, 16.0);
        let zero = plot.y(0.0);
        for day in &self.days {
            let is_named = named.iter().any(|named| named.day == day.day);
            let ink = if is_named {
                Ink::Reading
            } else {
                Ink::Baseline
            };
            let y = plot.y(day.share * 100.0);
            let left = plot.x_of(day.day) - width / 2.0;
            scene.rectangle((left, y), (width, zero - y), ink, 1.0);
        }
        let even = plot.y(self.even_share() * 100.0);
        scene.level_dashes(plot.left, plot.right, even, Ink::Average, 1.2);
        let mut taken: Vec<(f64, f64)> = Vec::new();
        for (rank, day) in named.iter().enumerate() {
            let x = plot.x_of(day.day);
            let mut y = plot.y(day.share * 100.0) - 5.0;
            for (other, height) in &taken {
                if (other - x).abs() < 10.0 && (height - y).abs() < 13.0 {
                    y = height - 13.0;
                }
            }
            taken.push((x, y));
            let style = (LABEL, Weight::Strong, Ink::Text);
            scene.text((x, y), Anchor::Middle, style, &(rank + 1).to_string());
        }
        scene
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::attention(self, options)
    }
}

fn check_share(
    field: impl FnOnce() -> String,
    share: f64,
    tolerance: f64,
) -> Result<(), ChartError> {
    if (0.0..=1.0 + tolerance).contains(&share) {
        return Ok(());
    }
    Err(ChartError::ValueOutOfRange {
        field: field(),
        value: share,
        lowest: 0.0,
        highest: 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shares: &[f64]) -> AttentionChart {
        let first: NaiveDate = "2026-03-01".parse().unwrap();
        AttentionChart {
            title: "Attention".to_owned(),
            subtitle: String::new(),
            days: first
                .iter_days()
                .zip(shares)
                .map(|(day, share)| AttentionDay { day, share: *share })
                .collect(),
        }
    }

    #[test]
    fn the_largest_shares_are_named_and_of_equal_ones_the_latest() {
        let chart = chart(&[0.2, 0.1, 0.2, 0.3, 0.2]);
        let days: Vec<String> = chart.named().iter().map(|d| d.day.to_string()).collect();
        assert_eq!(days, ["2026-03-04", "2026-03-05", "2026-03-03"]);
    }

    #[test]
    fn equal_shares_name_no_day() {
        assert_eq!(chart(&[0.25; 4]).verdict(), "Every day has the same share.");
        assert_eq!(chart(&[0.0; 4]).verdict(), "No day has any attention.");
    }

    #[test]
    fn what_is_no_share_is_refused_by_name() {
        for (shares, expected) in [
            (&[0.5, 1.5][..], "days[1].share is 1.5, expected 0 to 1"),
            (&[-0.1], "days[0].share is -0.1, expected 0 to 1"),
            (&[0.9, 0.9], "the sum of all shares is"),
            (&[], "days is empty"),
        ] {
            let error = chart(shares).check().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
