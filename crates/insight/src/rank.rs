//! Ranks, with the mean rank where values are equal.

/// The rank of every value, 1 for the smallest; equal values share the mean of their ranks.
///
/// Values must be finite.
pub fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|left, right| values[*left] == values[*right]) {
        // Ranks start + 1 to start + length.
        let mean = start as f64 + f64::midpoint(group.len() as f64, 1.0);
        for place in group {
            ranks[*place] = mean;
        }
        start += group.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(
            midranks(&[3.0, 1.0, 3.0, 2.0, 3.0]),
            [4.0, 1.0, 4.0, 2.0, 4.0]
        );
    }

    #[test]
    fn both_zeros_are_equal() {
        assert_eq!(midranks(&[0.0, -0.0, 1.0]), [1.5, 1.5, 3.0]);
    }
}
