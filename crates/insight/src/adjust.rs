//! Adjustment of p values for multiple tests.

use crate::error::InsightError;

/// p values adjusted for their number (Y. Benjamini and Y. Hochberg 1995): calling those of at most
/// q findings keeps the expected share of false ones among them to q; when nothing is to be found,
/// so does the chance of calling anything. In the order given.
///
/// # Errors
///
/// [`InsightError::NotAProbability`].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, InsightError> {
    if let Some(place) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(InsightError::NotAProbability(place));
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*left].total_cmp(&p_values[*right]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, place) in order.into_iter().enumerate().rev() {
        let share = p_values.len() as f64 / (rank + 1) as f64;
        smallest = smallest.min(p_values[place] * share);
        adjusted[place] = smallest;
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let adjusted = benjamini_hochberg(&[0.04, 0.01, 0.03, 0.5]).unwrap();
        let by_hand = [0.16 / 3.0, 0.04, 0.16 / 3.0, 0.5];
        for (ours, theirs) in adjusted.iter().zip(by_hand) {
            assert!((ours - theirs).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(benjamini_hochberg(&[]), Ok(vec![]));
    }

    #[test]
    fn what_is_no_probability_is_named() {
        assert_eq!(
            benjamini_hochberg(&[0.5, f64::NAN]),
            Err(InsightError::NotAProbability(1))
        );
    }
}
