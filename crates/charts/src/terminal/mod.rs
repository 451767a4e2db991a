//! Charts as text.
//!
//! Charts use braille and box drawing or plain ASCII, each with or without ANSI colours. The caller
//! knows its terminal and decides; nothing is read from the environment.

mod attention;
mod canvas;
mod coverage;
mod dependence;
mod experiment;
mod heat_map;
mod history;
mod importance;
mod lags;
mod plot;
mod rows;
mod skill;
mod trajectory;
mod waterfall;
mod what_if;

pub(crate) use attention::attention;
pub(crate) use coverage::coverage;
pub(crate) use dependence::dependence;
pub(crate) use experiment::experiment;
pub(crate) use heat_map::heat_map;
pub(crate) use history::history;
pub(crate) use importance::importance;
pub(crate) use lags::lags;
pub(crate) use skill::skill;
pub(crate) use trajectory::trajectory;
pub(crate) use waterfall::waterfall;
pub(crate) use what_if::what_if;

use self::canvas::{Paint, painted};
use crate::{
    error::{ChartError, check_size},
    text::wrap_columns,
};

/// Options for charts in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Columns of the whole picture, 40 to 400.
    pub width: u32,
    /// Lines of the whole picture, 12 to 200.
    pub height: u32,
    /// Only ASCII characters; anything else in a title becomes a question mark.
    pub ascii: bool,
    /// With ANSI colours.
    pub colour: bool,
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self {
            width: 80,
            height: 20,
            ascii: false,
            colour: false,
        }
    }
}

impl TerminalOptions {
    pub(crate) fn check(self) -> Result<(), ChartError> {
        check_size("width", self.width, 40, 400)?;
        check_size("height", self.height, 12, 200)
    }

    /// The text as this terminal can show it: harmless, and ASCII where asked for.
    fn speakable(self, text: &str) -> String {
        let text = crate::text::clean(text);
        if self.ascii {
            crate::text::to_ascii(&text)
        } else {
            text
        }
    }

    /// What stands for a part that was cut off.
    fn ellipsis(self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    /// The sign before a row that matters most.
    fn pointer(self) -> char {
        if self.ascii { '>' } else { '▶' }
    }

    /// The text cut to the width of the picture.
    fn fitted(self, text: &str, width: usize) -> String {
        crate::text::fit_columns(&self.speakable(text), width, self.ellipsis())
    }
}

/// Title and subtitle, a line each, cut to the width.
fn push_heading(text: &mut String, title: &str, subtitle: &str, options: TerminalOptions) {
    for (line, paint) in [(title, Paint::Strong), (subtitle, Paint::Muted)] {
        let line = options.fitted(line, options.width as usize);
        if !line.trim().is_empty() {
            text.push_str(&painted(line.trim_end(), paint, options.colour));
            text.push('\n');
        }
    }
}

/// A sentence in as many lines as it takes.
fn push_sentence(text: &mut String, sentence: &str, options: TerminalOptions) {
    push_wrapped(text, sentence, Paint::Plain, options);
}

/// A remark in as many lines as it takes.
fn push_muted(text: &mut String, remark: &str, options: TerminalOptions) {
    push_wrapped(text, remark, Paint::Muted, options);
}

fn push_wrapped(text: &mut String, words: &str, paint: Paint, options: TerminalOptions) {
    let words = options.speakable(words);
    for line in wrap_columns(&words, options.width as usize, options.ellipsis()) {
        text.push_str(&painted(&line, paint, options.colour));
        text.push('\n');
    }
}

/// Blue below 0, orange above 0; only significant numbers are coloured.
fn sign_paint(value: f64, stands_out: bool) -> Paint {
    match (stands_out, value < 0.0) {
        (false, _) => Paint::Plain,
        (true, true) => Paint::Reading,
        (true, false) => Paint::Forecast,
    }
}
