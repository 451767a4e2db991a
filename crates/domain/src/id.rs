//! Ids that are safe in a path, a cache key, an SQL parameter and a log line.

use crate::error::{DomainError, shortened};
use serde::{Deserialize, Serialize};

fn check(what: &'static str, max: usize, text: &str) -> Result<(), DomainError> {
    let safe = !text.is_empty()
        && text.len() <= max
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if safe {
        Ok(())
    } else {
        Err(DomainError::UnsafeId {
            what,
            max,
            got: shortened(text),
        })
    }
}

macro_rules! safe_id {
    ($name:ident, $what:literal, $max:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Maximum number of characters.
            pub const MAX_LENGTH: usize = $max;

            /// Checks the text and makes an id of it.
            ///
            /// # Errors
            ///
            /// [`DomainError::UnsafeId`] when the text is empty, too long, or holds anything but
            /// ASCII letters, digits, `-` and `_`.
            pub fn new(text: impl Into<String>) -> Result<Self, DomainError> {
                let text = text.into();
                check($what, $max, &text)?;
                Ok(Self(text))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(format!("^[A-Za-z0-9_-]{{1,{}}}$", $max)))
                    .description(Some($doc))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl TryFrom<String> for $name {
            type Error = DomainError;

            fn try_from(text: String) -> Result<Self, DomainError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = DomainError;

            fn from_str(text: &str) -> Result<Self, DomainError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }
    };
}

safe_id!(
    UserId,
    "a user id",
    64,
    "Id of a person: 1 to 64 ASCII letters, digits, `-` or `_`."
);
safe_id!(
    ModelId,
    "a model id",
    160,
    "Id of a trained model: `{user_id}_{METRIC}_{YYYYMMDD}_{HHMMSS}`, with a suffix if needed."
);
safe_id!(
    JobId,
    "a job id",
    64,
    "Id of a job (training or import): 32 hexadecimal digits."
);
safe_id!(
    KeyId,
    "a key id",
    32,
    "Id of an API key, its public part: 12 hexadecimal digits."
);
safe_id!(
    ExperimentId,
    "an experiment id",
    64,
    "Id of an experiment, unique for its person, for example `rhr-20261201`."
);

impl JobId {
    /// An id from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(hexadecimal(&bytes))
    }
}

impl KeyId {
    /// An id from 6 random bytes.
    pub fn from_random(bytes: [u8; 6]) -> Self {
        Self(hexadecimal(&bytes))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_public_data_sets_are_accepted() {
        for id in ["2304", "621e2e8e67b776a24055b564", "user_123", "a-b"] {
            assert_eq!(UserId::new(id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn hostile_ids_are_refused() {
        let long = "x".repeat(65);
        for id in [
            "", "..", "a/b", "%2e%2e", "a b", "a*", "ü", "a\0", "a\n", &long,
        ] {
            assert!(UserId::new(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn deserialisation_checks_too() {
        assert!(serde_json::from_str::<UserId>("\"../x\"").is_err());
    }
}
