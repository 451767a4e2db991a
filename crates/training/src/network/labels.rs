//! Windows with labels; labels can be missing.

use super::error::FitError;
use vitalcast_models::Windows;

/// Windows and their labels, in standardised units. A label can be missing: it is not imputed, and the
/// loss ignores it.
#[derive(Debug, Clone)]
pub struct LabelledWindows {
    pub(super) windows: Windows,
    outputs: usize,
    /// `[windows × outputs]`
    labels: Vec<Option<f32>>,
}

impl LabelledWindows {
    /// Combines windows with one label each.
    ///
    /// # Errors
    ///
    /// [`FitError::Labels`], [`FitError::LabelNotFinite`].
    pub fn new(windows: Windows, labels: Vec<f32>) -> Result<Self, FitError> {
        Self::with_missing(windows, 1, labels.into_iter().map(Some).collect())
    }

    /// Puts `outputs` labels beside each window: those of the first window, of the second, and so
    /// on. Every output needs at least one.
    ///
    /// # Errors
    ///
    /// [`FitError::Labels`], [`FitError::LabelNotFinite`], [`FitError::Unlabelled`].
    pub fn with_missing(
        windows: Windows,
        outputs: usize,
        labels: Vec<Option<f32>>,
    ) -> Result<Self, FitError> {
        if outputs == 0 || Some(labels.len()) != windows.count().checked_mul(outputs) {
            return Err(FitError::Labels {
                labels: labels.len(),
                windows: windows.count(),
                outputs,
            });
        }
        let infinite = |label: &Option<f32>| label.is_some_and(|label| !label.is_finite());
        if let Some(index) = labels.iter().position(infinite) {
            return Err(FitError::LabelNotFinite(index));
        }
        let unlabelled = |output: &usize| {
            labels[*output..]
                .iter()
                .step_by(outputs)
                .all(Option::is_none)
        };
        if let Some(output) = (0..outputs).find(unlabelled) {
            return Err(FitError::Unlabelled(output));
        }
        Ok(Self {
            windows,
            outputs,
            labels,
        })
    }

    /// The windows of many people after one another, for one network.
    ///
    /// # Errors
    ///
    /// [`FitError::Outputs`] for another number of labels than the first part's, and what
    /// [`Windows::concat`] refuses.
    pub fn concat(parts: &[&Self]) -> Result<Self, FitError> {
        let windows: Vec<&Windows> = parts.iter().map(|part| &part.windows).collect();
        let windows = Windows::concat(&windows)?;
        let outputs = parts.first().map_or(0, |part| part.outputs);
        if let Some(other) = parts.iter().find(|part| part.outputs != outputs) {
            return Err(FitError::Outputs {
                expected: outputs,
                found: other.outputs,
            });
        }
        let labels = parts.iter().flat_map(|part| part.labels.iter().copied());
        Self::with_missing(windows, outputs, labels.collect())
    }

    /// The windows.
    pub(crate) fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The labels of one output, window by window.
    pub(crate) fn of_output(&self, output: usize) -> impl Iterator<Item = Option<f32>> {
        self.labels[output..].iter().step_by(self.outputs).copied()
    }

    /// Number of windows.
    pub fn count(&self) -> usize {
        self.windows.count()
    }

    /// Labels of a window.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Labels of some windows, zero where one is missing, and what each counts in the loss: nothing
    /// where it is missing. The mean over outputs of each output's mean squared error is the sum of
    /// squared errors by these weights, so an output with few labels counts as much as one with
    /// many.
    pub(super) fn weighted(&self, indices: &[usize]) -> (Vec<f32>, Vec<f32>) {
        let of = |index: usize| &self.labels[index * self.outputs..(index + 1) * self.outputs];
        let mut counts = vec![0_usize; self.outputs];
        for &index in indices {
            for (count, label) in counts.iter_mut().zip(of(index)) {
                *count += usize::from(label.is_some());
            }
        }
        indices
            .iter()
            .flat_map(|&index| of(index).iter().zip(&counts))
            .map(|(label, &count)| match label {
                Some(label) => (*label, (1.0 / (count * self.outputs) as f64) as f32),
                None => (0.0, 0.0),
            })
            .unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(count: usize) -> Windows {
        Windows::new(count, 1, 1, vec![0.0; count]).unwrap()
    }

    #[test]
    fn every_output_counts_the_same_however_many_labels_it_has() {
        let labels = vec![Some(1.0), None, Some(2.0), Some(3.0), Some(4.0), None];
        let data = LabelledWindows::with_missing(windows(3), 2, labels).unwrap();
        let (labels, weights) = data.weighted(&[0, 1, 2]);
        assert_eq!(labels, [1.0, 0.0, 2.0, 3.0, 4.0, 0.0]);
        let sixth = 1.0 / 6.0;
        assert_eq!(weights, [sixth, 0.0, sixth, 0.5, sixth, 0.0]);
        // A batch in which an output has no label at all.
        assert_eq!(data.weighted(&[0]).1, [0.5, 0.0]);
    }

    #[test]
    fn labels_of_many_people_stay_beside_their_windows() {
        let labelled = |labels| LabelledWindows::with_missing(windows(2), 2, labels).unwrap();
        let one = labelled(vec![Some(1.0), None, Some(2.0), Some(3.0)]);
        let two = labelled(vec![None, Some(4.0), Some(5.0), None]);
        let both = LabelledWindows::concat(&[&one, &two]).unwrap();
        assert_eq!((both.count(), both.outputs()), (4, 2));
        assert_eq!(both.weighted(&[1, 2]).0, [2.0, 3.0, 0.0, 4.0]);
        let single = LabelledWindows::new(windows(1), vec![1.0]).unwrap();
        assert!(matches!(
            LabelledWindows::concat(&[&one, &single]),
            Err(FitError::Outputs {
                expected: 2,
                found: 1
            })
        ));
        assert!(LabelledWindows::concat(&[]).is_err());
    }

    #[test]
    fn labels_that_cannot_be_used_are_refused() {
        let refused = |outputs, labels| {
            LabelledWindows::with_missing(windows(2), outputs, labels)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused(2, vec![Some(1.0); 3]),
            "there are 3 labels for 2 windows, expected 2 per window"
        );
        assert_eq!(
            refused(0, vec![]),
            "there are 0 labels for 2 windows, expected 0 per window"
        );
        assert_eq!(
            refused(1, vec![Some(1.0), Some(f32::NAN)]),
            "label 1 is not finite"
        );
        assert_eq!(
            refused(2, vec![Some(1.0), None, Some(1.0), None]),
            "output 1 has no labels, expected at least one"
        );
    }
}
