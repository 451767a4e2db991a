//! Products of small matrices, row by row in memory, and the sums of their columns.
//!
//! What is added to a number is added in one order and rounded one by one, whatever the instruction set,
//! the number of threads, and the other rows.

use crate::instruction_set::InstructionSet;
use rayon::prelude::*;

/// Multiplications from which on it pays to use more than one thread.
const MANY: usize = 1 << 19;

/// Adds `[rows, depth]` × `[depth, columns]` to `[rows, columns]`.
pub(crate) fn add_product(left: &[f32], right: &[f32], depth: usize, to: &mut [f32]) {
    let columns = right.len() / depth;
    let rows = to.len() / columns;
    assert_eq!(left.len(), rows * depth, "rows of the left matrix");
    let threads = rayon::current_num_threads();
    if threads == 1 || rows * depth * columns < MANY {
        add_rows(left, right, depth, to);
        return;
    }
    let share = rows.div_ceil(threads);
    left.par_chunks(share * depth)
        .zip(to.par_chunks_mut(share * columns))
        .for_each(|(left, to)| add_rows(left, right, depth, to));
}

fn add_rows(left: &[f32], right: &[f32], depth: usize, to: &mut [f32]) {
    let columns = right.len() / depth;
    InstructionSet::of_networks().dispatch(|| {
        for (row, sums) in left.chunks_exact(depth).zip(to.chunks_exact_mut(columns)) {
            add_row(row, right, sums);
        }
    });
}

/// Four of the depth at once: each sum is read and written once for them.
#[expect(
    clippy::inline_always,
    reason = "inlined into the function compiled for an instruction set"
)]
#[inline(always)]
fn add_row(row: &[f32], right: &[f32], sums: &mut [f32]) {
    let columns = sums.len();
    let (fours, rest) = row.as_chunks::<4>();
    let (of_fours, of_rest) = right.split_at(4 * fours.len() * columns);
    for (values, right) in fours.iter().zip(of_fours.chunks_exact(4 * columns)) {
        let (first, right) = right.split_at(columns);
        let (second, right) = right.split_at(columns);
        let (third, fourth) = right.split_at(columns);
        for (place, sum) in sums.iter_mut().enumerate() {
            *sum = *sum
                + values[0] * first[place]
                + values[1] * second[place]
                + values[2] * third[place]
                + values[3] * fourth[place];
        }
    }
    for (value, right) in rest.iter().zip(of_rest.chunks_exact(columns)) {
        for (sum, right) in sums.iter_mut().zip(right) {
            *sum += value * right;
        }
    }
}

/// `[rows, columns]` as `[columns, rows]`, in the place of what was there.
pub(crate) fn transpose_into(values: &[f32], columns: usize, to: &mut Vec<f32>) {
    let rows = values.len() / columns;
    to.resize(values.len(), 0.0);
    for (column, to) in to.chunks_exact_mut(rows).enumerate() {
        for (to, from) in to.iter_mut().zip(values[column..].iter().step_by(columns)) {
            *to = *from;
        }
    }
}

/// Adds the sum of each column of `[rows, columns]`.
pub(crate) fn add_column_sums(values: &[f32], to: &mut [f32]) {
    for row in values.chunks_exact(to.len()) {
        for (to, value) in to.iter_mut().zip(row) {
            *to += value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::WeightSource;

    #[test]
    fn a_product_is_the_sum_of_products_in_order_on_any_number_of_threads() {
        // The last is large enough for several threads.
        for (rows, depth, columns) in [(1, 1, 1), (3, 2, 5), (7, 9, 1), (2, 4, 8), (97, 130, 47)] {
            let mut random = WeightSource::new(4);
            let left = random.xavier(rows * depth, 3, 3);
            let right = random.xavier(depth * columns, 3, 3);
            let begun = random.xavier(rows * columns, 3, 3);
            let mut expected = begun.clone();
            for row in 0..rows {
                for k in 0..depth {
                    for column in 0..columns {
                        expected[row * columns + column] +=
                            left[row * depth + k] * right[k * columns + column];
                    }
                }
            }
            for threads in [1, 2, 3] {
                let mut found = begun.clone();
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let product = || add_product(&left, &right, depth, &mut found);
                pool.unwrap().install(product);
                assert!(
                    found == expected,
                    "{rows} {depth} {columns}, {threads} threads"
                );
            }
        }
    }

    #[test]
    fn columns_become_rows_and_are_added_up() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut turned = vec![9.0; 2];
        transpose_into(&values, 3, &mut turned);
        assert_eq!(turned, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let mut sums = [10.0, 0.0, 0.0];
        add_column_sums(&values, &mut sums);
        assert_eq!(sums, [15.0, 7.0, 9.0]);
    }
}
