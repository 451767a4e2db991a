//! Lose It!'s CSV export: `food-logs.csv` (a food per row), and small tables of a value per day such as
//! `steps.csv`, `sleep-hours.csv`, `body-fat.csv`.
//!
//! Dates are `MM/DD/YYYY`, without times. Rows with `Deleted` are left out, and so are exercises among the
//! foods (their calories are below 0). `n/a` is an unknown nutrient. The foods of a meal are added up. What
//! a table of values holds, only the name of its file says. Weights have no unit and are left out, as are
//! the daily summary, which is derived, and `garmin-calories.csv`, which repeats an exercise.

use crate::batch::Importer;
use crate::dates;
use crate::diary::{Meals, Nutrients, Sitting, amount};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::readings::{Place, Reading};
use crate::report::SkipReason;
use crate::sample::{Confidence, file_name};
use crate::table::Table;
use crate::time::DateOrder;
use std::path::Path;
use vitalcast_domain::{MetricType as M, Unit};

const SOURCE: &str = "lose-it";

/// Files of a value per day.
const VALUES: [(&str, M, Unit); 5] = [
    ("steps", M::Steps, Unit::Count),
    ("sleephours", M::SleepDuration, Unit::Hours),
    ("sleep", M::SleepDuration, Unit::Hours),
    ("bodyfat", M::BodyFatPercentage, Unit::Percent),
    ("restingheartrate", M::RestingHeartRate, Unit::PerMinute),
];

/// The export of Lose It!.
pub(crate) static READER: FormatReader = FormatReader {
    word: "lose-it",
    title: "Lose It!",
    export: "On the site: Settings, Export data to file: a zip file with `food-logs.csv` and others. The weekly \
             report of foods (CSV) is read too.",
    gives: &[
        Gives {
            what: "meals",
            from: "`food-logs.csv`: `Date`, `Meal` or `Type`, `Calories`, nutrients",
            unit: "kcal, g",
            note: "foods are added up by meal; deleted foods and exercises are left out",
        },
        Gives {
            what: "STEPS, SLEEP_DURATION, BODY_FAT_PERCENTAGE, RESTING_HEART_RATE",
            from: "`steps.csv`, `sleep-hours.csv`, `body-fat.csv`, `resting-heart-rate.csv`: `Value`",
            unit: "count, h, %, bpm",
            note: "one value a day; weights have no unit and are left out",
        },
    ],
    recognises: |sample| {
        if sample.is_table(is_foods) {
            Confidence::Certain
        } else {
            let named = value_of(sample.path).is_some();
            Confidence::certain_if(named && sample.is_table(is_values))
        }
    },
    read: Read::Each(read),
};

fn is_foods(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Date", "Name", "Quantity", "Units", "Calories"])
        && (columns.has("Icon") || columns.has("Deleted"))
        && (columns.has("Meal") || columns.has("Type"))
}

fn is_values(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Date", "Value", "Last Updated"])
}

/// What the name of a file says about its values.
fn value_of(path: &Path) -> Option<(M, Unit)> {
    let name = file_name(path);
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    let letters = crate::words::letters(name);
    let found = VALUES.iter().find(|(known, _, _)| *known == letters);
    found.map(|(_, metric, unit)| (*metric, *unit))
}

fn is_true(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true")
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut table = Table::open(path, &READER)?;
    let date = table.required(&["Date"])?;
    let deleted = table.column(&["Deleted"]);
    let order = DateOrder::MonthFirst;
    if table.column(&["Calories"]).is_none() {
        let value = table.required(&["Value"])?;
        let Some((metric, unit)) = value_of(path) else {
            importer.skip(SkipReason::OtherFile);
            return Ok(());
        };
        while let Some(row) = table.next(importer)? {
            if is_true(row.text(deleted)) {
                importer.skip(SkipReason::NotRead);
                continue;
            }
            let day = dates::day(row.text(Some(date)), order, "Date");
            match day.and_then(|day| Ok((day, amount(&row, Some(value), "Value")?))) {
                Ok((day, Some(value))) => {
                    let reading = if metric.is_of_the_night() {
                        Reading::of_morning(metric, value, unit, day)
                    } else if metric.is_amount() {
                        let kind = importer.kind_of_total(&user, day);
                        Reading::of_day(metric, value, unit, day).kind(kind)
                    } else {
                        Reading::of_day(metric, value, unit, day)
                    };
                    importer.reading(&user, SOURCE, row.place(), reading)?;
                }
                Ok((_, None)) => importer.skip(SkipReason::Missing),
                Err(fault) => importer.reject(row.reject(fault))?,
            }
        }
        return Ok(());
    }
    let meal = table.column(&["Meal", "Type"]);
    let nutrients = Nutrients::of(&table);
    let mut meals = Meals::default();
    while let Some(row) = table.next(importer)? {
        let name = row.text(meal);
        let day = dates::day(row.text(Some(date)), order, "Date");
        match day.and_then(|day| Ok((day, nutrients.read(&row)?))) {
            Ok(_) if is_true(row.text(deleted)) => importer.skip(SkipReason::NotRead),
            Ok((_, eaten))
                if name.eq_ignore_ascii_case("exercise")
                    || eaten.energy_kcal.is_some_and(|energy| energy < 0.0) =>
            {
                importer.skip(SkipReason::NothingEaten);
            }
            Ok((day, eaten)) => {
                let (name, time) = (name.to_owned(), None);
                meals.add(Sitting { day, time, name }, &eaten, row.line());
            }
            Err(fault) => importer.reject(row.reject(fault))?,
        }
    }
    meals.finish(
        importer,
        &user,
        SOURCE,
        Place {
            file: path,
            line: 0,
        },
    )
}
