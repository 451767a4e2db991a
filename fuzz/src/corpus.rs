//! The cases of a target in one file: for each a line with its length in bytes, and its bytes.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// The file of a target in the folder of this package.
pub fn file_of(target: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    folder.join(format!("{target}.cases"))
}

/// The bytes of a file of cases.
pub fn pack(cases: &[Vec<u8>]) -> Vec<u8> {
    let mut packed = Vec::new();
    for case in cases {
        packed.extend(format!("{}\n", case.len()).bytes());
        packed.extend(case);
        packed.push(b'\n');
    }
    packed
}

/// The cases of such bytes.
///
/// # Errors
///
/// [`ErrorKind::InvalidData`] if they are none.
pub fn unpack(mut packed: &[u8]) -> Result<Vec<Vec<u8>>> {
    let wrong = || Error::from(ErrorKind::InvalidData);
    let mut cases = Vec::new();
    while !packed.is_empty() {
        let end = packed.iter().position(|byte| *byte == b'\n');
        let (length, rest) = packed.split_at(end.ok_or_else(wrong)?);
        let length = std::str::from_utf8(length).map_err(|_| wrong())?;
        let length: usize = length.parse().map_err(|_| wrong())?;
        let case = rest.get(1..=length).ok_or_else(wrong)?;
        if rest.get(length + 1) != Some(&b'\n') {
            return Err(wrong());
        }
        cases.push(case.to_vec());
        packed = &rest[length + 2..];
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_come_back() {
        let cases = vec![b"a\n1\n".to_vec(), Vec::new(), vec![0xff, b'\n']];
        assert_eq!(unpack(&pack(&cases)).unwrap(), cases);
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let packed = pack(&[b"abc".to_vec()]);
        for length in 1..packed.len() {
            assert!(unpack(&packed[..length]).is_err(), "{length}");
        }
        assert!(unpack(b"x\n").is_err() && unpack(b"18446744073709551615\na\n").is_err());
    }
}
