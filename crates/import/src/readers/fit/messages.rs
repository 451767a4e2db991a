//! The messages of a FIT file, one by one. A damaged file gives what stands before the damage.
//!
//! A file is a header, definitions that say which fields the messages of a local number have, the messages,
//! and a checksum; several files may follow one another. Only fields with a single number are read. Texts,
//! lists and the fields of developers are passed over by their length, so that nothing in a file can be
//! wrong but lengths and numbers. Checksums are not compared: each value is checked by itself.

/// Number of the field with the time.
const TIMESTAMP: u8 = 253;
/// Seconds from 1970 to the beginning of FIT's time.
const EPOCH: i64 = 631_065_600;
/// Times below this are seconds since a device was switched on.
const FIRST_TIME: i64 = 0x1000_0000;
/// Bits of the first byte of a message: its time is five bits; it is a definition; fields of developers.
const SHORT_TIME: u8 = 0x80;
const DEFINITION: u8 = 0x40;
const OF_DEVELOPERS: u8 = 0x20;
/// Bytes of the checksum behind a file.
const CHECKSUM: usize = 2;

/// A message.
pub(super) struct Message {
    pub(super) number: u16,
    /// Seconds since 1970; `None` if it has no time that is known.
    pub(super) time: Option<i64>,
    fields: Vec<(u8, f64)>,
}

impl Message {
    /// A field without its scale; an invalid value is none.
    pub(super) fn field(&self, number: u8) -> Option<f64> {
        let found = self.fields.iter().rfind(|(field, _)| *field == number);
        found.map(|(_, value)| *value)
    }

    /// A field with a time, seconds since 1970. It may be on the person's clock.
    pub(super) fn time_of(&self, number: u8) -> Option<i64> {
        time_of(self.field(number)?)
    }
}

fn time_of(seconds: f64) -> Option<i64> {
    let seconds = seconds as i64;
    let times = FIRST_TIME..=i64::from(u32::MAX);
    times.contains(&seconds).then(|| seconds + EPOCH)
}

/// What the messages of a local number have.
struct Definition {
    is_big_endian: bool,
    number: u16,
    fields: Vec<Field>,
    /// Bytes of the fields of developers, which come last.
    more: usize,
}

struct Field {
    number: u8,
    size: usize,
    base: u8,
}

/// Bytes that are read from their beginning to a limit.
struct Reader<'b> {
    bytes: &'b [u8],
    place: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let end = self.place.checked_add(count)?;
        let taken = self.bytes.get(self.place..end)?;
        self.place = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
}

/// Passes the messages of a file on; the position of the damage if it is not read to its end.
pub(super) fn each<E>(
    bytes: &[u8],
    mut see: impl FnMut(&Message) -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let length = bytes.len();
    let mut begun = 0;
    while begun < length {
        let Some((header, data)) = sizes(&bytes[begun..]) else {
            return Ok(Some(begun));
        };
        // A device that is switched off in the middle of a workout writes no length.
        let end = match data {
            0 => length,
            data => begun.saturating_add(header).saturating_add(data),
        };
        let mut reader = Reader {
            bytes: &bytes[..end.min(length)],
            place: begun + header,
        };
        let mut definitions: [Option<Definition>; 16] = Default::default();
        let mut clock = Clock::default();
        while reader.place < reader.bytes.len() {
            let position = reader.place;
            match next(&mut reader, &mut definitions, &mut clock) {
                Next::Damage => return Ok(Some(position)),
                Next::Definition => {}
                Next::Message(message) => see(&message)?,
            }
        }
        if end > length {
            return Ok(Some(length));
        }
        begun = end.saturating_add(CHECKSUM);
    }
    Ok((begun > length && begun - length < CHECKSUM).then_some(length))
}

/// Sizes of a header, of which there are two kinds, and of the messages behind it.
fn sizes(bytes: &[u8]) -> Option<(usize, usize)> {
    let header = bytes.first().map(|size| usize::from(*size))?;
    let is_header =
        matches!(header, 12 | 14) && bytes.len() >= header && bytes.get(8..12) == Some(b".FIT");
    let size: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    is_header.then(|| (header, u32::from_le_bytes(size) as usize))
}

/// What comes next in a file.
enum Next {
    Message(Message),
    Definition,
    Damage,
}

fn next(
    reader: &mut Reader<'_>,
    definitions: &mut [Option<Definition>; 16],
    clock: &mut Clock,
) -> Next {
    let Some(first) = reader.byte() else {
        return Next::Damage;
    };
    if first & SHORT_TIME == 0 && first & DEFINITION != 0 {
        let found = definition(reader, first & OF_DEVELOPERS != 0);
        let place = definitions.get_mut(usize::from(first & 0x0f));
        return match (found, place) {
            (Some(definition), Some(place)) => {
                *place = Some(definition);
                Next::Definition
            }
            (_, _) => Next::Damage,
        };
    }
    message(reader, definitions, clock, first).map_or(Next::Damage, Next::Message)
}

