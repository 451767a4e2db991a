//! Units of measurement, and conversions between units of the same kind.

use crate::error::{DomainError, shortened};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A unit of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Beats per minute; breaths per minute share the dimension.
    PerMinute,
    /// Beats or breaths per second, as HealthKit stores them.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// A plain number.
    Count,
    /// A score, 0 to 100 or as its vendor defines it.
    Score,
    /// Per cent, 0 to 100.
    Percent,
    /// A share, 0 to 1.
    Fraction,
    /// Kilocalories.
    Kilocalories,
    /// Kilojoules.
    Kilojoules,
    /// Grams.
    Grams,
    /// Kilograms.
    Kilograms,
    /// Pounds.
    Pounds,
    /// Stones of 14 pounds.
    Stones,
    /// Metres.
    Metres,
    /// Kilometres.
    Kilometres,
    /// Centimetres.
    Centimetres,
    /// International miles.
    Miles,
    /// Yards.
    Yards,
    /// Feet.
    Feet,
    /// Inches.
    Inches,
    /// Degrees Celsius.
    Celsius,
    /// Degrees Fahrenheit.
    Fahrenheit,
    /// Millimetres of mercury.
    MillimetresOfMercury,
    /// Kilopascals.
    Kilopascals,
    /// Milligrams per decilitre (of glucose).
    MilligramsPerDecilitre,
    /// Millimoles per litre (of glucose).
    MillimolesPerLitre,
    /// Millilitres of oxygen per kilogram and minute.
    MillilitresPerKilogramMinute,
}

/// Kilojoules in one thermochemical kilocalorie.
const KILOJOULES_PER_KILOCALORIE: f64 = 4.184;
/// Kilograms in one avoirdupois pound, exact by definition.
const KILOGRAMS_PER_POUND: f64 = 0.453_592_37;
/// Metres in one inch, foot, yard and mile, all exact by definition.
const METRES_PER_INCH: f64 = 0.025_4;
const METRES_PER_FOOT: f64 = 0.304_8;
const METRES_PER_YARD: f64 = 0.914_4;
const METRES_PER_MILE: f64 = 1_609.344;
/// Kilopascals in one conventional millimetre of mercury.
const KILOPASCALS_PER_MMHG: f64 = 0.133_322_387_415;
/// Molar mass of glucose (180.156 g/mol) over ten: mg/dL in one mmol/L.
const GLUCOSE_MG_PER_DL: f64 = 18.0156;

