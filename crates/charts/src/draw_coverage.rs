//! The picture of a coverage chart: a calendar for each metric, and below it a strip for each of its sources.

use crate::{
    calendar::{Calendar, WEEK, WEEKDAYS},
    coverage::{CoverageChart, CoverageRow},
    font::Weight,
    palette::Ink,
    scene::{Anchor, PictureSize, Scene},
    text::clean,
};

/// Weeks in one band of a calendar: two years. Longer histories have several, one below the other.
const BAND: usize = 106;
/// Most bands of all calendars together; earlier weeks are counted, but not drawn.
const MOST_BANDS: usize = 40;
/// Heights: the name of a metric with the space above it, the names of months, a day, and the strip of a source.
const NAME: f64 = 28.0;
const MONTHS: f64 = 14.0;
const DAY: f64 = 8.0;
const STRIP: f64 = 12.0;
/// Sizes of letters.
const LETTERS: f64 = 12.0;
const SMALL: f64 = 10.0;
/// Room that a name of a month needs.
const MONTH_ROOM: f64 = 26.0;

/// What is drawn of the weeks of a chart.
struct Plan {
    calendar: Calendar,
    /// First week that is drawn, and the bands.
    first: usize,
    bands: usize,
}

impl Plan {
    fn of(chart: &CoverageChart) -> Self {
        let calendar = Calendar::of(chart.first_day, chart.length());
        let whole = chart.rows.iter().filter(|row| !row.is_part).count();
        let most = (MOST_BANDS / whole.max(1)).max(1);
        let bands = calendar.weeks().div_ceil(BAND).clamp(1, most);
        Self {
            calendar,
            first: calendar.weeks().saturating_sub(bands * BAND),
            bands,
        }
    }

    /// The weeks of a band.
    fn weeks(&self, band: usize) -> std::ops::Range<usize> {
        let from = self.first + band * BAND;
        from..(from + BAND).min(self.calendar.weeks())
    }

    fn height(&self, row: &CoverageRow) -> f64 {
        let bands = self.bands as f64;
        if row.is_part {
            bands * STRIP
        } else {
            NAME + bands * (MONTHS + WEEK as f64 * DAY)
        }
    }
}

impl CoverageChart {
    /// Height of all rows.
    pub(crate) fn rows_height(&self) -> f64 {
        let plan = Plan::of(self);
        self.rows.iter().map(|row| plan.height(row)).sum()
    }

    pub(crate) fn scene(&self, size: PictureSize) -> Scene {
        let plan = Plan::of(self);
        let mut scene = Scene::new(size, &self.title, self.describe());
        let margin = scene.margin();
        let mut top = scene.heading(&self.subtitle) + 8.0;
        if plan.first > 0 {
            let from = plan.calendar.first_day(plan.first);
            let text = format!(
                "Days before {} are counted, but not drawn.",
                crate::axis::write_date(from)
            );
            let style = (SMALL, Weight::Regular, Ink::Muted);
            scene.text((margin, top + SMALL), Anchor::Start, style, &text);
            top += 18.0;
        }
        let room = scene.height() - margin - top;
        let scale = (room / self.rows_height()).min(1.0);
        let small = SMALL * scale.max(0.6);
        let limit = scene.width() * 0.24;
        let labels: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let width = if row.is_part {
                    limit
                } else {
                    scene.width() * 0.6
                };
                let letters = if row.is_part { small } else { LETTERS };
                scene
                    .fonts
                    .fit(&clean(&row.label), letters, Weight::Regular, width)
            })
            .collect();
        let parts = self.rows.iter().zip(&labels).filter(|(row, _)| row.is_part);
        let widest = parts
            .map(|(_, label)| scene.fonts.room(label, small, Weight::Regular))
            .fold(scene.fonts.room("Wed", small, Weight::Regular), f64::max);
        let left = margin + widest + 8.0;
        let pitch =
            (scene.width() - margin - left) / BAND.min(plan.calendar.weeks()).max(20) as f64;
        let pitch = pitch.min(DAY * 2.0);
        for (row, label) in self.rows.iter().zip(&labels) {
            if row.is_part {
                let style = (small, Weight::Regular, Ink::Muted);
                let middle = top + STRIP * scale * 0.8;
                scene.text((left - 8.0, middle), Anchor::End, style, label);
                for band in 0..plan.bands {
                    let y = top + band as f64 * STRIP * scale;
                    strip(
                        &mut scene,
                        &plan,
                        band,
                        row,
                        (left, y),
                        pitch,
                        STRIP * scale,
                    );
                }
            } else {
                let style = (LETTERS * scale.max(0.7), Weight::Regular, Ink::Text);
                let line = top + NAME * scale * 0.8;
                scene.text((margin, line), Anchor::Start, style, label);
                let edge = scene.width() - margin;
                let style = (style.0, Weight::Regular, Ink::Muted);
                scene.text((edge, line), Anchor::End, style, &Self::count(row));
                let height = (MONTHS + WEEK as f64 * DAY) * scale;
                for band in 0..plan.bands {
                    let y = top + NAME * scale + band as f64 * height;
                    grid(
                        &mut scene,
                        &plan,
                        band,
                        row,
                        (left, y),
                        pitch,
                        (scale, small),
                    );
                }
            }
            top += plan.height(row) * scale;
        }
        scene
    }
}

