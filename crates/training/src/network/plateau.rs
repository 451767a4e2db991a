//! A learning rate that is halved when the validation loss stops falling, as PyTorch's
//! `ReduceLROnPlateau` with its defaults of mode `min`, relative threshold, no cooldown.

/// See the module's header.
#[derive(Debug, Clone)]
pub struct ReduceLrOnPlateau {
    learning_rate: f64,
    factor: f64,
    patience: usize,
    threshold: f64,
    best: f64,
    bad_epochs: usize,
}

/// Smaller changes of the learning rate are not made (PyTorch's `eps`).
const LEAST_CHANGE: f64 = 1e-8;

impl ReduceLrOnPlateau {
    /// Factor 0.5, patience 5, threshold 1e-4.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            factor: 0.5,
            patience: 5,
            threshold: 1e-4,
            best: f64::INFINITY,
            bad_epochs: 0,
        }
    }

    /// The current learning rate.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Takes the validation loss of an epoch and returns the learning rate of the next epoch.
    pub fn step(&mut self, loss: f64) -> f64 {
        if loss < self.best * (1.0 - self.threshold) {
            self.best = loss;
            self.bad_epochs = 0;
        } else {
            self.bad_epochs += 1;
        }
        if self.bad_epochs > self.patience {
            self.bad_epochs = 0;
            let reduced = self.learning_rate * self.factor;
            if self.learning_rate - reduced > LEAST_CHANGE {
                self.learning_rate = reduced;
            }
        }
        self.learning_rate
    }
}
