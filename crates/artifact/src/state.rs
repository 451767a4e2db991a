//! The state section: any serde value in bincode 2.0.1, read with a limit and to the last byte.
//!
//! bincode notices almost no damage by itself and allows bytes to be left over; this module is the
//! only one that names it, and it is reached only with bytes whose hash was right. Integers have a
//! fixed width: every value has exactly one encoding, and the decoder's limit counts the bytes it
//! reads.

use crate::error::ArtifactError;
use crate::layout::MAX_ARTIFACT_BYTES;
use bincode::error::DecodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Limit of a state of up to 1 MiB; serde reserves no more than this on a claim either.
const SMALL: usize = 1024 * 1024;
const LARGE: usize = MAX_ARTIFACT_BYTES as usize;

/// Encodes a value for the state section. What its type must look like:
///
/// - It checks itself on deserialisation (`#[serde(try_from = "…")]`): finite numbers, a scale
///   above zero. bincode carries NaN faithfully.
/// - No `HashMap`, whose order differs from run to run; a `BTreeMap` keeps the same bytes.
/// - No `untagged`, `flatten` or `skip_serializing_if`: bincode does not describe itself.
/// - Not recursive (depth is taken from the file; write trees as arrays of nodes), and no sequence
///   of empty values (their number is taken from the file).
///
/// # Errors
///
/// [`ArtifactError::Encode`] when the type uses a serde feature bincode does not have.
pub fn encode_state<T: Serialize>(state: &T) -> Result<Vec<u8>, ArtifactError> {
    bincode::serde::encode_to_vec(state, bincode::config::standard().with_fixed_int_encoding())
        .map_err(|source| ArtifactError::Encode {
            section: "state",
            source: Box::new(source),
        })
}

/// Decodes a value from the bytes of a state section, all of them.
///
/// # Errors
///
/// [`ArtifactError::StateLimit`] when a length inside claims more than a state of this size can
/// hold, [`ArtifactError::BadState`] when the bytes are no value of this type or the type refuses
/// it, [`ArtifactError::StateNotConsumed`] when bytes are left over.
pub fn decode_state<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ArtifactError> {
    // The limit is part of the decoder's type. Two steps keep a small file from claiming much
    // memory without compiling every state type many times.
    let (limit, decoded) = if bytes.len() <= SMALL {
        (SMALL, decode_within::<SMALL, T>(bytes))
    } else {
        (LARGE, decode_within::<LARGE, T>(bytes))
    };
    let length = bytes.len() as u64;
    match decoded {
        Ok((state, consumed)) if consumed == bytes.len() => Ok(state),
        Ok((_, consumed)) => Err(ArtifactError::StateNotConsumed {
            consumed: consumed as u64,
            length,
        }),
        Err(DecodeError::LimitExceeded) => Err(ArtifactError::StateLimit {
            limit: limit as u64,
            length,
        }),
        Err(DecodeError::OtherString(text)) => Err(ArtifactError::BadState {
            length,
            source: text.into(),
        }),
        Err(source) => Err(ArtifactError::BadState {
            length,
            source: Box::new(source),
        }),
    }
}

fn decode_within<const LIMIT: usize, T: DeserializeOwned>(
    bytes: &[u8],
) -> Result<(T, usize), DecodeError> {
    bincode::serde::decode_from_slice(
        bytes,
        bincode::config::standard()
            .with_fixed_int_encoding()
            .with_limit::<LIMIT>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn integers_have_a_fixed_width() {
        assert_eq!(encode_state(&(1_u64, 2_u16)).unwrap().len(), 10);
    }

    #[test]
    fn a_value_comes_back() {
        let state = BTreeMap::from([
            ("mean".to_owned(), vec![1.5_f64, -0.0]),
            (String::new(), vec![]),
        ]);
        let bytes = encode_state(&state).unwrap();
        assert_eq!(
            decode_state::<BTreeMap<String, Vec<f64>>>(&bytes).unwrap(),
            state
        );
    }

    #[test]
    fn a_state_over_a_mebibyte_comes_back() {
        let state = vec![0.25_f64; 200_000];
        let bytes = encode_state(&state).unwrap();
        assert!(bytes.len() > SMALL);
        assert_eq!(decode_state::<Vec<f64>>(&bytes).unwrap(), state);
    }

    #[test]
    fn a_state_of_exactly_the_small_limit_comes_back() {
        let state = "x".repeat(SMALL - 8);
        let bytes = encode_state(&state).unwrap();
        assert_eq!(bytes.len(), SMALL);
        assert_eq!(decode_state::<String>(&bytes).unwrap(), state);
    }

    #[test]
    fn left_over_bytes_are_refused() {
        let mut bytes = encode_state(&7_u32).unwrap();
        bytes.extend_from_slice(&[0; 5]);
        assert!(matches!(
            decode_state::<u32>(&bytes),
            Err(ArtifactError::StateNotConsumed {
                consumed: 4,
                length: 9
            })
        ));
    }

    #[test]
    fn a_text_that_claims_more_than_the_limit_is_refused() {
        let bytes = (1_u64 << 60).to_le_bytes();
        assert!(matches!(
            decode_state::<String>(&bytes),
            Err(ArtifactError::StateLimit { length: 8, .. })
        ));
    }

    #[test]
    fn a_sequence_that_claims_more_than_there_is_is_refused() {
        let bytes = (1_u64 << 60).to_le_bytes();
        assert!(matches!(
            decode_state::<Vec<f64>>(&bytes),
            Err(ArtifactError::BadState { length: 8, .. })
        ));
    }

    #[test]
    fn another_type_is_refused() {
        let bytes = encode_state(&vec![9_u64; 3]).unwrap();
        assert!(decode_state::<BTreeMap<String, f64>>(&bytes).is_err());
    }
}
