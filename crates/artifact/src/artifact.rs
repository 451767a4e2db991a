//! An artifact in memory: a manifest that is valid, weights that are finite, and a state.
//!
//! Reading goes through the container first (size, magic, version, length, hash, table) and only
//! then through the decoders, so a value of [`Artifact`] has passed every check there is, except
//! for the type of the state, which only the caller knows.

use crate::error::{ArtifactError, shortened};
use crate::file::{read_limited, write_atomically};
use crate::layout::{SectionKind, pack, unpack};
use crate::manifest::Manifest;
use crate::state::{decode_state, encode_state};
use crate::weights;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use vitalcast_domain::{ModelArchitecture, PredictionMetric};

/// Largest manifest. Reading JSON takes a multiple of this in memory.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

/// A trained model, ready to be written or just read.
#[derive(Clone, PartialEq)]
pub struct Artifact {
    manifest: Manifest,
    weights: Option<Vec<u8>>,
    state: Option<Vec<u8>>,
}

impl Artifact {
    /// A model: what it is, its weights, and whatever else it needs (scalers, trees, what a
    /// baseline has learned). A baseline has no weights; a model without state has `()`. What the
    /// state's type must look like is said at [`encode_state`].
    ///
    /// `weights` are the bytes of a safetensors file. Keep its free-form metadata to at most one
    /// entry: the writer of that format does not order several.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::InvalidContents`] when the manifest is not valid, a tensor is not `f32` or
    /// a value is not finite, [`ArtifactError::BadWeights`] when the weights are not safetensors,
    /// [`ArtifactError::Encode`] when the state cannot be encoded.
    pub fn new<T: Serialize>(
        manifest: Manifest,
        weights: Option<Vec<u8>>,
        state: &T,
    ) -> Result<Self, ArtifactError> {
        manifest.validate()?;
        if let Some(weights) = &weights {
            weights::check(weights)?;
        }
        Ok(Self {
            manifest,
            weights,
            state: Some(encode_state(state)?),
        })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The weights as the bytes of a safetensors file, if the model has any.
    pub fn weights(&self) -> Option<&[u8]> {
        self.weights.as_deref()
    }

    /// The state, as the type it was written from.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::SectionMissing`] when there is none, and those of [`decode_state`].
    pub fn decode_state<T: DeserializeOwned>(&self) -> Result<T, ArtifactError> {
        let bytes = self.state.as_deref().ok_or(ArtifactError::SectionMissing {
            section: SectionKind::State.name(),
        })?;
        decode_state(bytes)
    }

    /// The file's bytes. The same artifact gives the same bytes, in every build.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::TooLarge`] above 64 MiB, [`ArtifactError::SectionTooLarge`] for a manifest
    /// above 1 MiB, [`ArtifactError::InvalidContents`] for a config that would not be read back.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        let manifest = manifest_json(&self.manifest)?;
        let mut sections = vec![(SectionKind::Manifest, manifest.as_slice())];
        if let Some(weights) = &self.weights {
            sections.push((SectionKind::Weights, weights));
        }
        if let Some(state) = &self.state {
            sections.push((SectionKind::State, state));
        }
        pack(&sections)
    }

    /// Reads a whole artifact.
    ///
    /// # Errors
    ///
    /// Every variant of [`ArtifactError`] that is not about files or encoding, in the order of
    /// checks of the crate's documentation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let sections = unpack(bytes)?;
        let manifest =
            sections
                .get(SectionKind::Manifest)
                .ok_or(ArtifactError::SectionMissing {
                    section: SectionKind::Manifest.name(),
                })?;
        let manifest = read_manifest(manifest)?;
        manifest.validate()?;
        let weights = sections.get(SectionKind::Weights);
        if let Some(weights) = weights {
            weights::check(weights)?;
        }
        Ok(Self {
            manifest,
            weights: weights.map(<[u8]>::to_vec),
            state: sections.get(SectionKind::State).map(<[u8]>::to_vec),
        })
    }

    /// Reads an artifact from a file.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Read`] when the file cannot be read, and those of [`Artifact::from_bytes`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ArtifactError> {
        Self::from_bytes(&read_limited(path.as_ref())?)
    }

    /// Reads an artifact from a file, with the [`content_hash`] of the file as it lies there.
    ///
    /// # Errors
    ///
    /// As [`Artifact::open`].
    pub fn open_hashed(path: impl AsRef<Path>) -> Result<(Self, String), ArtifactError> {
        let bytes = read_limited(path.as_ref())?;
        let artifact = Self::from_bytes(&bytes)?;
        Ok((artifact, content_hash(&bytes)))
    }

    /// Writes the artifact to a file, whole or not at all, and returns its size in bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Artifact::to_bytes`] and [`write_atomically`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<u64, ArtifactError> {
        let bytes = self.to_bytes()?;
        write_atomically(path, &bytes)?;
        Ok(bytes.len() as u64)
    }
}

/// BLAKE3 of a whole artifact as 64 hexadecimal digits: what a registry knows it by, and what a
/// file may be named after.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Artifact")
            .field("metric", &self.manifest.metric)
            .field("architecture", &self.manifest.architecture)
            .field("weight_bytes", &self.weights.as_ref().map(Vec::len))
            .field("state_bytes", &self.state.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// The manifest as indented JSON, checked to read back as the same manifest.
fn manifest_json(manifest: &Manifest) -> Result<Vec<u8>, ArtifactError> {
    let mut manifest = manifest.clone();
    manifest.config = sorted(manifest.config);
    manifest.request = sorted(manifest.request);
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|source| ArtifactError::Encode {
            section: SectionKind::Manifest.name(),
            source: Box::new(source),
        })?;
    json.push(b'\n');
    // A config nested deeper than the parser goes could be written and never be read again.
    if read_manifest(&json)? == manifest {
        Ok(json)
    } else {
        Err(ArtifactError::InvalidContents {
            section: SectionKind::Manifest.name(),
            what: "it changes when it is written to JSON and read again".to_owned(),
        })
    }
}

fn read_manifest(json: &[u8]) -> Result<Manifest, ArtifactError> {
    if json.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(ArtifactError::SectionTooLarge {
            section: SectionKind::Manifest.name(),
            length: json.len() as u64,
            limit: MAX_MANIFEST_BYTES,
        });
    }
    serde_json::from_slice(json).map_err(|source| {
        unknown_word(json).unwrap_or_else(|| ArtifactError::BadManifest {
            source: Box::new(source),
        })
    })
}

/// The kind of model or the metric of a manifest, if this build does not know it.
fn unknown_word(json: &[u8]) -> Option<ArtifactError> {
    let manifest: Value = serde_json::from_slice(json).ok()?;
    unknown_in::<ModelArchitecture>(&manifest, "architecture")
        .or_else(|| unknown_in::<PredictionMetric>(&manifest, "metric"))
}

fn unknown_in<T: DeserializeOwned>(manifest: &Value, field: &'static str) -> Option<ArtifactError> {
    let word = manifest.get(field)?;
    let found = shortened(word.as_str()?);
    let is_known = serde_json::from_value::<T>(word.clone()).is_ok();
    (!is_known).then_some(ArtifactError::UnknownWord { field, found })
}

/// The same value with the keys of every object in order, also where some other crate of the build
/// has switched `serde_json` to keeping them as inserted.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(
                fields
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect(),
            )
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
