//! The forecasts of the coming weeks in a terminal.

use super::{TerminalOptions, history::history_with};
use crate::trajectory::TrajectoryChart;

/// Write a checked chart.
pub(crate) fn trajectory(chart: &TrajectoryChart, options: TerminalOptions) -> String {
    let unchanged = chart.unchanged();
    let verdict = chart.verdict();
    history_with(
        &chart.history(),
        unchanged.as_ref(),
        Some(&verdict),
        options,
    )
}
