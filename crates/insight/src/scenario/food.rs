//! Food: the meals of a day are multiplied, moved, left out or added to.
//!
//! Energy follows the macros with Atwater's general factors, 4 kcal a gram of protein and carbohydrate
//! and 9 of fat (Atwater and Bryant, 1900).

use super::change::{Changed, Day, SOURCE};
use super::error::ScenarioError;
use super::lever::Lever;
use super::reading::again;
use chrono::{Days, NaiveTime, Timelike};
use std::collections::BTreeMap;
use vitalcast_domain::{Meal, Moment, Provenance, Record, Told};
use vitalcast_features::{FeatureId, LATE_HOUR};

/// Hour at which late food is added.
const LATE_SNACK: f64 = 21.0;
/// Hour of a meal that is added by somebody whose meals have no times.
const NOON: f64 = 12.5;
/// Energy that macros and calories may differ by, as a share: labels round, alcohol has none of them.
const TOLERANCE: f64 = 0.1;

/// A nutrient, with its energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Macro {
    Protein,
    Carbs,
    Fat,
}

impl Macro {
    const ALL: [Self; 3] = [Self::Protein, Self::Carbs, Self::Fat];

    fn energy(self) -> f64 {
        match self {
            Self::Protein | Self::Carbs => 4.0,
            Self::Fat => 9.0,
        }
    }

    fn lever(self) -> Lever {
        match self {
            Self::Protein => Lever::Protein,
            Self::Carbs => Lever::Carbs,
            Self::Fat => Lever::Fat,
        }
    }

    fn of(self, meal: &mut Meal) -> &mut Option<f64> {
        match self {
            Self::Protein => &mut meal.protein_g,
            Self::Carbs => &mut meal.carbs_g,
            Self::Fat => &mut meal.fat_g,
        }
    }

    fn amount(self, meal: &Meal) -> f64 {
        match self {
            Self::Protein => meal.protein_g,
            Self::Carbs => meal.carbs_g,
            Self::Fat => meal.fat_g,
        }
        .unwrap_or(0.0)
    }
}

/// A meal on its way through the changes.
struct Plate {
    /// As it was recorded; `None` for one that is added.
    old: Option<Meal>,
    meal: Meal,
    is_out: bool,
}

impl Plate {
    fn hour(&self) -> Option<f64> {
        self.meal.time_known().then(|| {
            let time = self.meal.provenance.local_time().time();
            f64::from(time.num_seconds_from_midnight()) / 3_600.0
        })
    }

    fn is_late(&self) -> bool {
        self.hour().is_some_and(|hour| hour >= LATE_HOUR)
    }

    fn multiply(&mut self, factor: f64) {
        let meal = &mut self.meal;
        for amount in [
            &mut meal.energy_kcal,
            &mut meal.protein_g,
            &mut meal.carbs_g,
            &mut meal.fat_g,
            &mut meal.fiber_g,
            &mut meal.sugar_g,
        ] {
            *amount = amount.map(|amount| amount * factor);
        }
    }

    /// Another amount of a nutrient; energy moves with it.
    fn set(&mut self, of: Macro, amount: f64) {
        let more = amount - of.amount(&self.meal);
        *of.of(&mut self.meal) = Some(amount);
        if of == Macro::Carbs {
            let factor = if amount - more > 0.0 {
                amount / (amount - more)
            } else {
                1.0
            };
            self.meal.sugar_g = self.meal.sugar_g.map(|sugar| sugar * factor);
        }
        self.move_energy(more * of.energy());
    }

    fn move_energy(&mut self, by: f64) {
        let energy = self.meal.energy_kcal;
        self.meal.energy_kcal = energy.map(|energy| (energy + by).max(0.0));
    }
}

/// What is set of a day's food.
struct Wanted {
    energy: Option<f64>,
    macros: [Option<f64>; 3],
    fiber: Option<f64>,
    last_meal: Option<f64>,
    late_carbs: Option<f64>,
    late_energy: Option<f64>,
}

impl Wanted {
    fn of(set: &BTreeMap<Lever, f64>) -> Self {
        let of = |lever: Lever| set.get(&lever).copied();
        Self {
            energy: of(Lever::Energy),
            macros: Macro::ALL.map(|one| of(one.lever())),
            fiber: of(Lever::Fiber),
            last_meal: of(Lever::LastMeal),
            late_carbs: of(Lever::LateCarbs),
            late_energy: of(Lever::LateEnergy),
        }
    }

