//! One LSTM layer over a whole sequence (Hochreiter and Schmidhuber 1997, as PyTorch computes it).
//!
//! Nothing outside calls anything but [`LstmLayer::forward`], which takes the fused operation where
//! the device has one and the form composed of the backend's operations elsewhere.

use super::lstm_operation;
use crate::device::is_cpu;
use burn::module::{Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

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
    /// All weights zero.
    pub(crate) fn new(input: usize, hidden: usize, device: &Device) -> Self {
        let gates = 4 * hidden;
        Self {
            weight_input: Param::from_tensor(Tensor::zeros([input, gates], device)),
            weight_hidden: Param::from_tensor(Tensor::zeros([hidden, gates], device)),
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
        if !is_cpu(&sequence.device()) {
            return self.composed(sequence, reverse);
        }
        lstm_operation::lstm_sequence(
            sequence,
            self.weight_input.val(),
            self.weight_hidden.val(),
            self.bias_input.val() + self.bias_hidden.val(),
            reverse,
        )
    }

    /// The same from the backend's own operations.
    pub(crate) fn composed(&self, sequence: Tensor<3>, reverse: bool) -> Tensor<3> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::WeightSource;
    use burn::tensor::TensorData;
    use proptest::prelude::*;

    /// Sizes of a layer and its input: days, batch, input, hidden.
    type Sizes = (usize, usize, usize, usize);

    /// A layer with drawn weights and zero biases.
    fn drawn(input: usize, hidden: usize, random: &mut WeightSource, device: &Device) -> LstmLayer {
        let gates = 4 * hidden;
        let mut matrix = |rows: usize| {
            let values = TensorData::new(random.xavier(rows * gates, rows, gates), [rows, gates]);
            Param::from_tensor(Tensor::from_data(values, device))
        };
        LstmLayer {
            weight_input: matrix(input),
            weight_hidden: matrix(hidden),
            ..LstmLayer::new(input, hidden, device)
        }
    }

    /// Outputs and gradients: of the sequence, the weights, the bias.
    fn computed(
        sizes: Sizes,
        reverse: bool,
        run: impl Fn(&LstmLayer, Tensor<3>, bool) -> Tensor<3>,
    ) -> Vec<Vec<f32>> {
        let (days, batch, input, hidden) = sizes;
        let device = Device::flex().autodiff();
        let mut random = WeightSource::new(5);
        let layer = drawn(input, hidden, &mut random, &device);
        let mut numbers = |count: usize| random.xavier(count, 3, 3);
        let sequence = numbers(days * batch * input);
        let bias = numbers(4 * hidden);
        let weights = numbers(days * batch * hidden);
        let layer = LstmLayer {
            bias_input: Param::from_tensor(Tensor::from_data(
                TensorData::new(bias, [4 * hidden]),
                &device,
            )),
            ..layer
        };
        let sequence =
            Tensor::<3>::from_data(TensorData::new(sequence, [days, batch, input]), &device)
                .require_grad();
        let weights = TensorData::new(weights, [days, batch, hidden]);
        let output = run(&layer, sequence.clone(), reverse);
        let values = |data: TensorData| data.try_to_vec::<f32>().unwrap();
        let mut all = vec![values(output.clone().into_data())];
        let loss = (output * Tensor::from_data(weights, &device)).sum();
        let gradients = loss.backward();
        all.push(values(sequence.grad(&gradients).unwrap().into_data()));
        for weight in [&layer.weight_input, &layer.weight_hidden] {
            // On one day the composed form never reads the hidden weights.
            let gradient = weight.val().grad(&gradients);
            all.push(gradient.map_or_else(
                || vec![0.0; hidden * 4 * hidden],
                |gradient| values(gradient.into_data()),
            ));
        }
        for bias in [&layer.bias_input, &layer.bias_hidden] {
            all.push(values(bias.val().grad(&gradients).unwrap().into_data()));
        }
        all
    }

    fn fused(sizes: Sizes, reverse: bool) -> Vec<Vec<f32>> {
        assert!(is_cpu(&Device::flex().autodiff()));
        computed(sizes, reverse, LstmLayer::forward)
    }

    fn bits(values: &[Vec<f32>]) -> Vec<Vec<u32>> {
        let of = |values: &Vec<f32>| values.iter().map(|value| value.to_bits()).collect();
        values.iter().map(of).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_fused_and_the_composed_form_agree(
            days in prop::sample::select(vec![1, 2, 5, 61]),
            batch in prop::sample::select(vec![1, 2, 3, 8, 9, 33]),
            input in prop::sample::select(vec![1, 3, 7, 17, 70]),
            hidden in prop::sample::select(vec![1, 7, 16, 33, 64, 65]),
            reverse in any::<bool>(),
        ) {
            let sizes = (days, batch, input, hidden);
            let composed = computed(sizes, reverse, LstmLayer::composed);
            for (place, (fused, composed)) in fused(sizes, reverse).iter().zip(&composed).enumerate() {
                prop_assert_eq!(fused.len(), composed.len());
                // A sum of many terms is as exact as its largest ones.
                let scale = composed.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
                for (fused, composed) in fused.iter().zip(composed) {
                    prop_assert!(
                        (fused - composed).abs() <= 1e-5 * scale,
                        "{place}: {fused} {composed}, scale {scale}"
                    );
                }
            }
        }
    }

    #[test]
    fn threads_change_no_bit() {
        for (sizes, reverse) in [((6, 33, 5, 20), false), ((4, 17, 9, 40), true)] {
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                bits(&pool.unwrap().install(|| fused(sizes, reverse)))
            };
            let one = with(1);
            assert_eq!(one, with(2));
            assert_eq!(one, with(3));
        }
    }

    #[test]
    fn a_row_is_the_same_alone_and_among_others() {
        let (days, input, hidden) = (9, 6, 24);
        let device = Device::flex();
        let mut random = WeightSource::new(2);
        let layer = drawn(input, hidden, &mut random, &device);
        let sequence = random.xavier(days * 21 * input, 3, 3);
        let all = Tensor::<3>::from_data(TensorData::new(sequence, [days, 21, input]), &device);
        let together = layer.forward(all.clone(), false);
        for row in [0, 4, 7, 8, 20] {
            let alone = layer.forward(all.clone().narrow(1, row, 1), false);
            let among = together.clone().narrow(1, row, 1);
            assert_eq!(
                alone.into_data().try_to_vec::<f32>().unwrap(),
                among.into_data().try_to_vec::<f32>().unwrap(),
                "row {row}"
            );
        }
    }
}
