//! One LSTM layer over a whole sequence (Hochreiter and Schmidhuber 1997, as PyTorch computes it).
//!
//! This is the seam behind which a fused kernel may replace the composed form: nothing outside
//! calls anything but [`LstmLayer::forward`].

use crate::random::WeightSource;
use burn::module::{Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

/// Weights of one layer and direction. Gates lie side by side in the order i, f, g, o.
#[derive(Module, Debug)]
pub(crate) struct LstmLayer {
    /// `[input, 4 × hidden]`
    pub(crate) weight_input: Param<Tensor<2>>,
    /// `[hidden, 4 × hidden]`
    pub(crate) weight_hidden: Param<Tensor<2>>,
    /// `[4 × hidden]`; PyTorch keeps two biases, and so do we, for interchange.
    pub(crate) bias_input: Param<Tensor<1>>,
    /// `[4 × hidden]`
    pub(crate) bias_hidden: Param<Tensor<1>>,
}

impl LstmLayer {
    /// Xavier weights per PyTorch's matrix shapes, zero biases.
    pub(crate) fn new(
        input: usize,
        hidden: usize,
        random: &mut WeightSource,
        device: &Device,
    ) -> Self {
        let gates = 4 * hidden;
        let mut matrix = |rows: usize| {
            let values = random.xavier(rows * gates, rows, gates);
            Param::from_tensor(Tensor::from_data(
                TensorData::new(values, [rows, gates]),
                device,
            ))
        };
        Self {
            weight_input: matrix(input),
            weight_hidden: matrix(hidden),
            bias_input: Param::from_tensor(Tensor::zeros([gates], device)),
            bias_hidden: Param::from_tensor(Tensor::zeros([gates], device)),
        }
    }

    /// Runs over a sequence from zero state.
    ///
    /// # Shapes
    ///
    /// - `sequence`: `[days, batch, input]`
    /// - returned: `[days, batch, hidden]`, the state after each day
    ///
    /// With `reverse` the days are read from last to first; the output stays in the order of days.
    pub(crate) fn forward(&self, sequence: Tensor<3>, reverse: bool) -> Tensor<3> {
        let [days, batch, input] = sequence.dims();
        let weight_hidden = self.weight_hidden.val();
        let [hidden, gates] = weight_hidden.dims();
        // All input projections as one product; only the recurrence has to go day by day.
        let projected = sequence
            .reshape([days * batch, input])
            .matmul(self.weight_input.val())
            + (self.bias_input.val() + self.bias_hidden.val()).unsqueeze::<2>();
        let projected = projected.reshape([days, batch, gates]);

        let mut state: Option<(Tensor<2>, Tensor<2>)> = None;
        let mut outputs = Vec::with_capacity(days);
        for step in 0..days {
            let day = if reverse { days - 1 - step } else { step };
            let mut gates_of_day = projected.clone().narrow(0, day, 1).reshape([batch, gates]);
            if let Some((output, _)) = &state {
                gates_of_day = gates_of_day + output.clone().matmul(weight_hidden.clone());
            }
            let gate = |index: usize| gates_of_day.clone().narrow(1, index * hidden, hidden);
            let candidate = sigmoid(gate(0)) * gate(2).tanh();
            let cell = match state {
                Some((_, cell)) => sigmoid(gate(1)) * cell + candidate,
                None => candidate,
            };
            let output = sigmoid(gate(3)) * cell.clone().tanh();
            outputs.push(output.clone());
            state = Some((output, cell));
        }
        if reverse {
            outputs.reverse();
        }
        Tensor::stack(outputs, 0)
    }
}
