//! Reports: a self-contained HTML page without network access, scripts or other files.
//!
//! All given texts are escaped. The page does not allow the browser to load anything, adapts to dark
//! screens, phones and paper, and ends with the sentence that it is not a medical device.

use std::fmt::Write as _;

use crate::{
    attention::AttentionChart,
    chart::Drawn,
    coverage::CoverageChart,
    dependence::DependenceChart,
    error::{ChartError, LARGEST_COUNT, check_count},
    experiment::ExperimentChart,
    heat_map::HeatMap,
    history::HistoryChart,
    importance::ImportanceChart,
    lags::LagChart,
    paint::Style,
    palette::{Ink, dark_hexadecimal, dark_style, light_hexadecimal},
    scene::PictureSize,
    skill::SkillChart,
    text::escape,
    trajectory::TrajectoryChart,
    unit::with_minus_sign,
    waterfall::WaterfallChart,
    what_if::WhatIfChart,
};

/// The sentence at the end of every report.
pub const WELLNESS_SENTENCE: &str = "Vitalcast is for general wellness. It is not a medical device \
     and does not diagnose, treat, cure or prevent any disease; ask a professional about your health.";

/// Widths of the two drawings of each chart; the narrow one is for phones.
const WIDE: u32 = 780;
const NARROW: u32 = 350;

/// Alignment of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alignment {
    /// Text: left aligned.
    #[default]
    Text,
    /// Numbers: right aligned, with digits of equal width.
    Number,
}

/// A table of texts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Caption of the table; screen readers read it first.
    pub caption: String,
    /// Header and alignment of each column.
    pub columns: Vec<(String, Alignment)>,
    /// Rows of as many cells as there are columns; a missing value is `None`, shown as a dash.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph of plain text.
    Paragraph(String),
    /// A highlighted note.
    Note(String),
    /// A list of short points.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A history and its forecast, with its description below.
    History(HistoryChart),
    /// Errors of a model and its baselines.
    Skill(SkillChart),
    /// Correlations in rows and columns.
    HeatMap(HeatMap),
    /// Correlations by lag, with the strongest named below.
    Lags(LagChart),
    /// The days on which there is data.
    Coverage(CoverageChart),
    /// How a forecast comes about.
    Waterfall(WaterfallChart),
    /// How much forecasts depend on each feature.
    Importance(ImportanceChart),
    /// How much each past day counts.
    Attention(AttentionChart),
    /// The forecast at each value of a feature.
    Dependence(DependenceChart),
    /// Forecasts before and after a change.
    WhatIf(WhatIfChart),
    /// The forecasts of the coming weeks, with what is expected at their end below.
    Trajectory(TrajectoryChart),
    /// The timeline of an experiment, with the means below.
    Experiment(ExperimentChart),
}

/// A heading and its contents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The contents, in order.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section without content yet.
    pub fn new(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            blocks: Vec::new(),
        }
    }

    /// The section with one more block at its end.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// The section with one more paragraph at its end.
    #[must_use]
    pub fn with_paragraph(self, text: impl Into<String>) -> Self {
        self.with(Block::Paragraph(text.into()))
    }
}

/// One self-contained HTML page.
///
/// ```
/// use vitalcast_charts::{HtmlReport, Section};
///
/// let page = HtmlReport::new("Tomorrow", "Written on 1 April 2026")
///     .with(Section::new("Sleep").with_paragraph("7.2 h, between 6.4 h and 8.0 h."))
///     .render()?;
/// assert!(page.contains("not a medical device"));
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HtmlReport {
    /// The title of the page.
    pub title: String,
    /// A line below the title: for whom, from which data, written when. May be empty.
    pub subtitle: String,
    /// The language of the given texts as a tag such as `en` or `de-CH`.
    pub language: String,
    /// The sections, in order.
    pub sections: Vec<Section>,
}

impl HtmlReport {
    /// A page in English without content yet.
    pub fn new(title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: subtitle.into(),
            language: "en".to_owned(),
            sections: Vec::new(),
        }
    }

    /// The page with one more section at its end.
    #[must_use]
    pub fn with(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The page as HTML.
    ///
    /// # Errors
    ///
    /// A chart that cannot be drawn, a table whose rows differ in length, a language that is no
    /// tag.
    pub fn render(&self) -> Result<String, ChartError> {
        check_language(&self.language)?;
        let mut body = String::new();
        for section in &self.sections {
            body.push_str("<section>\n");
            if !section.heading.trim().is_empty() {
                push_element(&mut body, "h2", "", &section.heading);
            }
            for block in &section.blocks {
                push_block(&mut body, block)?;
            }
            body.push_str("</section>\n");
        }
        let title = escape(&self.title);
        let subtitle = if self.subtitle.trim().is_empty() {
            String::new()
        } else {
            format!("<p class=\"subtitle\">{}</p>\n", escape(&self.subtitle))
        };
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<header>\n\
             <h1>{title}</h1>\n{subtitle}</header>\n<main>\n{body}</main>\n\
             <footer><p lang=\"en\">{footer}</p></footer>\n</body>\n</html>\n",
            language = self.language,
            style = style(),
            footer = escape(WELLNESS_SENTENCE),
        ))
    }
}

