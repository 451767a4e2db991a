//! The messages of a FIT file, one by one. A damaged file gives what stands before the damage.

use fitparser::Value;
use fitparser::de::{DecodeOption, FitDataMessage, FitObject, FitStreamProcessor};

/// Longest message that a definition can describe, bytes.
const LONGEST_MESSAGE: usize = 1 + 2 * 255 * 255;
/// Number of the message that describes a field of a developer.
const FIELD_DESCRIPTION: u16 = 206;
/// Number of the field with the time.
const TIMESTAMP: u8 = 253;
/// Seconds from 1970 to the beginning of FIT's time.
const EPOCH: i64 = 631_065_600;
/// Times below this are seconds since a device was switched on.
const FIRST_TIME: i64 = 0x1000_0000;

/// A message.
pub(super) struct Message {
    pub(super) number: u16,
    /// Seconds since 1970; `None` if it has no time that is known.
    pub(super) time: Option<i64>,
    fields: FitDataMessage,
}

impl Message {
    /// A field without its scale; an invalid value is none.
    pub(super) fn field(&self, number: u8) -> Option<f64> {
        number_of(self.fields.fields().get(&number)?)
    }

    /// A field with a time, seconds since 1970. It may be on the person's clock.
    pub(super) fn time_of(&self, number: u8) -> Option<i64> {
        time_of(self.field(number)?)
    }
}

fn time_of(seconds: f64) -> Option<i64> {
    let seconds = seconds as i64;
    let times = FIRST_TIME..=i64::from(u32::MAX);
    times.contains(&seconds).then_some(seconds + EPOCH)
}

fn number_of(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Byte(value) | Value::Enum(value) | Value::UInt8(value) | Value::UInt8z(value) => {
            f64::from(*value)
        }
        Value::SInt8(value) => f64::from(*value),
        Value::SInt16(value) => f64::from(*value),
        Value::UInt16(value) | Value::UInt16z(value) => f64::from(*value),
        Value::SInt32(value) => f64::from(*value),
        Value::UInt32(value) | Value::UInt32z(value) => f64::from(*value),
        Value::Float32(value) => f64::from(*value),
        Value::Float64(value) => *value,
        Value::SInt64(value) => *value as f64,
        Value::UInt64(value) | Value::UInt64z(value) => *value as f64,
        Value::Timestamp(_) | Value::String(_) | Value::Array(_) | Value::Invalid => return None,
    })
}

/// Passes the messages of a file on; the position of the damage if it is not read to its end. Checksums are
/// not compared: each value is checked by itself.
pub(super) fn each<E>(
    bytes: Vec<u8>,
    mut see: impl FnMut(&Message) -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let length = bytes.len();
    // Behind the file come zeros, so that no message is cut off.
    let mut padded = bytes;
    padded.resize(length + LONGEST_MESSAGE + 16, 0);
    let mut processor = FitStreamProcessor::new();
    processor.add_option(DecodeOption::SkipHeaderCrcValidation);
    processor.add_option(DecodeOption::SkipDataCrcValidation);
    let mut rest = padded.as_slice();
    let mut clock = Clock::default();
    // The position at which the messages of the current part end; at 0 comes a header.
    let mut end = 0;
    loop {
        let position = padded.len() - rest.len();
        if position >= length {
            return Ok((position > length).then_some(length));
        }
        let is_header = position == 0 || position > end;
        if is_header && !is_valid_header(rest, length - position) {
            return Ok(Some(position));
        }
        let Ok((next, object)) = processor.deserialize_next(rest) else {
            return Ok(Some(position));
        };
        rest = next;
        match object {
            FitObject::Header(header) => {
                let size = usize::from(header.header_size()) + header.data_size() as usize;
                end = position.saturating_add(size);
                clock = Clock::default();
            }
            FitObject::Crc(_) => {
                processor.reset();
                // Whatever comes next is the header of another part.
                end = position;
            }
            FitObject::DefinitionMessage(_) => {}
            FitObject::DataMessage(message) => {
                if padded.len() - rest.len() > length {
                    return Ok(Some(position));
                }
                if message.global_message_number() == FIELD_DESCRIPTION {
                    if processor.decode_message(message).is_err() {
                        return Ok(Some(position));
                    }
                } else {
                    see(&clock.timed(message))?;
                }
            }
        }
    }
}

/// Whether a header has one of the two sizes that exist, and all of it is there.
fn is_valid_header(bytes: &[u8], length: usize) -> bool {
    matches!(bytes.first(), Some(12 | 14))
        && length >= usize::from(bytes[0])
        && bytes.get(8..12) == Some(b".FIT")
}

/// The last time that was written; later ones may be written as their last bits only.
#[derive(Default)]
struct Clock {
    last: i64,
}

impl Clock {
    fn timed(&mut self, message: FitDataMessage) -> Message {
        let number = message.global_message_number();
        let raw = |field: u8| message.fields().get(&field).and_then(number_of);
        let known = if let Some(time) = raw(TIMESTAMP) {
            self.last = (time as i64).clamp(0, i64::from(u32::MAX));
            true
        } else if let Some(offset) = message.time_offset() {
            self.moved(i64::from(offset), 0x1f)
        } else if number == super::MONITORING
            && let Some(low) = raw(super::TIMESTAMP_16)
        {
            self.moved(low as i64, 0xffff)
        } else {
            false
        };
        let time = known.then(|| time_of(self.last as f64)).flatten();
        Message {
            number,
            time,
            fields: message,
        }
    }

    /// Moves on to the next time with these last bits.
    fn moved(&mut self, low: i64, mask: i64) -> bool {
        if self.last == 0 {
            return false;
        }
        self.last += (low - (self.last & mask)) & mask;
        true
    }
}
