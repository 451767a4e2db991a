//! The readers, a module for each format. A new one is a module here and a line in the list.

mod apple_health;
mod autosleep;
mod cronometer;
mod elite_hrv;
mod fhir;
mod fit;
mod fitabase;
mod fitbit;
mod gadgetbridge;
mod garmin;
mod google_fit;
pub(crate) mod health_auto_export;
mod health_connect;
mod hrv4training;
mod intervals_icu;
pub(crate) mod lifesnaps;
mod lose_it;
pub(crate) mod mapped;
mod mi_fitness;
mod myfitnesspal;
mod nightscout;
mod open_mhealth;
mod oura;
pub(crate) mod own;
mod polar;
pub(crate) mod reference;
mod samsung_health;
mod sleep_as_android;
mod strava;
mod suunto;
pub(crate) mod t1d_uom;
mod tidepool;
mod ultrahuman;
mod whoop;
mod withings;
mod zepp;

use crate::format::FormatReader;

/// All readers. If two are equally sure of a file, the first one reads it.
pub(crate) static READERS: &[&FormatReader] = &[
    &own::READER,
    &lifesnaps::READER,
    &t1d_uom::READER,
    &whoop::READER,
    &oura::READER,
    &garmin::READER,
    &polar::READER,
    &withings::READER,
    &ultrahuman::READER,
    &zepp::READER,
    &mi_fitness::READER,
    &cronometer::READER,
    &myfitnesspal::READER,
    &lose_it::READER,
    &intervals_icu::READER,
    &hrv4training::READER,
    &elite_hrv::READER,
    &fhir::READER,
    &open_mhealth::READER,
    &fit::READER,
    &mapped::READER,
    &sleep_as_android::READER,
    &nightscout::READER,
    &tidepool::READER,
    &fitbit::READER,
    &health_connect::READER,
    &google_fit::READER,
    &fitabase::READER,
    &gadgetbridge::READER,
    &samsung_health::READER,
    &apple_health::READER,
    &health_auto_export::READER,
    &strava::READER,
    &suunto::READER,
    &autosleep::READER,
    &reference::READER,
];
