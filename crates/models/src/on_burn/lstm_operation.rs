//! One LSTM layer over a whole sequence as one operation of burn's CPU backends, with a backward pass
//! of its own, so that a layer costs one node of the graph instead of a dozen for each day.

#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "burn prefers flex to ndarray; people still ask for it"
    )
)]

use crate::instruction_set::InstructionSet;
use crate::lstm_kernel::{
    Gradients as LayerGradients, Packed, Saved, Scratch, Shape, backward, forward, forward_and_save,
};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
#[cfg(feature = "ndarray")]
use burn::backend::{NdArray, ndarray::NdArrayTensor};
use burn::tensor::{Tensor, TensorData};

/// Runs a layer over a sequence from zero state, on a CPU.
///
/// # Shapes
///
/// - `sequence`: `[days, batch, input]`
/// - `weight_input`: `[input, 4 × hidden]`, `weight_hidden`: `[hidden, 4 × hidden]`,
///   `bias`: `[4 × hidden]`, gates in the order i, f, g, o
/// - returned: `[days, batch, hidden]`
pub(crate) fn lstm_sequence(
    sequence: Tensor<3>,
    weight_input: Tensor<2>,
    weight_hidden: Tensor<2>,
    bias: Tensor<1>,
    reverse: bool,
) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as LstmOperation>::lstm_sequence(
        sequence.into_dispatch(),
        weight_input.into_dispatch(),
        weight_hidden.into_dispatch(),
        bias.into_dispatch(),
        reverse,
    ))
}

#[backend_extension(Flex, NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait LstmOperation: Backend {
    /// See [`lstm_sequence`].
    fn lstm_sequence(
        sequence: FloatTensor<Self>,
        weight_input: FloatTensor<Self>,
        weight_hidden: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        reverse: bool,
    ) -> FloatTensor<Self>;
}

impl LstmOperation for Flex {
    fn lstm_sequence(
        sequence: FlexTensor,
        weight_input: FlexTensor,
        weight_hidden: FlexTensor,
        bias: FlexTensor,
        reverse: bool,
    ) -> FlexTensor {
        run::<Self>(sequence, weight_input, weight_hidden, bias, reverse)
    }
}

#[cfg(feature = "ndarray")]
impl LstmOperation for NdArray {
    fn lstm_sequence(
        sequence: NdArrayTensor,
        weight_input: NdArrayTensor,
        weight_hidden: NdArrayTensor,
        bias: NdArrayTensor,
        reverse: bool,
    ) -> NdArrayTensor {
        run::<Self>(sequence, weight_input, weight_hidden, bias, reverse)
    }
}

/// Without gradients.
fn run<B: OnCpu>(
    sequence: FloatTensor<B>,
    weight_input: FloatTensor<B>,
    weight_hidden: FloatTensor<B>,
    bias: FloatTensor<B>,
    reverse: bool,
) -> FloatTensor<B> {
    let layer = Layer::<B>::new(sequence, weight_input, weight_hidden, reverse);
    let packed = layer.packed(bias);
    let states = forward(layer.shape, B::numbers(&layer.sequence), &packed, reverse);
    let Shape {
        days,
        batch,
        hidden,
        ..
    } = layer.shape;
    B::tensor(states, [days, batch, hidden])
}

impl<B: OnCpu, C: CheckpointStrategy> LstmOperation for Autodiff<B, C> {
    fn lstm_sequence(
        sequence: FloatTensor<Self>,
        weight_input: FloatTensor<Self>,
        weight_hidden: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        reverse: bool,
    ) -> FloatTensor<Self> {
        let (sequence, sequence_node) = sequence.into_parts();
        let (weight_input, weight_input_node) = weight_input.into_parts();
        let (weight_hidden, weight_hidden_node) = weight_hidden.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let nodes = [
            sequence_node,
            weight_input_node,
            weight_hidden_node,
            bias_node,
        ];
        match LstmBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(run::<B>(
                sequence,
                weight_input,
                weight_hidden,
                bias,
                reverse,
            )),
            OpsKind::Tracked(prepared) => {
                let layer = Layer::<B>::new(sequence, weight_input, weight_hidden, reverse);
                let packed = layer.packed(bias);
                let sequence = B::numbers(&layer.sequence);
                let (mut saved, mut states) = (Vec::new(), Vec::new());
                let shape = layer.shape;
                forward_and_save(shape, sequence, &packed, reverse, &mut saved, &mut states);
                let shape = [layer.shape.days, layer.shape.batch, layer.shape.hidden];
                prepared.finish(Kept { layer, saved }, B::tensor(states, shape))
            }
        }
    }
}

/// What a layer read.
#[derive(Debug, Clone)]
struct Layer<B: OnCpu> {
    shape: Shape,
    reverse: bool,
    sequence: FloatTensor<B>,
    weight_input: FloatTensor<B>,
    weight_hidden: FloatTensor<B>,
}