    fn is_empty(&self) -> bool {
        let Self {
            energy,
            macros,
            fiber,
            last_meal,
            late_carbs,
            late_energy,
        } = self;
        [energy, fiber, last_meal, late_carbs, late_energy]
            .into_iter()
            .chain(macros)
            .all(Option::is_none)
    }

    fn is_late_set(&self) -> bool {
        self.late_carbs.is_some() || self.late_energy.is_some()
    }

    /// Amounts that cannot all hold, whatever the day was.
    fn check(&self) -> Result<(), ScenarioError> {
        let contradictory = |why| Err(ScenarioError::Contradictory(why));
        if let Some(energy) = self.energy {
            let named: f64 = Macro::ALL
                .iter()
                .zip(self.macros)
                .map(|(of, grams)| of.energy() * grams.unwrap_or(0.0))
                .sum();
            if named > energy * (1.0 + TOLERANCE) + 1.0 {
                return contradictory(
                    "protein, carbohydrate and fat hold more energy than the calories",
                );
            }
            let all = self.macros.iter().all(Option::is_some);
            if all && named < energy * (1.0 - TOLERANCE) - 1.0 {
                return contradictory(
                    "protein, carbohydrate and fat hold less energy than the calories",
                );
            }
        }
        let exceeds = |late: Option<f64>, total: Option<f64>| {
            late.zip(total).is_some_and(|(late, total)| late > total)
        };
        if exceeds(self.late_energy, self.energy) || exceeds(self.late_carbs, self.macros[1]) {
            return contradictory("more is eaten after 20:00 than in the whole day");
        }
        if let (Some(carbs), Some(energy)) = (self.late_carbs, self.late_energy)
            && carbs * 4.0 > energy * (1.0 + TOLERANCE) + 1.0
        {
            return contradictory(
                "the carbohydrate after 20:00 holds more energy than is eaten then",
            );
        }
        if let Some(hour) = self.last_meal {
            let late = [self.late_carbs, self.late_energy];
            let mut late = late.into_iter().flatten();
            let has_late = late.clone().any(|amount| amount > 0.0);
            if has_late && hour < LATE_HOUR {
                return contradictory("the last meal is before 20:00, and food is eaten after it");
            }
            if hour >= LATE_HOUR && late.any(|amount| amount == 0.0) {
                return contradictory("the last meal is after 20:00, and nothing is eaten then");
            }
        }
        Ok(())
    }
}

/// Changes the meals of a day.
pub(super) fn change_food(
    day: &Day,
    set: &BTreeMap<Lever, f64>,
    changed: &mut Changed,
) -> Result<(), ScenarioError> {
    let wanted = Wanted::of(set);
    if wanted.is_empty() {
        return Ok(());
    }
    wanted.check()?;
    let mut table = Table {
        day,
        plates: meals_of(day),
        added: 0,
    };
    // What is added as a record is eaten too.
    let recorded = table.plates.len();
    if wanted.is_late_set() {
        table.set_late(wanted.late_carbs, wanted.late_energy);
    }
    if let Some(hour) = wanted.last_meal {
        table.move_last(hour)?;
    }
    table.set_totals(&wanted)?;
    for (place, plate) in table.plates.into_iter().enumerate() {
        match plate.old {
            Some(old) if plate.is_out => changed.leave_out(&Record::Meal(old)),
            Some(old) if old != plate.meal => {
                let old = Record::Meal(old);
                let mut new = plate.meal;
                new.provenance = again(&new.provenance);
                changed.replace(&old, Record::Meal(new).placed(&day.profile));
            }
            Some(_) => {}
            None => {
                debug_assert!(place >= recorded);
                changed.added.push(Record::Meal(plate.meal));
            }
        }
    }
    Ok(())
}

fn meals_of(day: &Day) -> Vec<Plate> {
    let meals = day.records.iter().filter_map(|record| match record {
        Record::Meal(meal) => Some(meal.clone()),
        Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
    });
    meals
        .map(|meal| Plate {
            old: Some(meal.clone()),
            meal,
            is_out: false,
        })
        .collect()
}

struct Table<'a> {
    day: &'a Day,
    plates: Vec<Plate>,
    added: usize,
}