fn check_language(language: &str) -> Result<(), ChartError> {
    let is_tag = language.len() <= 35
        && language.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|sign| sign.is_ascii_alphanumeric())
        });
    if is_tag {
        Ok(())
    } else {
        Err(ChartError::Language {
            language: language.to_owned(),
        })
    }
}

fn push_element(page: &mut String, name: &str, attributes: &str, text: &str) {
    writeln!(page, "<{name}{attributes}>{}</{name}>", escape(text))
        .expect("a string takes any text");
}

fn push_block(page: &mut String, block: &Block) -> Result<(), ChartError> {
    match block {
        Block::Paragraph(text) => push_element(page, "p", "", text),
        Block::Note(text) => push_element(page, "p", " class=\"note\" role=\"note\"", text),
        Block::List(items) => {
            page.push_str("<ul>\n");
            for item in items {
                push_element(page, "li", "", item);
            }
            page.push_str("</ul>\n");
        }
        Block::Table(table) => push_table(page, table)?,
        Block::History(chart) => push_figure(
            page,
            |size| chart.svg_styled(size, Style::OfThePage),
            (380, 340),
            &chart.description()?,
        )?,
        // Every bar is labelled and the verdict stands below: a caption would say it twice.
        Block::Skill(chart) => push_figure(
            page,
            |size| chart.svg_styled(size, Style::OfThePage),
            (chart.natural_height(), chart.natural_height()),
            "",
        )?,
        // Every cell holds its number.
        Block::HeatMap(map) => push_figure(
            page,
            |size| map.svg_styled(size, Style::OfThePage),
            (map.natural_height_at(WIDE), map.natural_height_at(NARROW)),
            "",
        )?,
        Block::Lags(chart) => push_figure(
            page,
            |size| chart.svg_styled(size, Style::OfThePage),
            (360, 340),
            &chart.verdict(),
        )?,
        // Every row has its number of days.
        Block::Coverage(chart) => push_figure(
            page,
            |size| chart.svg_styled(size, Style::OfThePage),
            (chart.natural_height(), chart.natural_height()),
            "",
        )?,
        // These three say their sentence in the picture.
        Block::Waterfall(chart) => {
            let heights = [WIDE, NARROW].map(|width| chart.natural_height_at(width));
            push_chart(page, chart, heights, "")?;
        }
        Block::Importance(chart) => {
            let heights = [WIDE, NARROW].map(|width| chart.natural_height_at(width));
            push_chart(page, chart, heights, "")?;
        }
        Block::WhatIf(chart) => {
            let heights = [WIDE, NARROW].map(|width| chart.natural_height_at(width));
            push_chart(page, chart, heights, "")?;
        }
        Block::Attention(chart) => push_chart(page, chart, [320, 330], &chart.verdict())?,
        Block::Dependence(chart) => push_chart(page, chart, [380, 340], &chart.verdict())?,
        Block::Trajectory(chart) => push_chart(page, chart, [380, 340], &chart.verdict())?,
        Block::Experiment(chart) => push_chart(page, chart, [380, 380], &chart.verdict())?,
    }
    Ok(())
}

fn push_chart(
    page: &mut String,
    chart: &impl Drawn,
    [wide, narrow]: [u32; 2],
    caption: &str,
) -> Result<(), ChartError> {
    let draw = |size| chart.svg_styled(size, Style::OfThePage);
    push_figure(page, draw, (wide, narrow), caption)
}

/// A picture in two widths, of which a reader sees the one that suits the screen.
fn push_figure(
    page: &mut String,
    draw: impl Fn(PictureSize) -> Result<String, ChartError>,
    (wide_height, narrow_height): (u32, u32),
    caption: &str,
) -> Result<(), ChartError> {
    page.push_str("<figure>\n");
    for (class, width, height) in [
        ("wide", WIDE, wide_height),
        ("narrow", NARROW, narrow_height),
    ] {
        let picture = draw(PictureSize {
            width,
            height,
            ..PictureSize::default()
        })?;
        writeln!(page, "<div class=\"{class}\">{picture}</div>").expect("a string takes any text");
    }
    if !caption.is_empty() {
        push_element(page, "figcaption", "", caption);
    }
    page.push_str("</figure>\n");
    Ok(())
}

