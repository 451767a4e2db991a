//! Each instruction set that this machine has against the others.

use super::{Chunks, Gradients, Packed, Scratch, Shape, backward, forward, forward_and_save};
use crate::instruction_set::InstructionSet;
use crate::random::WeightSource;

/// Days, batch, input, hidden: with full and with part panels, tiles and chunks of every size.
const SIZES: [[usize; 4]; 8] = [
    [1, 1, 1, 1],
    [5, 1, 3, 40],
    [5, 2, 3, 7],
    [4, 3, 9, 64],
    [9, 33, 17, 33],
    [6, 16, 5, 64],
    [2, 59, 70, 65],
    [31, 4, 2, 16],
];

/// A layer, its input, and gradients of its output.
struct Case {
    shape: Shape,
    sequence: Vec<f32>,
    weights: [Vec<f32>; 3],
    output: Vec<f32>,
}

impl Case {
    fn new([days, batch, input, hidden]: [usize; 4]) -> Self {
        let mut random = WeightSource::new(3);
        let mut numbers = |count: usize| random.xavier(count, 3, 3);
        let (sequence, output) = (
            numbers(days * batch * input),
            numbers(days * batch * hidden),
        );
        let weights = [input, hidden, 1].map(|rows| numbers(rows * 4 * hidden));
        Self {
            shape: Shape {
                days,
                batch,
                input,
                hidden,
            },
            sequence,
            weights,
            output,
        }
    }

    fn packed(&self, set: InstructionSet) -> Packed {
        let [input, hidden, bias] = &self.weights;
        Packed::new(set, self.shape, input, hidden, bias)
    }

    /// The output, and the gradients of the sequence, both weights and the bias.
    fn computed(&self, set: InstructionSet, reverse: bool) -> [Vec<f32>; 5] {
        let packed = self.packed(set);
        let (mut saved, mut output) = (Vec::new(), Vec::new());
        let (shape, sequence) = (self.shape, &self.sequence);
        let weights = (&self.weights[0][..], &self.weights[1][..]);
        let zeros = |values: &[f32]| vec![0.0; values.len()];
        let mut gradient = zeros(sequence);
        let [mut input, mut hidden, mut bias] = self.weights.each_ref().map(|of| zeros(of));
        let mut scratch = Scratch::default();
        // Twice with the same memory: nothing is left of the pass before.
        for _ in 0..2 {
            forward_and_save(shape, sequence, &packed, reverse, &mut saved, &mut output);
            backward(
                set,
                shape,
                sequence,
                weights,
                &mut saved,
                reverse,
                &self.output,
                &mut scratch,
                Gradients {
                    sequence: Some(&mut gradient),
                    input: &mut input,
                    hidden: &mut hidden,
                    bias: &mut bias,
                },
            );
        }
        [output, gradient, input, hidden, bias]
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(work)
}

#[test]
fn every_instruction_set_computes_the_same() {
    for (sizes, reverse) in SIZES.into_iter().zip([false, true].into_iter().cycle()) {
        let case = Case::new(sizes);
        let expected = case.computed(InstructionSet::Scalar, reverse);
        for set in InstructionSet::available() {
            let found = case.computed(set, reverse);
            for (part, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found.len(), expected.len());
                // A sum of many terms is as exact as its largest ones.
                let scale = expected
                    .iter()
                    .fold(1.0_f32, |most, value| most.max(value.abs()));
                for (found, expected) in found.iter().zip(expected) {
                    assert!(
                        (found - expected).abs() <= 1e-5 * scale,
                        "{set}, {sizes:?}, part {part}: {found} {expected}, scale {scale}"
                    );
                }
            }
        }
    }
}

#[test]
fn threads_change_no_bit_on_any_instruction_set() {
    for (sizes, reverse) in SIZES.into_iter().zip([true, false].into_iter().cycle()) {
        let case = Case::new(sizes);
        for set in InstructionSet::available() {
            let with = |threads| {
                on_threads(threads, || case.computed(set, reverse)).map(|values| bits(&values))
            };
            let one = with(1);
            for threads in [2, 3] {
                assert_eq!(one, with(threads), "{set}, {sizes:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn forecasting_gives_the_bits_of_training_and_of_each_row_alone() {
    for (sizes, reverse) in SIZES.into_iter().zip([false, true].into_iter().cycle()) {
        let case = Case::new(sizes);
        let shape = case.shape;
        for set in InstructionSet::available() {
            let packed = case.packed(set);
            let together = forward(shape, &case.sequence, &packed, reverse);
            let mut saving = Vec::new();
            let sequence = &case.sequence;
            forward_and_save(
                shape,
                sequence,
                &packed,
                reverse,
                &mut Vec::new(),
                &mut saving,
            );
            assert_eq!(bits(&together), bits(&saving), "{set}, {sizes:?}");
            for row in [0, shape.batch / 2, shape.batch - 1] {
                let of_row = |values: &[f32], width: usize| -> Vec<f32> {
                    let days = values.chunks_exact(shape.batch * width);
                    days.flat_map(|day| day[row * width..][..width].to_vec())
                        .collect()
                };
                let one = Shape { batch: 1, ..shape };
                let sequence = of_row(&case.sequence, shape.input);
                let alone = forward(one, &sequence, &packed, reverse);
                let among = of_row(&together, shape.hidden);
                assert_eq!(bits(&alone), bits(&among), "{set}, {sizes:?}, row {row}");
            }
        }
    }
}

#[test]
fn chunks_hold_every_row_once_and_are_as_many_for_each_thread() {
    for batch in 1..200 {
        for threads in 1..20 {
            let chunks = Chunks::new(batch, threads);
            let mut next = 0;
            for chunk in 0..chunks.count {
                let rows = chunks.rows(chunk);
                assert_eq!(rows.start, next);
                assert!(!rows.is_empty() && rows.len() <= Chunks::MOST);
                next = rows.end;
            }
            assert_eq!(next, batch);
            let enough = batch >= threads * Chunks::FEWEST;
            assert!(
                !enough || chunks.count.is_multiple_of(threads),
                "{batch} {threads}"
            );
        }
    }
}
