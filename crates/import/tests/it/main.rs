//! The readers from outside: every trap of every format, and what holds for any bytes at all.

#![allow(clippy::unwrap_used)]

mod archives;
mod apple_health;
mod autosleep;
mod cells;
mod cronometer;
mod elite_hrv;
mod fhir;
mod fit;
mod fitabase;
mod fitbit;
mod folder;
mod garmin;
mod hrv4training;
mod intervals_icu;
mod gadgetbridge;
mod google_fit;
mod health_connect;
mod health_auto_export;
mod lifesnaps;
mod mi_fitness;
mod oura;
mod polar;
mod lose_it;
mod mapped;
mod myfitnesspal;
mod nightscout;
mod open_mhealth;
mod owned;
mod properties;
mod reference;
mod sleep_as_android;
mod samsung_health;
mod strava;
mod t1d_uom;
mod t1d_uom_watch;
mod tables;
mod ultrahuman;
mod whoop;
mod withings;
mod tidepool;
mod wrong;
mod zepp;