impl Table<'_> {
    fn left(&mut self) -> impl Iterator<Item = &mut Plate> {
        self.plates.iter_mut().filter(|plate| !plate.is_out)
    }

    /// The time of an hour of the day on the person's clock.
    fn clock(&self, hour: f64) -> Moment {
        let seconds = (hour * 3_600.0).round().clamp(0.0, 86_399.0) as u32;
        let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default();
        // Where a day begins later than at midnight, the hours before are those after its evening.
        let is_after_midnight = time.hour() < self.day.profile.day_begins_hour;
        let date = self.day.date + Days::new(u64::from(is_after_midnight));
        Moment::Clock(date.and_time(time))
    }

    fn add(&mut self, hour: f64, fill: impl FnOnce(&mut Meal)) {
        self.added += 1;
        let source = self.plates.first().map_or_else(
            || usual_diary(self.day),
            |plate| plate.meal.provenance.source.clone(),
        );
        let id = format!("{SOURCE}-meal-{}", self.added);
        let told = Told::at(self.clock(hour));
        let mut meal = Meal {
            provenance: Provenance::told(source, id, told),
            name: None,
            meal_type: None,
            energy_kcal: None,
            protein_g: None,
            carbs_g: None,
            fat_g: None,
            fiber_g: None,
            sugar_g: None,
        };
        fill(&mut meal);
        if let Record::Meal(meal) = Record::Meal(meal).placed(&self.day.profile) {
            self.plates.push(Plate {
                old: None,
                meal,
                is_out: false,
            });
        }
    }

    fn set_late(&mut self, carbs: Option<f64>, energy: Option<f64>) {
        let day = self.day;
        let held = |lever| day.value(lever).filter(|held| *held > 0.0);
        let factor = |wanted: Option<f64>, lever| Some(wanted? / held(lever)?);
        let by_carbs = factor(carbs, Lever::LateCarbs);
        let by_energy = factor(energy, Lever::LateEnergy);
        let nothing = [carbs, energy]
            .into_iter()
            .flatten()
            .all(|amount| amount == 0.0);
        if nothing {
            for plate in self.left().filter(|plate| plate.is_late()) {
                plate.is_out = true;
            }
            return;
        }
        match (by_carbs, by_energy) {
            (Some(carbs), Some(energy)) => {
                for plate in self.left().filter(|plate| plate.is_late()) {
                    let own = plate.meal.carbs_g;
                    plate.multiply(energy);
                    plate.meal.carbs_g = own.map(|own| own * carbs);
                }
            }
            (Some(factor), None) | (None, Some(factor)) => {
                for plate in self.left().filter(|plate| plate.is_late()) {
                    plate.multiply(factor);
                }
            }
            (None, None) => {
                let shares = Shares::of(day);
                self.add(LATE_SNACK, |meal| {
                    let energy = energy.or(carbs.map(|grams| grams * 4.0));
                    meal.energy_kcal = energy;
                    match (carbs, energy) {
                        (Some(grams), Some(energy)) => {
                            meal.carbs_g = Some(grams);
                            meal.protein_g = Some(0.0);
                            meal.fat_g = Some((energy - 4.0 * grams).max(0.0) / 9.0);
                        }
                        (None, Some(energy)) => shares.fill(meal, energy),
                        (_, None) => {}
                    }
                });
            }
        }
    }

    fn move_last(&mut self, hour: f64) -> Result<(), ScenarioError> {
        let held = self.left().filter_map(|plate| plate.hour());
        let Some(last) = held.reduce(f64::max) else {
            return Err(ScenarioError::Impossible {
                feature: Lever::LastMeal.name(),
                why: "no meal with a time is recorded",
            });
        };
        let to = self.clock(hour);
        let begin = if hour >= last { last } else { hour };
        let profile = self.day.profile.clone();
        for plate in self.left() {
            let moves = plate.hour().is_some_and(|at| at >= begin && at != hour);
            if moves {
                plate.meal.provenance.told.at = to;
                plate.meal.provenance.told.until = None;
                let mut record = Record::Meal(plate.meal.clone());
                record.place(&profile);
                if let Record::Meal(meal) = record {
                    plate.meal = meal;
                }
            }
        }
        Ok(())
    }

    /// Sum of something over the meals that totals are made of.
    fn sum(&mut self, only_early: bool, of: impl Fn(&Meal) -> f64) -> f64 {
        self.left()
            .filter(|plate| !only_early || !plate.is_late())
            .map(|plate| of(&plate.meal))
            .sum()
    }

    fn set_totals(&mut self, wanted: &Wanted) -> Result<(), ScenarioError> {
        // Late food that is set stays as it was set.
        let early = wanted.is_late_set();
        let too_little = || {
            Err(ScenarioError::Contradictory(
                "what is eaten after 20:00 is more than the whole day",
            ))
        };
        // Meals that two diaries hold count once: their sum is a part of that of all.
        let counted = |table: &mut Self, lever: Lever, of: fn(&Meal) -> f64| {
            let raw: f64 = table
                .plates
                .iter()
                .filter_map(|plate| plate.old.as_ref())
                .map(of)
                .sum();
            match table.day.value(lever) {
                Some(counted) if raw > 0.0 && counted > 0.0 => counted / raw,
                Some(_) | None => 1.0,
            }
        };
        let mut fresh: [Option<f64>; 4] = [None; 4];
        for (place, (of, grams)) in Macro::ALL.into_iter().zip(wanted.macros).enumerate() {
            let Some(grams) = grams else { continue };
            let share = counted(
                self,
                of.lever(),
                match of {
                    Macro::Protein => |meal| meal.protein_g.unwrap_or(0.0),
                    Macro::Carbs => |meal| meal.carbs_g.unwrap_or(0.0),
                    Macro::Fat => |meal| meal.fat_g.unwrap_or(0.0),
                },
            );
            let whole = self.sum(false, |meal| of.amount(meal)) * share;
            let held = self.sum(early, |meal| of.amount(meal)) * share;
            let fixed = whole - held;
            if grams < fixed - 1e-9 {
                return too_little();
            }
            if held <= 0.0 {
                fresh[place] = Some(grams - fixed);
                continue;
            }
            let factor = (grams - fixed).max(0.0) / held;
            let plates = self.left().filter(|plate| !early || !plate.is_late());
            for plate in plates {
                if of.of(&mut plate.meal).is_some() {
                    let amount = of.amount(&plate.meal) * factor;
                    plate.set(of, amount);
                }
            }
        }
        if let Some(fiber) = wanted.fiber {
            let share = counted(self, Lever::Fiber, |meal| meal.fiber_g.unwrap_or(0.0));
            let held = self.sum(false, |meal| meal.fiber_g.unwrap_or(0.0)) * share;
            if held > 0.0 {
                for plate in self.left() {
                    plate.meal.fiber_g = plate.meal.fiber_g.map(|own| own * fiber / held);
                }
            } else {
                fresh[3] = Some(fiber);
            }
        }
        self.add_fresh(fresh, wanted.energy);
        match wanted.energy {
            Some(energy) => self.set_energy(energy, wanted, early),
            None => Ok(()),
        }
    }

    /// Amounts that no meal of the day holds: a meal of their own.
    fn add_fresh(&mut self, fresh: [Option<f64>; 4], energy: Option<f64>) {
        let nothing = fresh.iter().flatten().all(|amount| *amount <= 0.0);
        let has_meals = self.left().next().is_some();
        if nothing && (has_meals || energy.is_none_or(|energy| energy <= 0.0)) {
            return;
        }
        let day = self.day;
        let shares = Shares::of(day);
        let named = fresh.iter().any(Option::is_some);
        let only_energy = energy.filter(|_| !has_meals && !named);
        self.add(usual_hour(day), |meal| {
            let [protein, carbs, fat, fiber] = fresh;
            (meal.protein_g, meal.carbs_g, meal.fat_g) = (protein, carbs, fat);
            meal.fiber_g = fiber;
            let of_macros: f64 = Macro::ALL
                .iter()
                .map(|of| of.energy() * of.amount(meal))
                .sum();
            meal.energy_kcal = Some(of_macros);
            if let Some(energy) = only_energy {
                meal.energy_kcal = Some(energy);
                shares.fill(meal, energy);
            }
        });
    }

    fn set_energy(
        &mut self,
        energy: f64,
        wanted: &Wanted,
        early: bool,
    ) -> Result<(), ScenarioError> {
        let of_energy = |meal: &Meal| meal.energy_kcal.unwrap_or(0.0);
        let raw: f64 = self
            .plates
            .iter()
            .filter_map(|plate| plate.old.as_ref())
            .map(of_energy)
            .sum();
        let share = match self.day.value(Lever::Energy) {
            Some(counted) if raw > 0.0 && counted > 0.0 => counted / raw,
            Some(_) | None => 1.0,
        };
        let whole = self.sum(false, of_energy) * share;
        let held = self.sum(early, of_energy) * share;
        let fixed = whole - held;
        if energy < fixed - 1e-9 {
            return Err(ScenarioError::Contradictory(
                "what is eaten after 20:00 is more than the whole day",
            ));
        }
        if held <= 0.0 {
            return Err(ScenarioError::Impossible {
                feature: Lever::Energy.name(),
                why: "the meals of the day have no energy",
            });
        }
        let target = (energy - fixed).max(0.0);
        let unnamed: Vec<Macro> = Macro::ALL
            .into_iter()
            .zip(wanted.macros)
            .filter_map(|(of, set)| set.is_none().then_some(of))
            .collect();
        if unnamed.len() == Macro::ALL.len() {
            let factor = target / held;
            let fiber = wanted.fiber.is_some();
            for plate in self.left().filter(|plate| !early || !plate.is_late()) {
                let own = plate.meal.fiber_g;
                plate.multiply(factor);
                if fiber {
                    plate.meal.fiber_g = own;
                }
            }
            return Ok(());
        }
        // What the named ones leave, the others fill.
        let of_unnamed =
            |meal: &Meal| -> f64 { unnamed.iter().map(|of| of.energy() * of.amount(meal)).sum() };
        let free = self.sum(early, of_unnamed) * share;
        let factor = if free > 0.0 {
            1.0 + (target - held) / free
        } else {
            f64::NAN
        };
        if factor >= 0.0 {
            for plate in self.left().filter(|plate| !early || !plate.is_late()) {
                for of in &unnamed {
                    if of.of(&mut plate.meal).is_some() {
                        let amount = of.amount(&plate.meal) * factor;
                        plate.set(*of, amount);
                    }
                }
            }
        } else if (target - held).abs() > TOLERANCE * target.max(held) {
            return Err(ScenarioError::Contradictory(
                "protein, carbohydrate and fat do not fit the calories",
            ));
        }
        // What labels round away.
        let held = self.sum(early, of_energy) * share;
        if held > 0.0 {
            for plate in self.left().filter(|plate| !early || !plate.is_late()) {
                plate.meal.energy_kcal = plate.meal.energy_kcal.map(|own| own * target / held);
            }
        }
        Ok(())
    }
}

