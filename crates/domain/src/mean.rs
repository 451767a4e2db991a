//! The one average of this project.

/// Arithmetic mean; `None` of nothing.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0_usize), |(sum, count), value| {
            (sum + value, count + 1)
        });
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_by_hand_and_none_of_nothing() {
        assert_eq!(mean([58.0, 61.0, 62.5]), Some(60.5));
        assert_eq!(mean([]), None);
    }
}
