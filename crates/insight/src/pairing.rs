//! Pairing of feature days with target days.

use crate::coefficient::{centred, varies};

/// Days on which both were observed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs {
    /// Places of the days, ascending.
    pub(crate) days: Vec<usize>,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

impl Pairs {
    /// The target of each day from `first` on, beside the feature so many days earlier. A day
    /// counts when both are there; what is missing is never filled in.
    pub(crate) fn new(
        feature: &[Option<f64>],
        target: &[Option<f64>],
        first: usize,
        earlier: usize,
    ) -> Self {
        let mut pairs = Self::default();
        for day in first.max(earlier)..target.len() {
            if let (Some(x), Some(y)) = (feature[day - earlier], target[day])
                && x.is_finite()
                && y.is_finite()
            {
                pairs.days.push(day);
                pairs.x.push(x);
                pairs.y.push(y);
            }
        }
        pairs
    }

    pub(crate) fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether both sides take more than one value.
    pub(crate) fn vary(&self) -> bool {
        [&self.x, &self.y]
            .into_iter()
            .all(|side| !side.is_empty() && varies(&centred(side), side))
    }
}
