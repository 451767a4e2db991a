//! Progress bars on standard error, only where a person looks.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes.
pub(crate) fn bytes(output: &Output, message: &str) -> ProgressBar {
    bar(
        output,
        message,
        "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {eta}",
    )
}

/// A bar over steps.
pub(crate) fn steps(output: &Output, message: &str) -> ProgressBar {
    bar(output, message, "{prefix}{wide_bar} {pos}/{len} {msg}")
}

fn bar(output: &Output, message: &str, template: &str) -> ProgressBar {
    if !output.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(message.to_owned());
    bar
}