impl<B: OnCpu> Layer<B> {
    fn new(
        sequence: FloatTensor<B>,
        weight_input: FloatTensor<B>,
        weight_hidden: FloatTensor<B>,
        reverse: bool,
    ) -> Self {
        let [days, batch, input] = sequence.shape().dims();
        let [hidden, gates] = weight_hidden.shape().dims();
        assert_eq!(gates, 4 * hidden, "four gates for each hidden unit");
        assert_eq!(weight_input.shape().dims(), [input, gates], "input weights");
        Self {
            shape: Shape {
                days,
                batch,
                input,
                hidden,
            },
            reverse,
            sequence: B::contiguous(sequence),
            weight_input: B::contiguous(weight_input),
            weight_hidden: B::contiguous(weight_hidden),
        }
    }

    fn packed(&self, bias: FloatTensor<B>) -> Packed {
        Packed::new(
            InstructionSet::of_networks(),
            self.shape,
            B::numbers(&self.weight_input),
            B::numbers(&self.weight_hidden),
            B::numbers(&B::contiguous(bias)),
        )
    }
}

/// Kept from the forward pass to the backward pass.
#[derive(Debug, Clone)]
struct Kept<B: OnCpu> {
    layer: Layer<B>,
    saved: Vec<Saved>,
}

#[derive(Debug)]
struct LstmBackward;

impl<B: OnCpu> Backward<B, 4> for LstmBackward {
    type State = Kept<B>;

    fn backward(
        self,
        operation: Ops<Kept<B>, 4>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let Kept { layer, mut saved } = operation.state;
        let Layer {
            shape,
            reverse,
            sequence,
            weight_input,
            weight_hidden,
        } = layer;
        let output = B::contiguous(gradients.consume::<B>(&operation.node));
        let [sequence_node, input_node, hidden_node, bias_node] = operation.parents;
        let gates = 4 * shape.hidden;
        let mut of_sequence = sequence_node
            .is_some()
            .then(|| vec![0.0; shape.days * shape.batch * shape.input]);
        let mut input = vec![0.0; shape.input * gates];
        let mut hidden = vec![0.0; shape.hidden * gates];
        let mut bias = vec![0.0; gates];
        backward(
            InstructionSet::of_networks(),
            shape,
            B::numbers(&sequence),
            (B::numbers(&weight_input), B::numbers(&weight_hidden)),
            &mut saved,
            reverse,
            B::numbers(&output),
            &mut Scratch::default(),
            LayerGradients {
                sequence: of_sequence.as_deref_mut(),
                input: &mut input,
                hidden: &mut hidden,
                bias: &mut bias,
            },
        );
        if let (Some(node), Some(values)) = (sequence_node, of_sequence) {
            let gradient = B::tensor(values, [shape.days, shape.batch, shape.input]);
            gradients.register::<B>(node.id, gradient);
        }
        if let Some(node) = input_node {
            gradients.register::<B>(node.id, B::tensor(input, [shape.input, gates]));
        }
        if let Some(node) = hidden_node {
            gradients.register::<B>(node.id, B::tensor(hidden, [shape.hidden, gates]));
        }
        if let Some(node) = bias_node {
            gradients.register::<B>(node.id, B::tensor(bias, [gates]));
        }
    }
}

/// A backend whose tensors lie in this process's memory as plain numbers.
trait OnCpu: Backend {
    /// The same tensor, row after row in memory.
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self>;
    /// The numbers of a contiguous tensor.
    fn numbers(tensor: &FloatTensor<Self>) -> &[f32];
    /// A tensor of numbers, row after row.
    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FloatTensor<Self>;
}

impl OnCpu for Flex {
    fn contiguous(tensor: FlexTensor) -> FlexTensor {
        tensor.to_contiguous()
    }

    fn numbers(tensor: &FlexTensor) -> &[f32] {
        tensor
            .as_slice()
            .expect("networks compute in f32, and the tensor is contiguous")
    }

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(values, shape))
    }
}

#[cfg(feature = "ndarray")]
impl OnCpu for NdArray {
    fn contiguous(tensor: NdArrayTensor) -> NdArrayTensor {
        let NdArrayTensor::F32(values) = tensor else {
            unreachable!("networks compute in f32")
        };
        let values = values.into_shared();
        values
            .as_standard_layout()
            .into_owned()
            .into_shared()
            .into()
    }

    fn numbers(tensor: &NdArrayTensor) -> &[f32] {
        let NdArrayTensor::F32(values) = tensor else {
            unreachable!("networks compute in f32")
        };
        values.view().to_slice().expect("the tensor is contiguous")
    }

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> NdArrayTensor {
        NdArrayTensor::from_data(TensorData::new(values, shape))
    }
}