fn push_table(page: &mut String, table: &Table) -> Result<(), ChartError> {
    check_count("rows", table.rows.len(), LARGEST_COUNT)?;
    if table.columns.is_empty() {
        return Err(ChartError::Empty {
            field: format!("columns of table {:?}", table.caption),
        });
    }
    for (row, cells) in table.rows.iter().enumerate() {
        if cells.len() != table.columns.len() {
            return Err(ChartError::RaggedTable {
                table: table.caption.clone(),
                row,
                cells: cells.len(),
                columns: table.columns.len(),
            });
        }
    }
    // Focusable, so that a wide table can be scrolled from the keyboard.
    let label = escape(&table.caption);
    writeln!(
        page,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\">\n<table>"
    )
    .expect("a string takes any text");
    if !table.caption.trim().is_empty() {
        push_element(page, "caption", "", &table.caption);
    }
    let class = |alignment: Alignment| match alignment {
        Alignment::Text => "",
        Alignment::Number => " class=\"number\"",
    };
    page.push_str("<thead><tr>\n");
    for (header, alignment) in &table.columns {
        push_element(
            page,
            "th",
            &format!(" scope=\"col\"{}", class(*alignment)),
            header,
        );
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for cells in &table.rows {
        page.push_str("<tr>\n");
        for (cell, (_, alignment)) in cells.iter().zip(&table.columns) {
            let attributes = class(*alignment);
            match cell {
                Some(text) if *alignment == Alignment::Number => {
                    push_element(page, "td", attributes, &with_minus_sign(text));
                }
                Some(text) => push_element(page, "td", attributes, text),
                None => {
                    writeln!(
                        page,
                        "<td{attributes}><span aria-label=\"no value\" role=\"img\">–</span></td>"
                    )
                    .expect("a string takes any text");
                }
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
    Ok(())
}

/// The style sheet: one column, the system's font, the colours of the pictures.
fn style() -> String {
    let variables = |colour: fn(Ink) -> String| {
        format!(
            "--surface:{};--text:{};--muted:{};--grid:{};--rule:{};--accent:{};",
            colour(Ink::Surface),
            colour(Ink::Text),
            colour(Ink::Muted),
            colour(Ink::Grid),
            colour(Ink::Rule),
            colour(Ink::Reading)
        )
    };
    format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{RULES}{pictures}\n",
        light = variables(light_hexadecimal),
        dark = variables(dark_hexadecimal),
        pictures = dark_style(),
    )
}

const RULES: &str = "\
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;padding:2rem 1.25rem 3rem;max-width:51.25rem;background:var(--surface);color:var(--text);font:1rem/1.6 Roboto,'Helvetica Neue',Arial,'Liberation Sans',sans-serif;overflow-wrap:break-word}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.25rem;line-height:1.3;margin:2.5rem 0 .75rem;padding-top:1.25rem;border-top:1px solid var(--grid)}
p,ul{margin:0 0 1rem;max-width:42rem}
.subtitle,figcaption,caption,footer{color:var(--muted)}
.note{padding:.6rem .9rem;border-left:4px solid var(--accent);border-radius:2px;background:color-mix(in srgb,var(--accent) 8%,var(--surface))}
figure{margin:1.25rem 0 1.75rem}
figure svg{display:block;max-width:100%;height:auto;margin:0 -1.25rem}
figcaption{font-size:.875rem;line-height:1.5;max-width:42rem}
.narrow{display:none}
.scroll{overflow-x:auto;margin:1.25rem 0}
table{border-collapse:collapse;min-width:60%;font-size:.9375rem}
caption{text-align:left;padding-bottom:.4rem;font-size:.875rem}
th,td{padding:.4rem .9rem .4rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
th{font-weight:600;border-bottom-color:var(--rule)}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--grid);font-size:.875rem}
@media (min-width:55rem){.scroll{width:max-content;min-width:100%;max-width:calc(50vw + 23rem)}}
@media (max-width:640px){body{padding:1.25rem 1rem 2rem}.wide{display:none}.narrow{display:block}figure svg{margin:0 -12px;max-width:calc(100% + 24px)}table{font-size:.875rem}th,td{padding-right:.6rem}th.number{white-space:normal}}
@media print{body{max-width:none;padding:0;font-size:10.5pt}.wide{display:block}.narrow{display:none}figure svg{margin:0}figure,tr,.note{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_must_be_a_tag() {
        for good in ["en", "de-CH", "zh-Hant-TW"] {
            assert!(check_language(good).is_ok(), "{good}");
        }
        for bad in ["", "en\" onload=\"x", "de_CH", "-", "en-"] {
            assert!(
                matches!(check_language(bad), Err(ChartError::Language { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_row_of_the_wrong_length_is_refused_with_its_index() {
        let table = Table {
            caption: "Forecasts".to_owned(),
            columns: vec![
                ("Day".to_owned(), Alignment::Text),
                ("bpm".to_owned(), Alignment::Number),
            ],
            rows: vec![vec![None, None], vec![None]],
        };
        assert_eq!(
            push_table(&mut String::new(), &table)
                .unwrap_err()
                .to_string(),
            "row 1 of table \"Forecasts\": expected 2 cells, one for each column, found 1"
        );
    }

    #[test]
    fn a_missing_cell_is_a_dash_and_not_a_zero() {
        let table = Table {
            caption: String::new(),
            columns: vec![("bpm".to_owned(), Alignment::Number)],
            rows: vec![vec![None], vec![Some("-1".to_owned())]],
        };
        let mut page = String::new();
        push_table(&mut page, &table).unwrap();
        assert!(page.contains("role=\"img\">–</span>"), "{page}");
        assert!(page.contains(">\u{2212}1</td>"), "{page}");
    }
}
