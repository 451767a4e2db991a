//! Puts a graph together node by node.

use super::message::{
    Attribute, DOUBLE, Dimension, FLOAT, Graph, INT64, Model, Node, OperatorSet, Shape, Size,
    Tensor, TensorType, ValueInfo, ValueType,
};
use prost::Message;

/// Version of the file format, and of the operator sets, that everything here is written in: ONNX
/// 1.13, February 2023, and later.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 18;
const TREE_OPERATORS: i64 = 3;
const TREE_DOMAIN: &str = "ai.onnx.ml";

/// A graph being built. Values go by name.
#[derive(Default)]
pub(super) struct Builder {
    graph: Graph,
    has_trees: bool,
}

impl Builder {
    /// An input or output: `f32`, each axis of a fixed size or any, by name.
    fn value(name: &str, axes: &[Axis]) -> ValueInfo {
        let dimensions = axes.iter().map(|axis| Dimension {
            size: Some(match axis {
                Axis::Fixed(size) => Size::Fixed(*size as i64),
                Axis::Any(name) => Size::Any((*name).to_owned()),
            }),
        });
        ValueInfo {
            name: name.to_owned(),
            kind: Some(ValueType {
                tensor: Some(TensorType {
                    element: FLOAT,
                    shape: Some(Shape {
                        dimensions: dimensions.collect(),
                    }),
                }),
            }),
        }
    }

    pub(super) fn input(&mut self, name: &str, axes: &[Axis]) {
        self.graph.inputs.push(Self::value(name, axes));
    }

    pub(super) fn output(&mut self, name: &str, axes: &[Axis]) {
        self.graph.outputs.push(Self::value(name, axes));
    }

    fn initializer(&mut self, name: &str, shape: &[usize], element: i32, bytes: Vec<u8>) -> String {
        self.graph.initializers.push(Tensor {
            shape: shape.iter().map(|size| *size as i64).collect(),
            element,
            name: name.to_owned(),
            bytes,
        });
        name.to_owned()
    }

    /// Numbers under a name.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, shape, FLOAT, bytes)
    }

    /// One `f64` under a name.
    pub(super) fn double(&mut self, name: &str, value: f64) -> String {
        self.initializer(name, &[1], DOUBLE, value.to_le_bytes().to_vec())
    }

    /// Whole numbers under a name: axes, sizes, places.
    pub(super) fn ints(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, &[values.len()], INT64, bytes)
    }

    /// One node with one output, whose name is returned.
    pub(super) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<Attribute>,
    ) -> String {
        self.graph.nodes.push(Node {
            inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
            outputs: vec![output.to_owned()],
            name: output.to_owned(),
            operator: operator.to_owned(),
            attributes,
            domain: String::new(),
        });
        output.to_owned()
    }

    /// A node of the operators for trees.
    pub(super) fn tree_node(
        &mut self,
        operator: &str,
        input: &str,
        output: &str,
        attributes: Vec<Attribute>,
    ) -> String {
        self.has_trees = true;
        let output = self.node(operator, &[input], output, attributes);
        if let Some(node) = self.graph.nodes.last_mut() {
            TREE_DOMAIN.clone_into(&mut node.domain);
        }
        output
    }

    /// The bytes of the file.
    pub(super) fn finish(mut self, name: &str) -> Vec<u8> {
        name.clone_into(&mut self.graph.name);
        let mut operator_sets = vec![OperatorSet {
            domain: String::new(),
            version: OPERATORS,
        }];
        if self.has_trees {
            operator_sets.push(OperatorSet {
                domain: TREE_DOMAIN.to_owned(),
                version: TREE_OPERATORS,
            });
        }
        Model {
            ir_version: IR_VERSION,
            producer_name: "vitalcast".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.graph),
            operator_sets,
        }
        .encode_to_vec()
    }
}

/// The size of an axis.
pub(super) enum Axis {
    Fixed(usize),
    Any(&'static str),
}

fn attribute(name: &str, kind: i32) -> Attribute {
    Attribute {
        name: name.to_owned(),
        kind,
        ..Attribute::default()
    }
}

pub(super) fn float(name: &str, value: f32) -> Attribute {
    Attribute {
        float: value,
        ..attribute(name, 1)
    }
}

pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute {
        int: value,
        ..attribute(name, 2)
    }
}

pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute {
        text: value.as_bytes().to_vec(),
        ..attribute(name, 3)
    }
}

pub(super) fn floats(name: &str, values: Vec<f32>) -> Attribute {
    Attribute {
        floats: values,
        ..attribute(name, 6)
    }
}

pub(super) fn ints(name: &str, values: Vec<i64>) -> Attribute {
    Attribute {
        ints: values,
        ..attribute(name, 7)
    }
}

pub(super) fn texts(name: &str, values: Vec<Vec<u8>>) -> Attribute {
    Attribute {
        texts: values,
        ..attribute(name, 8)
    }
}
