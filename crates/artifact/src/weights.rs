//! What is checked about weights without knowing the network: well-formed safetensors, `f32` only,
//! every value finite.
//!
//! Whether names and shapes fit the network is for the code that builds it from the manifest's
//! config.

use crate::error::{ArtifactError, shortened};
use safetensors::{Dtype, SafeTensors};

const SECTION: &str = "weights";

/// Largest header. Thousands of tensors fit; parsing it takes a multiple of this in memory.
const MAX_HEADER_BYTES: u64 = 1024 * 1024;

/// Checks the bytes of a weights section.
pub(crate) fn check(bytes: &[u8]) -> Result<(), ArtifactError> {
    if let Some(length) = bytes.first_chunk().copied().map(u64::from_le_bytes)
        && length > MAX_HEADER_BYTES
    {
        return Err(ArtifactError::SectionTooLarge {
            section: "weights header",
            length,
            limit: MAX_HEADER_BYTES,
        });
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(|source| ArtifactError::BadWeights {
        source: Box::new(source),
    })?;
    if tensors.is_empty() {
        return Err(invalid(
            "there is no tensor; leave the section out".to_owned(),
        ));
    }
    for (name, tensor) in tensors.iter() {
        if tensor.dtype() != Dtype::F32 {
            return Err(invalid(format!(
                "tensor {} holds {:?}, expected F32",
                shortened(name),
                tensor.dtype()
            )));
        }
        // The format promises no alignment, so values are read byte by byte.
        let (values, _) = tensor.data().as_chunks::<4>();
        if let Some(index) = values
            .iter()
            .position(|value| !f32::from_le_bytes(*value).is_finite())
        {
            return Err(invalid(format!(
                "value {index} of tensor {} is not finite",
                shortened(name)
            )));
        }
    }
    Ok(())
}

fn invalid(what: String) -> ArtifactError {
    ArtifactError::InvalidContents {
        section: SECTION,
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::{TensorView, serialize};

    fn weights(dtype: Dtype, bytes: &[u8], shape: Vec<usize>) -> Vec<u8> {
        let view = TensorView::new(dtype, shape, bytes).unwrap();
        serialize([("layer.bias", view)], None).unwrap()
    }

    #[test]
    fn finite_floats_are_accepted() {
        let values: Vec<u8> = [1.0_f32, -2.5]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        check(&weights(Dtype::F32, &values, vec![2])).unwrap();
    }

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let values: Vec<u8> = [1.0, bad].iter().flat_map(|v| v.to_le_bytes()).collect();
            let error = check(&weights(Dtype::F32, &values, vec![2])).unwrap_err();
            assert_eq!(
                error.to_string(),
                "invalid weights: value 1 of tensor \"layer.bias\" is not finite"
            );
        }
    }

    #[test]
    fn another_number_type_is_refused() {
        let error = check(&weights(Dtype::F64, &[0; 8], vec![1])).unwrap_err();
        assert!(error.to_string().contains("holds F64, expected F32"));
    }

    #[test]
    fn no_tensor_at_all_is_refused() {
        let none: [(&str, TensorView<'_>); 0] = [];
        let error = check(&serialize(none, None).unwrap()).unwrap_err();
        assert!(matches!(error, ArtifactError::InvalidContents { .. }));
    }

    #[test]
    fn garbage_is_not_safetensors() {
        for garbage in [&b""[..], b"short", &[0; 64], b"\x10\0\0\0\0\0\0\0{\"a\":"] {
            assert!(matches!(
                check(garbage),
                Err(ArtifactError::BadWeights { .. })
            ));
        }
    }

    #[test]
    fn a_header_length_beyond_the_limit_is_refused_before_parsing() {
        assert!(matches!(
            check(&[0xff; 64]),
            Err(ArtifactError::SectionTooLarge { .. })
        ));
    }
}
