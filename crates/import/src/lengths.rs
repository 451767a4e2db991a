//! Metres in the units of length of exports; all are exact by definition.

pub(crate) const METRES_PER_MILE: f64 = 1_609.344;
pub(crate) const METRES_PER_YARD: f64 = 0.914_4;
pub(crate) const METRES_PER_FOOT: f64 = 0.304_8;
pub(crate) const CENTIMETRES_PER_INCH: f64 = 2.54;
