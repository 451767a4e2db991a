//! Boosted trees as an ONNX graph.

use super::graph::{Axis, Builder, floats, int, ints, text, texts};
use super::message::{DOUBLE, FLOAT};
use crate::series::{LEVEL_DAYS, TreesOnLags, WEEK};
use crate::trees::BoostedTrees;

/// A graph's values by day, for what lags are made of.
struct Days<'a> {
    graph: &'a mut Builder,
    /// `[batch, 28]` in f64, zero where missing.
    values: String,
    /// `[batch, 28]`: one where observed.
    observed: String,
    /// The axis of days.
    axis: String,
}

impl Days<'_> {
    /// Mean of what is observed on some days, `[batch, 1]`: not a number where nothing is.
    fn mean(&mut self, name: &str, of: &str, days: &[usize]) -> String {
        let places: Vec<i64> = days.iter().map(|day| *day as i64).collect();
        let places = self.graph.ints(&format!("{name}.days"), &places);
        let mut sum = |of: &str, what: &str| {
            let name = format!("{name}.{what}");
            let axis = vec![int("axis", 1)];
            let some = self
                .graph
                .node("Gather", &[of, &places], &format!("{name}.some"), axis);
            self.graph
                .node("ReduceSum", &[&some, &self.axis], &name, vec![])
        };
        let (above, below) = (sum(of, "sum"), sum(&self.observed.clone(), "count"));
        self.graph.node("Div", &[&above, &below], name, vec![])
    }
}

impl TreesOnLags {
    /// The trees for one lead (from 1) as an ONNX file, with everything from the series to the
    /// forecast inside.
    ///
    /// The input is `history`: `[batch, 28]`, the last four weeks in the data's unit, the last day last,
    /// NaN where a day is missing; the output `forecast`: `[batch, 1]`. `None` for a lead the trees
    /// were not fitted for.
    pub fn to_onnx(&self, lead: usize) -> Option<Vec<u8>> {
        let trees = self.lead(lead)?;
        let persistence = self.persistence(lead)?;
        let mut graph = Builder::default();
        graph.input("history", &[Axis::Any("batch"), Axis::Fixed(LEVEL_DAYS)]);
        let wide = vec![int("to", i64::from(DOUBLE))];
        let history = graph.node("Cast", &["history"], "history.wide", wide.clone());
        let missing = graph.node("IsNaN", &["history"], "history.missing", vec![]);
        let present = graph.node("Not", &[&missing], "history.present", vec![]);
        let observed = graph.node("Cast", &[&present], "history.observed", wide.clone());
        let zero = graph.double("zero", 0.0);
        let values = graph.node(
            "Where",
            &[&missing, &zero, &history],
            "history.values",
            vec![],
        );
        let axis = graph.ints("days.axis", &[1]);
        let mut days = Days {
            graph: &mut graph,
            values,
            observed,
            axis,
        };
        let values = days.values.clone();
        let all: Vec<usize> = (0..LEVEL_DAYS).collect();
        let week: Vec<usize> = (LEVEL_DAYS - WEEK..LEVEL_DAYS).collect();
        let week_before: Vec<usize> = (LEVEL_DAYS - 2 * WEEK..LEVEL_DAYS - WEEK).collect();
        // The days that share the weekday of the target.
        let back = WEEK - (lead - 1) % WEEK;
        let weekday: Vec<usize> = (back..=LEVEL_DAYS)
            .step_by(WEEK)
            .map(|back| LEVEL_DAYS - back)
            .collect();
        let level = days.mean("level", &values, &all);
        let from_level = days
            .graph
            .node("Sub", &[&history, &level], "from_level", vec![]);
        let places: Vec<i64> = week.iter().rev().map(|day| *day as i64).collect();
        let places = days.graph.ints("lags.days", &places);
        let by_day = vec![int("axis", 1)];
        let lags = days
            .graph
            .node("Gather", &[&from_level, &places], "lags", by_day.clone());
        let last = last_observed(days.graph, &lags);
        let week = days.mean("week", &values, &week);
        let weekday = days.mean("weekday", &values, &weekday);
        let before = days.mean("week_before", &values, &week_before);
        let graph = &mut *days.graph;
        let of_week = graph.node("Sub", &[&week, &level], "week.from_level", vec![]);
        let of_weekday = graph.node("Sub", &[&weekday, &level], "weekday.from_level", vec![]);
        let change = graph.node("Sub", &[&week, &before], "change", vec![]);
        let square = graph.node("Mul", &[&from_level, &from_level], "square.all", vec![]);
        let square = graph.node("Where", &[&missing, &zero, &square], "square", vec![]);
        let variance = days.mean("variance", &square, &all);
        let graph = &mut *days.graph;
        let spread = graph.node("Sqrt", &[&variance], "spread", vec![]);
        let seven = graph.double("seven", WEEK as f64);
        let share = graph.node("Div", &["week.count", &seven], "share", vec![]);
        let all = [&lags, &of_week, &of_weekday, &spread, &change, &share].map(String::as_str);
        let known = graph.node("Concat", &all, "known.wide", by_day);
        let narrow = vec![int("to", i64::from(FLOAT))];
        let known = graph.node("Cast", &[&known], "known", narrow.clone());
        let ahead = graph.tree_node("TreeEnsembleRegressor", &known, "ahead", trees.attributes());
        let ahead = graph.node("Cast", &[&ahead], "ahead.wide", wide);
        let kept = graph.double("persistence", persistence);
        let kept = graph.node("Mul", &[&last, &kept], "kept", vec![]);
        let base = graph.node("Add", &[&level, &kept], "base", vec![]);
        let value = graph.node("Add", &[&base, &ahead], "value", vec![]);
        graph.node("Cast", &[&value], "forecast", narrow);
        graph.output("forecast", &[Axis::Any("batch"), Axis::Fixed(1)]);
        Some(std::mem::take(graph).finish("vitalcast trees on lags"))
    }
}

