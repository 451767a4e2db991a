//! Benches of Vitalcast: see `benches/`.
