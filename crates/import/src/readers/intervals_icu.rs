//! intervals.icu's wellness data, as CSV or as the JSON of its API: a row per local day.
//!
//! `id` (in CSV also `date`) is the day. `hrv` is RMSSD, `hrvSDNN` is SDNN, `sleepSecs` are seconds. A value
//! with `tempRestingHR` or `tempWeight` beside it is a stand-in and left out. `readiness` has the scale of
//! whoever wrote it: it is read only if the file has one above 10, as scores of 0 to 100 have. Subjective
//! fields (1 is best) and computed ones (`ctl`, `atl`) are left out, and so is a predicted menstrual phase.

use crate::batch::Importer;
use crate::dates;
use crate::diary::{Eaten, meal};
use crate::error::ImportError;
use crate::fields::{Fields, Object};
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::json::is_json;
use crate::objects::{each_object, first_look};
use crate::readings::{Place, Reading};
use crate::report::SkipReason;
use crate::sample::Confidence;
use crate::table::{Fault, Table};
use crate::text::Text;
use crate::time::{DateOrder, Stamp, iso};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::path::Path;
use vitalcast_domain::{MetricType as M, Moment, Provenance, Record, Told, Unit, UserId};

const SOURCE: &str = "intervals-icu";
/// Highest readiness on the scales that are no scores of 0 to 100.
const SMALL_SCALE: f64 = 10.0;
/// Weights that a profile accepts, kg.
const WEIGHTS: std::ops::RangeInclusive<f64> = 2.0..=700.0;
/// Days without `PERIOD` after which a period is the next one.
const NEXT_PERIOD: i64 = 10;
/// Most starts of cycles that are kept.
const MOST_CYCLES: usize = 500;

/// The wellness data of intervals.icu.
pub(crate) static READER: FormatReader = FormatReader {
    word: "intervals-icu",
    title: "intervals.icu",
    export: "Settings, Developer Settings, or Settings, Download data: the wellness file (CSV); or the answer of \
             `/api/v1/athlete/{id}/wellness` (JSON).",
    gives: &[
        Gives {
            what: "RESTING_HEART_RATE, SLEEPING_HEART_RATE",
            from: "`restingHR`, `avgSleepingHR`",
            unit: "bpm",
            note: "not if `tempRestingHR` is true",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, HEART_RATE_VARIABILITY_SDNN",
            from: "`hrv`, `hrvSDNN`",
            unit: "ms",
            note: "",
        },
        Gives {
            what: "SLEEP_DURATION, SLEEP_SCORE",
            from: "`sleepSecs`, `sleepScore`",
            unit: "s, 0 to 100",
            note: "`sleepQuality` (1 to 4) is left out",
        },
        Gives {
            what: "RECOVERY_SCORE",
            from: "`readiness`",
            unit: "0 to 100",
            note: "only if a value of the file is above 10; smaller scales are no recovery scores",
        },
        Gives {
            what: "STEPS, OXYGEN_SATURATION, RESPIRATORY_RATE, BODY_FAT_PERCENTAGE, VO2_MAX, blood pressure",
            from: "`steps`, `spO2`, `respiration`, `bodyFat`, `vo2max`, `systolic`, `diastolic`",
            unit: "count, %, /min, %, mL/kg/min, mmHg",
            note: "",
        },
        Gives {
            what: "meals",
            from: "`kcalConsumed`, `carbohydrates`, `protein`, `fatTotal`",
            unit: "kcal, g",
            note: "one a day; weight and starts of periods go into a new profile",
        },
    ],
    recognises: |sample| {
        let is_table = sample.is_table(is_known);
        Confidence::certain_if(is_table || sample.is_json(|keys| keys.pass(is_known)))
    },
    read: Read::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["restingHR", "sleepSecs"])
        && (columns.has("id") || columns.has("date"))
        && (columns.has("hrv") || columns.has("hrvSDNN") || columns.has("ctl"))
}

/// Values of a day: name, metric, unit, and whether it is known in the morning.
const VALUES: [(&str, M, Unit, bool); 13] = [
    ("restingHR", M::RestingHeartRate, Unit::PerMinute, false),
    (
        "hrv",
        M::HeartRateVariabilityRmssd,
        Unit::Milliseconds,
        true,
    ),
    (
        "hrvSDNN",
        M::HeartRateVariabilitySdnn,
        Unit::Milliseconds,
        true,
    ),
    ("sleepSecs", M::SleepDuration, Unit::Seconds, true),
    ("sleepScore", M::SleepScore, Unit::Score, true),
    ("avgSleepingHR", M::SleepingHeartRate, Unit::PerMinute, true),
    ("readiness", M::RecoveryScore, Unit::Score, true),
    ("steps", M::Steps, Unit::Count, false),
    ("spO2", M::OxygenSaturation, Unit::Percent, false),
    ("respiration", M::RespiratoryRate, Unit::PerMinute, false),
    ("bodyFat", M::BodyFatPercentage, Unit::Percent, false),
    (
        "systolic",
        M::BloodPressureSystolic,
        Unit::MillimetresOfMercury,
        false,
    ),
    (
        "diastolic",
        M::BloodPressureDiastolic,
        Unit::MillimetresOfMercury,
        false,
    ),
];

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut survey = Survey::default();
    each(None, path, &mut |_, _, cells| {
        survey.see(cells);
        Ok(())
    })?;
    survey.periods.sort_unstable();
    let user = importer.owner_like(path, |profile| {
        profile.weight_kg = survey.weight.map(|(_, weight)| weight);
        profile.cycle_starts = survey.cycle_starts();
    })?;
    each(
        Some(importer),
        path,
        &mut |importer, place, cells| match importer {
            Some(importer) => read_day(importer, &user, place, cells, survey.is_score),
            None => Ok(()),
        },
    )?;
    if survey.has_readiness && !survey.is_score {
        importer.note(
            "readiness is left out: no value is above 10, so it is no score of 0 to 100".to_owned(),
        );
    }
    Ok(())
}

