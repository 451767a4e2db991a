//! What-if: a change of a day is a change of its records.
//!
//! A change names a total or a reading of a day ([`Lever`]) with its new value, or is a record. It becomes
//! records that are left out and records that are added ([`Changed`]); everything that is computed from
//! records is then computed from the changed ones. So a change, and the same change written into a store,
//! are one thing.

mod change;
mod error;
mod food;
mod lever;
mod movement;
mod reading;

pub use change::{Change, Changed, DAYS_LOOKED_AT, Day, RecordKey};
pub use error::ScenarioError;
pub use lever::{Lever, ShownBy, Today};