/// Of seven lags, `[batch, 7]`, the first that is observed; zero where none is.
fn last_observed(graph: &mut Builder, lags: &str) -> String {
    let mut last = "zero".to_owned();
    for lag in (0..WEEK).rev() {
        let name = format!("lag.{lag}");
        let place = graph.ints(&format!("{name}.place"), &[lag as i64]);
        let value = graph.node("Gather", &[lags, &place], &name, vec![int("axis", 1)]);
        let missing = graph.node("IsNaN", &[&value], &format!("{name}.missing"), vec![]);
        last = graph.node(
            "Where",
            &[&missing, &last, &value],
            &format!("last.{lag}"),
            vec![],
        );
    }
    last
}

impl BoostedTrees {
    /// The trees as an ONNX file (`TreeEnsembleRegressor` of `ai.onnx.ml` 3).
    ///
    /// The input is `rows`: `[batch, columns]`, NaN where a value is missing; the output `forecast`:
    /// `[batch, 1]`.
    pub fn to_onnx(&self) -> Vec<u8> {
        let mut graph = Builder::default();
        let columns = Axis::Fixed(self.columns());
        graph.input("rows", &[Axis::Any("batch"), columns]);
        graph.tree_node(
            "TreeEnsembleRegressor",
            "rows",
            "forecast",
            self.attributes(),
        );
        graph.output("forecast", &[Axis::Any("batch"), Axis::Fixed(1)]);
        graph.finish("vitalcast trees")
    }

    fn attributes(&self) -> Vec<super::message::Attribute> {
        let mut tree_of_node = Vec::new();
        let mut place = Vec::new();
        let mut column = Vec::new();
        let mut value = Vec::new();
        let mut mode = Vec::new();
        let mut below = Vec::new();
        let mut not_below = Vec::new();
        let mut missing_is_below = Vec::new();
        let mut leaf_tree = Vec::new();
        let mut leaf_place = Vec::new();
        let mut leaf_value = Vec::new();
        for (tree, (first, nodes)) in self.trees().enumerate() {
            let tree = tree as i64;
            for (index, node) in nodes.iter().enumerate() {
                let index = index as i64;
                tree_of_node.push(tree);
                place.push(index);
                if node.is_leaf() {
                    column.push(0);
                    value.push(0.0);
                    mode.push(b"LEAF".to_vec());
                    below.push(0);
                    not_below.push(0);
                    missing_is_below.push(0);
                    leaf_tree.push(tree);
                    leaf_place.push(index);
                    leaf_value.push(node.value);
                } else {
                    column.push(i64::from(node.column));
                    value.push(node.value);
                    mode.push(b"BRANCH_LT".to_vec());
                    below.push(i64::from(node.left - first));
                    not_below.push(i64::from(node.right - first));
                    missing_is_below.push(i64::from(node.missing == node.left));
                }
            }
        }
        vec![
            int("n_targets", 1),
            text("aggregate_function", "SUM"),
            text("post_transform", "NONE"),
            floats("base_values", vec![self.base() as f32]),
            ints("nodes_treeids", tree_of_node),
            ints("nodes_nodeids", place),
            ints("nodes_featureids", column),
            floats("nodes_values", value),
            texts("nodes_modes", mode),
            ints("nodes_truenodeids", below),
            ints("nodes_falsenodeids", not_below),
            ints("nodes_missing_value_tracks_true", missing_is_below),
            ints("target_ids", vec![0; leaf_tree.len()]),
            ints("target_treeids", leaf_tree),
            ints("target_nodeids", leaf_place),
            floats("target_weights", leaf_value),
        ]
    }
}
