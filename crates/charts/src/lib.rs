#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attention;
mod axis;
mod calendar;
mod chart;
mod correlation;
mod coverage;
mod dependence;
mod draw_coverage;
mod draw_experiment;
mod draw_heat_map;
mod draw_history;
mod draw_lags;
mod error;
mod experiment;
mod font;
mod heat_map;
mod history;
mod importance;
mod lags;
#[cfg(test)]
mod layout_tests;
mod legend;
mod paint;
mod palette;
mod plot;
mod report;
mod rows;
mod scene;
mod skill;
mod terminal;
mod text;
mod trajectory;
mod unit;
mod waterfall;
mod what_if;

pub use attention::{AttentionChart, AttentionDay};
pub use coverage::{CoverageChart, CoverageRow, LARGEST_COVERAGE_ROWS};
pub use dependence::DependenceChart;
pub use error::{ChartError, LARGEST_BASELINES, LARGEST_COUNT, LARGEST_SPAN_DAYS, LARGEST_VALUE};
pub use experiment::{ExperimentChart, ExperimentDay};
pub use heat_map::{HeatCell, HeatMap, HeatRow, LARGEST_COLUMNS, LARGEST_ROWS};
pub use history::{AverageLine, ForecastPoint, HistoryChart};
pub use importance::{ImportanceChart, ImportanceRow, LARGEST_IMPORTANCE_ROWS};
pub use lags::{LARGEST_LAG, LARGEST_LAGS, LagChart, LagPoint, LagUnit};
pub use report::{Alignment, Block, HtmlReport, Section, Table, WELLNESS_SENTENCE};
pub use scene::PictureSize;
pub use skill::{SkillBar, SkillChart};
pub use terminal::TerminalOptions;
pub use trajectory::{TrajectoryChart, TrajectoryDay};
pub use unit::Unit;
pub use waterfall::{LARGEST_PARTS, WaterfallChart, WaterfallPart};
pub use what_if::{LARGEST_SCENARIOS, WhatIfBar, WhatIfChart};