/// The shares of energy that the macros of a day or of its week have.
#[derive(Clone, Copy)]
struct Shares([f64; 3]);

impl Shares {
    fn of(day: &Day) -> Self {
        /// What people eat on average; for somebody of whom nothing is known.
        const USUAL: [f64; 3] = [0.16, 0.5, 0.34];
        let of = |features: [FeatureId; 4]| {
            let [energy, protein, carbs, fat] = features.map(|feature| day.feature(feature));
            let energy = energy.filter(|energy| *energy > 0.0)?;
            Some([
                protein? * 4.0 / energy,
                carbs? * 4.0 / energy,
                fat? * 9.0 / energy,
            ])
        };
        let today = of([
            FeatureId::CaloriesDaily,
            FeatureId::ProteinDaily,
            FeatureId::CarbsDaily,
            FeatureId::FatDaily,
        ]);
        let week = || {
            of([
                FeatureId::Calories7dAvg,
                FeatureId::Protein7dAvg,
                FeatureId::Carbs7dAvg,
                FeatureId::Fat7dAvg,
            ])
        };
        Self(today.or_else(week).unwrap_or(USUAL))
    }

    fn fill(self, meal: &mut Meal, energy: f64) {
        for (of, share) in Macro::ALL.into_iter().zip(self.0) {
            *of.of(meal) = Some(share * energy / of.energy());
        }
    }
}

/// The diary of most of the month's meals.
fn usual_diary(day: &Day) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &day.month {
        if let Record::Meal(meal) = record {
            *counts.entry(&meal.provenance.source).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(|| SOURCE.to_owned(), |(source, _)| source.to_owned())
}

/// The median hour of the month's meals.
fn usual_hour(day: &Day) -> f64 {
    let mut hours: Vec<f64> = day
        .month
        .iter()
        .filter_map(|record| match record {
            Record::Meal(meal) if meal.time_known() => {
                let time = meal.provenance.local_time().time();
                Some(f64::from(time.num_seconds_from_midnight()) / 3_600.0)
            }
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => {
                None
            }
        })
        .collect();
    hours.sort_by(f64::total_cmp);
    let hour = hours.get(hours.len() / 2).copied().unwrap_or(NOON);
    // A meal that is added for a total is no late food.
    hour.min(LATE_HOUR - 0.5)
}
