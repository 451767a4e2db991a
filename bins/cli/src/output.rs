//! All output: results to standard output, notes and errors to standard error, colours only in a
//! terminal.

use anstream::{AutoStream, ColorChoice};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Write};

/// Whether standard error is a terminal that shows colours (`NO_COLOR`, `CLICOLOR_FORCE` honoured).
pub(crate) fn stderr_wants_colour() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Whether standard output is a terminal that shows colours.
pub(crate) fn stdout_wants_colour() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Columns a chart or table may use.
pub(crate) fn width() -> u32 {
    Table::new().width().map_or(100, u32::from).clamp(60, 120)
}

/// The printer of one run.
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    out: BufWriter<AutoStream<io::Stdout>>,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            out: BufWriter::new(AutoStream::auto(io::stdout())),
        }
    }

    /// Whether a program reads the result.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether progress bars should be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.json && io::stderr().is_terminal()
    }

    /// A result for programs.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value).map_err(json_error)?;
        writeln!(self.out)?;
        Ok(())
    }

    /// A result for people, a line.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        writeln!(self.out, "{text}")?;
        Ok(())
    }

    /// Raw bytes, such as a completion script.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.out.write_all(bytes)?;
        Ok(())
    }

    /// A heading.
    pub(crate) fn heading(&mut self, text: &str) -> anyhow::Result<()> {
        let bold = anstyle::Style::new().bold();
        writeln!(self.out, "{bold}{text}{bold:#}")?;
        Ok(())
    }

    /// A table; columns named in `right` are aligned to the right.
    pub(crate) fn table(
        &mut self,
        header: &[&str],
        rows: &[Vec<String>],
        right: &[usize],
    ) -> anyhow::Result<()> {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(header.to_vec());
        if table.width().is_none() {
            table.set_width(120);
        }
        for row in rows {
            table.add_row(row.iter().enumerate().map(|(column, text)| {
                let cell = Cell::new(text);
                if right.contains(&column) {
                    cell.set_alignment(CellAlignment::Right)
                } else {
                    cell
                }
            }));
        }
        writeln!(self.out, "{table}")?;
        Ok(())
    }

    /// A remark beside the result; silent with `--quiet` or `--json`.
    pub(crate) fn note(&mut self, text: impl std::fmt::Display) {
        if !self.quiet && !self.json {
            // A closed standard error must not hide the result.
            let _ = self.out.flush();
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// The reason the run failed: text for people; with `--json` the contract's error body. Both
    /// on standard error, so that standard output holds results only.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        let _ = self.out.flush();
        let text = chain(error);
        let tip = crate::exit::tip_of(error);
        if self.json {
            let body = serde_json::json!({
                "detail": text,
                "code": crate::exit::word_of(error),
                "tip": tip,
            });
            let _ = writeln!(io::stderr(), "{body}");
        } else {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            let _ = writeln!(anstream::stderr(), "{red}error{red:#}: {text}");
            if let Some(tip) = tip {
                let green = anstyle::AnsiColor::Green.on_default();
                let _ = writeln!(anstream::stderr(), "  {green}tip{green:#}: {tip}");
            }
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// serde_json hides the kind of an I/O error; a broken pipe must stay one.
fn json_error(error: serde_json::Error) -> anyhow::Error {
    match error.io_error_kind() {
        Some(kind) => io::Error::from(kind).into(),
        None => error.into(),
    }
}

/// An error and its causes in one line, none said twice.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
