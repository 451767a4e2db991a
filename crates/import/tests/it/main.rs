//! The readers from outside: every trap of every format, and what holds for any bytes at all.

#![allow(clippy::unwrap_used)]

mod apple_health;
mod archives;
mod autosleep;
mod cells;
mod cronometer;
mod elite_hrv;
mod fhir;
mod fit;
mod fitabase;
mod fitbit;
mod folder;
mod gadgetbridge;
mod garmin;
mod google_fit;
mod guide;
mod health_auto_export;
mod health_connect;
mod hrv4training;
mod intervals_icu;
mod lifesnaps;
mod lose_it;
mod mapped;
mod mi_fitness;
mod myfitnesspal;
mod nightscout;
mod odd_files;
mod open_mhealth;
mod oura;
mod people;
mod polar;
mod properties;
mod reference;
mod samsung_health;
mod sleep_as_android;
mod strava;
mod t1d_uom;
mod t1d_uom_watch;
mod tables;
mod tidepool;
mod ultrahuman;
mod whoop;
mod withings;
mod wrong;
mod zepp;
