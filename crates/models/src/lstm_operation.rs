//! One LSTM layer over a whole sequence as one operation of burn's CPU backend, with a backward pass
//! of its own, so that a layer costs one node of the graph instead of a dozen for each day.

use crate::lstm_kernel::{Packed, Saved, Shape, backward, forward, forward_and_save};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, DispatchDevice, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{Device, Tensor, TensorData};

/// Whether a device has the operation; on others the composed form computes the same.
pub(crate) fn is_available(device: &Device) -> bool {
    match device.as_dispatch() {
        DispatchDevice::Flex(_) => true,
        DispatchDevice::Autodiff(inner) => matches!(**inner, DispatchDevice::Flex(_)),
        #[expect(
            unreachable_patterns,
            reason = "other devices come with cargo features"
        )]
        _ => false,
    }
}

/// Runs a layer over a sequence from zero state, on a device where it [`is_available`].
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

#[backend_extension(Flex, Autodiff)]
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
        let layer = Layer::new(sequence, weight_input, weight_hidden, reverse);
        let packed = layer.packed(&bias);
        let states = forward(layer.shape, slice(&layer.sequence), &packed, reverse);
        tensor(
            states,
            [layer.shape.days, layer.shape.batch, layer.shape.hidden],
        )
    }
}

impl<C: CheckpointStrategy> LstmOperation for Autodiff<Flex, C> {
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
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::lstm_sequence(
                sequence,
                weight_input,
                weight_hidden,
                bias,
                reverse,
            )),
            OpsKind::Tracked(prepared) => {
                let layer = Layer::new(sequence, weight_input, weight_hidden, reverse);
                let packed = layer.packed(&bias);
                let (states, saved) =
                    forward_and_save(layer.shape, slice(&layer.sequence), &packed, reverse);
                let shape = [layer.shape.days, layer.shape.batch, layer.shape.hidden];
                prepared.finish(Kept { layer, saved }, tensor(states, shape))
            }
        }
    }
}

/// What a layer read.
#[derive(Debug, Clone)]
struct Layer {
    shape: Shape,
    reverse: bool,
    sequence: FlexTensor,
    weight_input: FlexTensor,
    weight_hidden: FlexTensor,
}

impl Layer {
    fn new(
        sequence: FlexTensor,
        weight_input: FlexTensor,
        weight_hidden: FlexTensor,
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
            sequence: sequence.to_contiguous(),
            weight_input: weight_input.to_contiguous(),
            weight_hidden: weight_hidden.to_contiguous(),
        }
    }

    fn packed(&self, bias: &FlexTensor) -> Packed {
        Packed::new(
            self.shape,
            slice(&self.weight_input),
            slice(&self.weight_hidden),
            slice(&bias.to_contiguous()),
        )
    }
}

/// Kept from the forward pass to the backward pass.
#[derive(Debug, Clone)]
struct Kept {
    layer: Layer,
    saved: Vec<Saved>,
}

#[derive(Debug)]
struct LstmBackward;

impl Backward<Flex, 4> for LstmBackward {
    type State = Kept;

    fn backward(
        self,
        operation: Ops<Kept, 4>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let Kept { layer, saved } = operation.state;
        let Layer {
            shape,
            reverse,
            sequence,
            weight_input,
            weight_hidden,
        } = layer;
        let output = gradients.consume::<Flex>(&operation.node).to_contiguous();
        let [sequence_node, input_node, hidden_node, bias_node] = operation.parents;
        let found = backward(
            shape,
            slice(&sequence),
            (slice(&weight_input), slice(&weight_hidden)),
            saved,
            reverse,
            slice(&output),
            sequence_node.is_some(),
        );
        let gates = 4 * shape.hidden;
        if let (Some(node), Some(values)) = (sequence_node, found.sequence) {
            let gradient = tensor(values, [shape.days, shape.batch, shape.input]);
            gradients.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = input_node {
            gradients.register::<Flex>(node.id, tensor(found.input, [shape.input, gates]));
        }
        if let Some(node) = hidden_node {
            gradients.register::<Flex>(node.id, tensor(found.hidden, [shape.hidden, gates]));
        }
        if let Some(node) = bias_node {
            gradients.register::<Flex>(node.id, tensor(found.bias, [gates]));
        }
    }
}

/// The numbers of a contiguous tensor.
fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice()
        .expect("networks compute in f32, and the tensor is contiguous")
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