/// The message that begins with a byte; `None` if it is damaged.
fn message(
    reader: &mut Reader<'_>,
    definitions: &[Option<Definition>; 16],
    clock: &mut Clock,
    first: u8,
) -> Option<Message> {
    let (local, low) = if first & SHORT_TIME == 0 {
        (first & 0x0f, None)
    } else {
        ((first >> 5) & 0x03, Some(i64::from(first & 0x1f)))
    };
    let definition = definitions.get(usize::from(local))?.as_ref()?;
    let mut fields = Vec::new();
    for field in &definition.fields {
        let bytes = reader.take(field.size)?;
        if let Some(value) = number_of(bytes, field.base, definition.is_big_endian) {
            fields.push((field.number, value));
        }
    }
    reader.take(definition.more)?;
    Some(clock.timed(definition.number, fields, low))
}

fn definition(reader: &mut Reader<'_>, has_more: bool) -> Option<Definition> {
    let (_, order) = (reader.byte()?, reader.byte()?);
    let number: [u8; 2] = reader.take(2)?.try_into().ok()?;
    let is_big_endian = order == 1;
    let count = reader.byte()?;
    let mut fields = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        fields.push(Field {
            number: reader.byte()?,
            size: usize::from(reader.byte()?),
            base: reader.byte()?,
        });
    }
    let mut more = 0;
    if has_more {
        for _ in 0..reader.byte()? {
            let field = reader.take(3)?;
            more += usize::from(*field.get(1)?);
        }
    }
    Some(Definition {
        is_big_endian,
        number: if is_big_endian {
            u16::from_be_bytes(number)
        } else {
            u16::from_le_bytes(number)
        },
        fields,
        more,
    })
}

/// The number of a field; `None` for an invalid value, a text, or a list.
fn number_of(bytes: &[u8], base: u8, is_big_endian: bool) -> Option<f64> {
    let mut raw = 0_u64;
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    for place in 0..bytes.len() {
        let place = if is_big_endian {
            place
        } else {
            bytes.len() - 1 - place
        };
        raw = (raw << 8) | u64::from(bytes[place]);
    }
    let bits = bytes.len() * 8;
    let largest = u64::MAX >> (64 - bits);
    // The last five bits number the type; the others say whether the order of bytes matters.
    let (size, invalid) = match base & 0x1f {
        0x00 | 0x02 | 0x0d => (1, largest),
        0x01 => (1, largest >> 1),
        0x03 => (2, largest >> 1),
        0x04 => (2, largest),
        0x05 => (4, largest >> 1),
        0x06 | 0x08 => (4, largest),
        0x09 | 0x0f => (8, largest),
        0x0a => (1, 0),
        0x0b => (2, 0),
        0x0c => (4, 0),
        0x0e => (8, largest >> 1),
        0x10 => (8, 0),
        _ => return None,
    };
    if bytes.len() != size || raw == invalid {
        return None;
    }
    let value = match base & 0x1f {
        0x08 => f64::from(f32::from_bits(raw as u32)),
        0x09 => f64::from_bits(raw),
        // Moves the sign to the first bit and back.
        0x01 | 0x03 | 0x05 | 0x0e => (((raw << (64 - bits)) as i64) >> (64 - bits)) as f64,
        _ => raw as f64,
    };
    value.is_finite().then_some(value)
}

/// The last time that was written; later ones may be written as their last bits only.
#[derive(Default)]
struct Clock {
    last: i64,
}

impl Clock {
    fn timed(&mut self, number: u16, fields: Vec<(u8, f64)>, low: Option<i64>) -> Message {
        let mut message = Message {
            number,
            time: None,
            fields,
        };
        let known = if let Some(time) = message.field(TIMESTAMP) {
            self.last = (time as i64).clamp(0, i64::from(u32::MAX));
            true
        } else if let Some(low) = low {
            self.moved(low, 0x1f)
        } else if number == super::MONITORING
            && let Some(low) = message.field(super::TIMESTAMP_16)
        {
            self.moved(low as i64, 0xffff)
        } else {
            false
        };
        message.time = known.then(|| time_of(self.last as f64)).flatten();
        message
    }

    /// Moves on to the next time with these last bits.
    fn moved(&mut self, low: i64, mask: i64) -> bool {
        if self.last == 0 {
            return false;
        }
        // Of the low bits alone, whatever the rest of the number is.
        self.last += low.wrapping_sub(self.last & mask) & mask;
        true
    }
}