type Visit<'v> =
    dyn FnMut(Option<&mut Importer<'_>>, Place<'_>, &Fields) -> Result<(), ImportError> + 'v;

/// Visits the rows of a file: for a first look without an importer, then with it.
fn each(
    importer: Option<&mut Importer<'_>>,
    path: &Path,
    visit: &mut Visit<'_>,
) -> Result<(), ImportError> {
    if is_json(Text::open(path)?.unread()) {
        return match importer {
            Some(importer) => {
                each_object::<Object>(importer, path, &is_known, |importer, place, object| {
                    visit(Some(importer), place, &Fields::of_object(&object))
                })
            }
            None => first_look(path, &is_known, |place, object| {
                visit(None, place, &Fields::of_object(object))
            }),
        };
    }
    let mut table = Table::open(path, &READER)?;
    let names = table.names().to_vec();
    match importer {
        Some(importer) => {
            while let Some(row) = table.next(importer)? {
                visit(Some(importer), row.place(), &Fields::of_row(&row, &names))?;
            }
        }
        None => {
            while let Some(row) = table.peek()? {
                visit(None, row.place(), &Fields::of_row(&row, &names))?;
            }
        }
    }
    Ok(())
}

fn day_of(cells: &Fields) -> Result<NaiveDate, Fault> {
    let id = cells.text("id");
    let date = if iso(id).is_some() {
        id
    } else {
        cells.text("date")
    };
    dates::day(date, DateOrder::Unknown, "the day (id)")
}

/// What only the whole file says.
#[derive(Default)]
struct Survey {
    has_readiness: bool,
    is_score: bool,
    weight: Option<(NaiveDate, f64)>,
    /// Days of periods.
    periods: Vec<NaiveDate>,
}

impl Survey {
    fn see(&mut self, cells: &Fields) {
        let Ok(day) = day_of(cells) else { return };
        if let Ok(Some(readiness)) = cells.number("readiness") {
            self.has_readiness |= readiness > 0.0;
            self.is_score |= readiness > SMALL_SCALE;
        }
        if let Ok(Some(weight)) = cells.number("weight")
            && WEIGHTS.contains(&weight)
            && !cells.text("tempWeight").eq_ignore_ascii_case("true")
            && self.weight.is_none_or(|last| day >= last.0)
        {
            self.weight = Some((day, weight));
        }
        if cells.text("menstrualPhase") == "PERIOD" && self.periods.len() < 20 * MOST_CYCLES {
            self.periods.push(day);
        }
    }

    /// First days of periods, of which the days must be sorted.
    fn cycle_starts(&self) -> Vec<NaiveDate> {
        let mut starts = Vec::new();
        let mut last: Option<NaiveDate> = None;
        for day in &self.periods {
            let is_next = last.is_none_or(|last| *day - last > TimeDelta::days(NEXT_PERIOD));
            if is_next && starts.len() < MOST_CYCLES {
                starts.push(*day);
            }
            last = Some(*day);
        }
        starts
    }
}

fn read_day(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    cells: &Fields,
    readiness_is_score: bool,
) -> Result<(), ImportError> {
    let day = match day_of(cells) {
        Ok(day) => day,
        Err(fault) => return importer.reject(place.reject(fault)),
    };
    let updated: Option<DateTime<Utc>> = match iso(cells.text("updated")) {
        Some(Stamp::Instant(at, _)) => Some(at),
        Some(Stamp::Wall(_) | Stamp::Day(_)) | None => None,
    };
    let stand_in = cells.text("tempRestingHR").eq_ignore_ascii_case("true");
    let vo2 = (
        "vo2max",
        M::Vo2Max,
        Unit::MillilitresPerKilogramMinute,
        false,
    );
    for (name, metric, unit, is_of_morning) in VALUES.into_iter().chain([vo2]) {
        let value = match cells.number(name) {
            Ok(Some(value)) => value,
            Ok(None) => continue,
            Err(fault) => {
                importer.reject(place.reject(fault))?;
                continue;
            }
        };
        let is_left_out = (metric == M::RestingHeartRate && stand_in)
            || (metric == M::RecoveryScore && !readiness_is_score);
        if is_left_out {
            importer.skip(SkipReason::Missing);
            continue;
        }
        let reading = if is_of_morning {
            Reading::of_morning(metric, value, unit, day)
        } else {
            Reading::of_day(metric, value, unit, day)
        };
        let reading = if metric.is_amount() {
            reading.kind(importer.kind_of_total(user, day))
        } else {
            reading
        };
        let id = format!("{name}-{day}");
        importer.reading(user, SOURCE, place, reading.id(id).updated(updated))?;
    }
    let nutrients = || {
        Ok(Eaten {
            energy_kcal: cells.number("kcalConsumed")?,
            grams: [
                cells.number("protein")?,
                cells.number("carbohydrates")?,
                cells.number("fatTotal")?,
                None,
                None,
            ],
        })
    };
    match nutrients() {
        Ok(eaten) if eaten.is_nothing() => Ok(()),
        Ok(eaten) => {
            let told = Told {
                updated_at: updated,
                ..Told::at(Moment::Date(day))
            };
            let provenance = Provenance::told(SOURCE, format!("day-{day}"), told);
            importer.checked(user, place, Record::Meal(meal(provenance, None, &eaten)))
        }
        Err(fault) => importer.reject(place.reject(fault)),
    }
}
