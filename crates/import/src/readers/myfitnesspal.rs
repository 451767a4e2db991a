//! MyFitnessPal's CSV export "Nutrition Summary": a row per day and meal, without times, in no fixed order.
//!
//! Meals have the names that the person gave them. The header does not name the unit of energy: it is kcal,
//! unless the energies of the file are about four times what its macronutrients give; then it is kJ. Dates
//! are ISO, in older exports `6/28/2011`. Vitamins and minerals are left out.

use crate::batch::Importer;
use crate::dates;
use crate::diary::{EnergyCheck, Meals, Nutrients, Sitting};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading};
use crate::readings::Place;
use crate::repeats::Repeats;
use crate::report::SkipReason;
use crate::sample::Confidence;
use crate::survey::{Dates, LOOKED_AT};
use crate::table::Table;
use crate::time::DateOrder;
use std::path::Path;
use vitalcast_domain::Unit;

const SOURCE: &str = "myfitnesspal";

/// The export of MyFitnessPal.
pub(crate) static READER: FormatReader = FormatReader {
    word: "myfitnesspal",
    title: "MyFitnessPal",
    export: "On the site: Reports, Export Data (paid accounts): a zip file with `Nutrition-Summary-….csv`.",
    gives: &[Gives {
        what: "meals",
        from: "`Nutrition-Summary-….csv`: `Date`, `Meal`, `Calories`, `Protein (g)`, `Carbohydrates (g)`, \
               `Fat (g)`, `Fiber`, `Sugar`",
        unit: "kcal (kJ is recognised by the macronutrients), g",
        note: "a row per meal, without a time",
    }],
    recognises: |sample| Confidence::certain_if(sample.is_table(is_known)),
    read: Reading::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Date", "Meal"])
        && (columns.has("Polyunsaturated Fat") || columns.has("Polyunsaturated"))
        && (columns.has("Carbohydrates (g)") || columns.has("Carbohydrates"))
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut first = Table::open(path, &READER)?;
    let (date, mut nutrients) = (first.column(&["Date"]), Nutrients::of(&first));
    let (mut dates, mut energies) = (Dates::default(), EnergyCheck::default());
    while first.position() <= LOOKED_AT
        && let Some(row) = first.peek()?
    {
        dates.see(row.text(date));
        if let Ok(eaten) = nutrients.read(&row) {
            energies.see(&eaten);
        }
    }
    if !nutrients.is_named && energies.are_kilojoules() {
        nutrients.unit = Unit::Kilojoules;
        importer.note(
            "the energies of the diary are read as kilojoules: they are four times what the \
             macronutrients give"
                .to_owned(),
        );
    }
    // Without a day above 12 the dates are American, as the site writes them.
    let order = match dates.order() {
        DateOrder::DayFirst => DateOrder::DayFirst,
        DateOrder::MonthFirst | DateOrder::Unknown => DateOrder::MonthFirst,
    };
    let mut table = Table::open(path, &READER)?;
    let (date, meal) = (table.required(&["Date"])?, table.required(&["Meal"])?);
    let mut meals = Meals::default();
    // A row is a whole meal: the same row twice is one.
    let mut seen = Repeats::default();
    while let Some(row) = table.next(importer)? {
        let day = dates::day(row.text(Some(date)), order, "Date");
        match day.and_then(|day| Ok((day, nutrients.read(&row)?))) {
            Ok(_) if !seen.is_new(&row) => importer.skip(SkipReason::Repeated),
            Ok((day, eaten)) => {
                let name = row.text(Some(meal)).to_owned();
                let time = None;
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
