//! Boosted trees as an ONNX graph.

use super::graph::{Axis, Builder, floats, int, ints, text, texts};
use crate::trees::BoostedTrees;

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
                column.push(i64::from(node.column));
                if node.is_leaf() {
                    value.push(0.0);
                    mode.push(b"LEAF".to_vec());
                    below.push(0);
                    not_below.push(0);
                    missing_is_below.push(0);
                    leaf_tree.push(tree);
                    leaf_place.push(index);
                    leaf_value.push(node.value);
                } else {
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
