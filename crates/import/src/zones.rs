//! Time zones of people whose exports only write offsets.

use chrono::{DateTime, Utc};
use vitalcast_domain::Zone;

/// Zones of offsets that are no whole hours, with which most people who have them live.
const BROKEN: [(i32, &str); 10] = [
    (-12_600, "America/St_Johns"),
    (-34_200, "Pacific/Marquesas"),
    (12_600, "Asia/Tehran"),
    (16_200, "Asia/Kabul"),
    (19_800, "Asia/Kolkata"),
    (20_700, "Asia/Kathmandu"),
    (23_400, "Asia/Yangon"),
    (31_500, "Australia/Eucla"),
    (34_200, "Australia/Darwin"),
    (37_800, "Australia/Adelaide"),
];

/// A zone with this offset, seconds: one without summer time for whole hours.
pub(crate) fn fixed(offset: i32) -> Option<Zone> {
    let hours = offset / 3_600;
    if offset % 3_600 != 0 {
        let broken = BROKEN.iter().find(|(known, _)| *known == offset)?;
        return broken.1.parse().ok();
    }
    if hours == 0 {
        return Some(Zone::UTC);
    }
    // In POSIX names the sign is turned round: Etc/GMT-8 is eight hours ahead of UTC.
    format!("Etc/GMT{:+}", -hours).parse().ok()
}

/// The zone of a new person whose export writes its times with this offset: the assumed one if it has this
/// offset at the time, because it knows about summer time, else one that always has it.
pub(crate) fn by_offset(assumed: Zone, at: DateTime<Utc>, offset: i32) -> Zone {
    if assumed.offset_seconds(at) == offset {
        return assumed;
    }
    fixed(offset).unwrap_or(assumed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_zone_counts_only_if_it_has_the_written_offset() {
        let summer = "2024-07-01T12:00:00Z".parse().unwrap();
        let zone = |name: &str| name.parse::<Zone>().unwrap();
        let found = |assumed: &str, offset| by_offset(zone(assumed), summer, offset);
        assert_eq!(found("Europe/Berlin", 7_200), zone("Europe/Berlin"));
        assert_eq!(found("UTC", 7_200), zone("Etc/GMT-2"));
        assert_eq!(found("Europe/Berlin", -18_000), zone("Etc/GMT+5"));
        assert_eq!(found("UTC", 19_800), zone("Asia/Kolkata"));
        assert_eq!(found("UTC", 1_234), zone("UTC"));
        for (offset, name) in BROKEN {
            assert!(name.parse::<Zone>().is_ok(), "{offset}");
        }
    }
}