impl Unit {
    /// Parses a unit as vendors write it; case, blanks and a trailing dot are ignored.
    ///
    /// # Errors
    ///
    /// [`DomainError::UnknownWord`] for a word that names no unit here.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        Ok(match &*plain(text) {
            "bpm"
            | "count/min"
            | "count/minute"
            | "counts/min"
            | "b/min"
            | "beat/min"
            | "beats/min"
            | "beats/minute"
            | "beat/minute"
            | "beatsperminute"
            | "beatperminute"
            | "beatspermin"
            | "beats·min-1"
            | "brpm"
            | "br/min"
            | "breath/min"
            | "breaths/min"
            | "breaths/minute"
            | "breathspermin"
            | "breathsperminute"
            | "resp/min"
            | "rpm"
            | "/min"
            | "1/min"
            | "min-1"
            | "min^-1"
            | "perminute"
            | "permin"
            | "schläge/min"
            | "schläge/minute"
            | "schlägeprominute"
            | "s/min"
            | "slagen/min"
            | "slagenperminuut"
            | "battements/min"
            | "battements/minute"
            | "battementsparminute"
            | "bat/min"
            | "pulsaciones/min"
            | "pulsacionesporminuto"
            | "latidos/min"
            | "latidosporminuto"
            | "lat/min"
            | "battiti/min"
            | "battitialminuto"
            | "batimentos/min"
            | "batimentosporminuto"
            | "ppm"
            | "lpm"
            | "atemzüge/min" => Self::PerMinute,
            "count/s" | "count/sec" | "count/second" | "beats/s" | "1/s" | "/s" | "hz" => {
                Self::PerSecond
            }
            "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds"
            | "millisekunden" => Self::Milliseconds,
            "s" | "sec" | "secs" | "second" | "seconds" | "sek" | "sekunden" | "secondes"
            | "secondi" | "segundos" | "seconden" => Self::Seconds,
            "min" | "mins" | "minute" | "minutes" | "minuten" | "minutos" | "minuti" | "minuto" => {
                Self::Minutes
            }
            // The clock says which part is which.
            "h" | "hr" | "hrs" | "hour" | "hours" | "std" | "stunde" | "stunden" | "heures"
            | "heure" | "horas" | "hora" | "ore" | "ora" | "uur" | "uren" | "h:mm" | "hh:mm"
            | "h:mm:ss" | "hh:mm:ss" => Self::Hours,
            "count" | "counts" | "steps" | "step" | "steps/day" | "count/day" | "schritte"
            | "pas" | "pasos" | "passi" | "passos" | "stappen" => Self::Count,
            "score" | "points" | "point" | "pts" | "/100" | "punkte" => Self::Score,
            "%" | "percent" | "percentage" | "pct" | "prozent" => Self::Percent,
            "fraction" | "ratio" => Self::Fraction,
            // Food labels and devices write `Cal` and `cal` for the kilocalorie.
            "kcal" | "kcals" | "cal" | "calories" | "kilocalorie" | "kilocalories"
            | "largecalories" | "kilogramcalorie" | "kilogramcalories" | "kcal/day" | "kcal/d"
            | "kilokalorien" | "kilocalorías" => Self::Kilocalories,
            "kj" | "kjoule" | "kjoules" | "kilojoule" | "kilojoules" | "kj/day" | "kj/d" => {
                Self::Kilojoules
            }
            "g" | "gram" | "grams" | "gramm" => Self::Grams,
            "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms" | "kilogramm" => {
                Self::Kilograms
            }
            "lb" | "lbs" | "pound" | "pounds" => Self::Pounds,
            "st" | "stone" | "stones" => Self::Stones,
            "m" | "metre" | "metres" | "meter" | "meters" | "mètres" | "metros" | "metri" => {
                Self::Metres
            }
            "km" | "kilometre" | "kilometres" | "kilometer" | "kilometers" | "kilomètres"
            | "kilómetros" | "quilómetros" | "chilometri" => Self::Kilometres,
            "cm" | "centimetre" | "centimetres" | "centimeter" | "centimeters" | "zentimeter" => {
                Self::Centimetres
            }
            "mi" | "mile" | "miles" | "meilen" | "millas" => Self::Miles,
            "yd" | "yds" | "yard" | "yards" => Self::Yards,
            "ft" | "foot" | "feet" => Self::Feet,
            "in" | "inch" | "inches" => Self::Inches,
            "c" | "°c" | "℃" | "degc" | "celsius" | "degreescelsius" | "degreecelsius" => {
                Self::Celsius
            }
            "f" | "°f" | "℉" | "degf" | "fahrenheit" | "degreesfahrenheit" | "degreefahrenheit" => {
                Self::Fahrenheit
            }
            "mmhg" | "mm[hg]" => Self::MillimetresOfMercury,
            "kpa" | "kilopascal" | "kilopascals" => Self::Kilopascals,
            "mg/dl"
            | "mgperdl"
            | "mg/100ml"
            | "milligramsperdeciliter"
            | "milligramsperdecilitre" => Self::MilligramsPerDecilitre,
            "mmol/l" | "mmolperl" | "mmolperliter" | "mmolperlitre" | "millimolesperliter"
            | "millimolesperlitre" => Self::MillimolesPerLitre,
            "ml/kg/min" | "ml/min/kg" | "ml/(kg·min)" | "ml/kg·min" | "ml/min·kg"
            | "ml/(min·kg)" | "ml·kg-1·min-1" | "ml.kg-1.min-1" => {
                Self::MillilitresPerKilogramMinute
            }
            _ => {
                return Err(DomainError::UnknownWord {
                    what: "unit",
                    got: shortened(text),
                    expected: "bpm, ms, s, min, hours, count, score, %, kcal, kJ, g, kg, lb, st, m, km, mi, °C, \
                               °F, mmHg, kPa, mg/dL, mmol/L, mL/kg/min"
                        .to_owned(),
                });
            }
        })
    }

    /// The unit as it is shown beside a number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::PerMinute => "/min",
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Count => "",
            Self::Score => "points",
            Self::Percent => "%",
            Self::Fraction => "fraction",
            Self::Kilocalories => "kcal",
            Self::Kilojoules => "kJ",
            Self::Grams => "g",
            Self::Kilograms => "kg",
            Self::Pounds => "lb",
            Self::Stones => "st",
            Self::Metres => "m",
            Self::Kilometres => "km",
            Self::Centimetres => "cm",
            Self::Miles => "mi",
            Self::Yards => "yd",
            Self::Feet => "ft",
            Self::Inches => "in",
            Self::Celsius => "°C",
            Self::Fahrenheit => "°F",
            Self::MillimetresOfMercury => "mmHg",
            Self::Kilopascals => "kPa",
            Self::MilligramsPerDecilitre => "mg/dL",
            Self::MillimolesPerLitre => "mmol/L",
            Self::MillilitresPerKilogramMinute => "mL/kg/min",
        }
    }

    /// Converts a value of this unit to `target`; `None` when they measure different things.
    pub fn convert(self, value: f64, target: Self) -> Option<f64> {
        if self == target {
            return Some(value);
        }
        Some(match (self, target) {
            (Self::Celsius, Self::Fahrenheit) => value * 9.0 / 5.0 + 32.0,
            (Self::Fahrenheit, Self::Celsius) => (value - 32.0) * 5.0 / 9.0,
            _ => {
                let (from, kind) = self.scale()?;
                let (to, target_kind) = target.scale()?;
                if kind != target_kind {
                    return None;
                }
                value * from / to
            }
        })
    }

    /// Size in the base unit of its kind, and the kind.
    fn scale(self) -> Option<(f64, u8)> {
        Some(match self {
            Self::Milliseconds => (0.001, 0),
            Self::Seconds => (1.0, 0),
            Self::Minutes => (60.0, 0),
            Self::Hours => (3600.0, 0),
            Self::Percent => (0.01, 1),
            Self::Fraction => (1.0, 1),
            // Vendors write scores out of 100 as per cent and the other way round.
            Self::Score => (0.01, 1),
            Self::Kilocalories => (KILOJOULES_PER_KILOCALORIE, 2),
            Self::Kilojoules => (1.0, 2),
            Self::Grams => (0.001, 3),
            Self::Kilograms => (1.0, 3),
            Self::Pounds => (KILOGRAMS_PER_POUND, 3),
            Self::Stones => (14.0 * KILOGRAMS_PER_POUND, 3),
            Self::MilligramsPerDecilitre => (1.0, 4),
            Self::MillimolesPerLitre => (GLUCOSE_MG_PER_DL, 4),
            Self::PerMinute => (1.0, 5),
            Self::PerSecond => (60.0, 5),
            Self::MillimetresOfMercury => (KILOPASCALS_PER_MMHG, 6),
            Self::Kilopascals => (1.0, 6),
            Self::Metres => (1.0, 7),
            Self::Kilometres => (1_000.0, 7),
            Self::Centimetres => (0.01, 7),
            Self::Miles => (METRES_PER_MILE, 7),
            Self::Yards => (METRES_PER_YARD, 7),
            Self::Feet => (METRES_PER_FOOT, 7),
            Self::Inches => (METRES_PER_INCH, 7),
            Self::Count | Self::Celsius | Self::Fahrenheit | Self::MillilitresPerKilogramMinute => {
                return None;
            }
        })
    }
}

