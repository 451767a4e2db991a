#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod axis;
mod correlation;
mod coverage;
mod draw_heat_map;
mod draw_history;
mod draw_lags;
mod error;
mod font;
mod heat_map;
mod history;
mod lags;
mod legend;
mod paint;
mod palette;
mod report;
mod scene;
mod skill;
mod terminal;
mod text;
mod unit;

pub use coverage::{CoverageChart, CoverageRow, LARGEST_COVERAGE_ROWS};
pub use error::{ChartError, LARGEST_BASELINES, LARGEST_COUNT, LARGEST_SPAN_DAYS, LARGEST_VALUE};
pub use heat_map::{HeatCell, HeatMap, HeatRow, LARGEST_COLUMNS, LARGEST_ROWS};
pub use history::{AverageLine, ForecastPoint, HistoryChart};
pub use lags::{LARGEST_LAG, LARGEST_LAGS, LagChart, LagPoint, LagUnit};
pub use report::{Alignment, Block, HtmlReport, Section, Table, WELLNESS_SENTENCE};
pub use scene::PictureSize;
pub use skill::{SkillBar, SkillChart};
pub use terminal::TerminalOptions;
pub use unit::Unit;