/// The weeks of a band, day by day, with the names of months above and of days beside them.
fn grid(
    scene: &mut Scene,
    plan: &Plan,
    band: usize,
    row: &CoverageRow,
    (left, top): (f64, f64),
    pitch: f64,
    (scale, small): (f64, f64),
) {
    let (day, weeks) = (DAY * scale, plan.weeks(band));
    let y = top + MONTHS * scale;
    let style = (small, Weight::Regular, Ink::Muted);
    for weekday in [0, 2, 4, 6] {
        let middle = y + (weekday as f64 + 0.5) * day + small * 0.36;
        // Where days are lower than letters, only the first and the last are named.
        if day * 2.0 >= small || [0, 6].contains(&weekday) {
            scene.text((left - 8.0, middle), Anchor::End, style, WEEKDAYS[weekday]);
        }
    }
    let mut free = left;
    for week in weeks.clone() {
        let x = left + (week - weeks.start) as f64 * pitch;
        if let Some(name) = plan.calendar.month(week, weeks.start)
            && x >= free
            && x + MONTH_ROOM <= scene.width() - scene.margin() + 2.0
        {
            scene.text((x, y - 3.0 * scale), Anchor::Start, style, &name);
            free = x + MONTH_ROOM;
        }
        let mut weekday = 0;
        while weekday < WEEK {
            let is_there = |weekday: usize| {
                let day = plan.calendar.day(week, weekday);
                day.map(|day| row.days.get(day) == Some(&true))
            };
            let state = is_there(weekday);
            let from = weekday;
            while weekday < WEEK && is_there(weekday) == state {
                weekday += 1;
            }
            let Some(state) = state else { continue };
            let corner = (x, y + from as f64 * day);
            let size = (pitch * 0.84, (weekday - from) as f64 * day);
            let (ink, opacity) = if state {
                (Ink::Reading, 1.0)
            } else {
                (Ink::Grid, 0.5)
            };
            scene.rectangle(corner, size, ink, opacity);
        }
    }
    let width = weeks.len() as f64 * pitch;
    for weekday in 1..WEEK {
        let line = (left, y + weekday as f64 * day - 0.1 * day);
        scene.rectangle(line, (width, 0.16 * day), Ink::Surface, 1.0);
    }
}

/// The weeks of a band: the darker, the more of their days have a value.
fn strip(
    scene: &mut Scene,
    plan: &Plan,
    band: usize,
    row: &CoverageRow,
    (left, top): (f64, f64),
    pitch: f64,
    height: f64,
) {
    let weeks = plan.weeks(band);
    for week in weeks.clone() {
        let days = plan.calendar.days(week).count();
        let there = plan
            .calendar
            .days(week)
            .filter(|day| row.days.get(*day) == Some(&true));
        let corner = (
            left + (week - weeks.start) as f64 * pitch,
            top + height * 0.2,
        );
        let size = (pitch * 0.84, height * 0.6);
        let (ink, opacity) = match there.count() {
            0 => (Ink::Grid, 0.5),
            there => (
                Ink::Baseline,
                0.35 + 0.65 * there as f64 / days.max(1) as f64,
            ),
        };
        scene.rectangle(corner, size, ink, opacity);
    }
}