/// A unit in lower case, without blanks, and with one spelling of signs that have several.
fn plain(text: &str) -> Cow<'_, str> {
    // Most are written so, and every row has one.
    if text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'/')
    {
        return Cow::Borrowed(text);
    }
    let mut word = text.trim().trim_end_matches('.').to_lowercase();
    word.retain(|letter| !letter.is_whitespace() && letter != '_');
    for (written, meant) in [("⁻¹", "-1"), ("⋅", "·"), ("*", "·"), ("º", "°")] {
        if word.contains(written) {
            word = word.replace(written, meant);
        }
    }
    // HealthKit writes the molar mass into the unit: `mmol<180.1558800000541>/L`.
    if let (Some(open), Some(close)) = (word.find('<'), word.find('>'))
        && open < close
    {
        word.replace_range(open..=close, "");
    }
    Cow::Owned(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_match_hand_computed_values() {
        let near = |value: Option<f64>, expected: f64| {
            assert!(
                (value.unwrap() - expected).abs() < 1e-9,
                "{value:?} {expected}"
            );
        };
        near(Unit::Minutes.convert(450.0, Unit::Hours), 7.5);
        near(Unit::Kilojoules.convert(8368.0, Unit::Kilocalories), 2000.0);
        near(Unit::Pounds.convert(150.0, Unit::Kilograms), 68.038_855_5);
        near(Unit::Fahrenheit.convert(98.6, Unit::Celsius), 37.0);
        near(
            Unit::MillimolesPerLitre.convert(5.0, Unit::MilligramsPerDecilitre),
            90.078,
        );
        near(Unit::Miles.convert(1.0, Unit::Metres), 1_609.344);
        near(Unit::Yards.convert(1.0, Unit::Metres), 0.914_4);
        near(Unit::Feet.convert(1.0, Unit::Metres), 0.304_8);
        near(Unit::Inches.convert(1.0, Unit::Centimetres), 2.54);
        near(Unit::Kilometres.convert(5.2, Unit::Metres), 5_200.0);
        assert_eq!(Unit::Metres.convert(1.0, Unit::Minutes), None);
        near(Unit::Stones.convert(11.0, Unit::Kilograms), 69.853_224_98);
        near(
            Unit::Kilopascals.convert(16.0, Unit::MillimetresOfMercury),
            120.009_852_135,
        );
        assert_eq!(Unit::Minutes.convert(1.0, Unit::Kilograms), None);
        assert_eq!(Unit::Count.convert(1.0, Unit::Kilograms), None);
    }

    #[test]
    fn vendor_spellings_are_read() {
        assert_eq!(Unit::parse(" Hours ").unwrap(), Unit::Hours);
        assert_eq!(Unit::parse("count/min").unwrap(), Unit::PerMinute);
        for (words, unit) in [
            (
                "beats/minute, beats per min, 1/min, count/minute, b/min, beats·min⁻¹, resp/min, \
                 Schläge/min",
                Unit::PerMinute,
            ),
            ("count/s", Unit::PerSecond),
            ("kilojoule, Kilojoules, kJ", Unit::Kilojoules),
            ("kilocalorie, Cal, kcal", Unit::Kilocalories),
            (
                "mmol<180.1558800000541>/L, mmol/l, mmol per litre, millimoles per liter",
                Unit::MillimolesPerLitre,
            ),
            (
                "mL/min·kg, ml/(kg*min), mL / kg / min, mL·kg⁻¹·min⁻¹, mL.kg-1.min-1",
                Unit::MillilitresPerKilogramMinute,
            ),
            ("degF, °F, degrees Fahrenheit", Unit::Fahrenheit),
            ("g, grams", Unit::Grams),
            ("st, Stones", Unit::Stones),
            ("kPa", Unit::Kilopascals),
            ("km, Kilometer", Unit::Kilometres),
            ("mi, miles", Unit::Miles),
            ("h, hrs, Std., Stunden, hh:mm", Unit::Hours),
            ("steps/day, Schritte, pas, pasos", Unit::Count),
            ("kcal/d, kilogram calories", Unit::Kilocalories),
            (
                "battements/min, latidos por minuto, battiti/min",
                Unit::PerMinute,
            ),
            ("ºC, deg C, °C", Unit::Celsius),
        ] {
            for word in words.split(", ") {
                assert_eq!(Unit::parse(word).unwrap(), unit, "{word}");
            }
        }
        for word in ["furlong", "small calories", "", "mg<180>/L", "min/km"] {
            assert!(Unit::parse(word).is_err(), "{word}");
        }
        assert_eq!(Unit::PerSecond.convert(1.0, Unit::PerMinute), Some(60.0));
    }
}
