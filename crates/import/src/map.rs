//! What the columns of a person's own table mean.

use std::fmt;
use std::str::FromStr;
use vitalcast_domain::{MetricType, PredictionMetric, Unit};

/// Most columns of a map.
const MOST: usize = 100;
/// Longest name of a column, bytes.
const LONGEST: usize = 500;
/// The short names of metrics.
const SHORT: [(&str, PredictionMetric); 5] = [
    ("rhr", PredictionMetric::RestingHeartRate),
    ("hrv", PredictionMetric::HeartRateVariabilityRmssd),
    ("sdnn", PredictionMetric::HeartRateVariabilitySdnn),
    ("sleep", PredictionMetric::SleepDuration),
    ("recovery", PredictionMetric::RecoveryScore),
];

/// Why a text is not a map of columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// A part without `=`.
    #[error("{0:?} is no column, expected target=column, for example rhr=Pulse or hrv=RMSSD:ms")]
    NoColumn(String),
    /// A quote that is not closed.
    #[error("a quote around the name of a column is never closed")]
    OpenQuote,
    /// A word before `=` that is none of the targets.
    #[error(
        "unknown target {0:?}, expected date, time, user, tag, rhr, hrv, sdnn, sleep, recovery, or a metric such as \
         steps or oxygen_saturation"
    )]
    UnknownTarget(String),
    /// A word after `:` that is no unit.
    #[error(
        "unknown unit {0:?}, expected for example ms, s, min, h, bpm, %, kcal; a name with a colon stands in quotes"
    )]
    UnknownUnit(String),
    /// A unit that does not measure what the target is.
    #[error("{target} cannot be in {unit}, expected {expected} or a unit of the same kind")]
    WrongUnit {
        /// The target.
        target: String,
        /// The unit given.
        unit: &'static str,
        /// The unit in which values are stored.
        expected: &'static str,
    },
    /// A unit behind the column of a tag.
    #[error("{0:?} is a tag, and a tag has no unit; a name with a colon stands in quotes")]
    UnitOfTag(String),
    /// A target that is given twice.
    #[error("{0} is given twice")]
    Twice(String),
    /// No column with dates.
    #[error("no column of dates, expected date=COLUMN")]
    NoDate,
    /// No metric and no tag.
    #[error("no column of a metric or a tag, expected for example rhr=COLUMN or tag=COLUMN")]
    NoMetric,
    /// Too many or too long names.
    #[error("a map has at most {MOST} columns with names of at most {LONGEST} bytes")]
    TooLong,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Date,
    Time,
    User,
    /// Yes or no to the name of the column.
    Tag,
    Metric(MetricType),
}

impl Target {
    fn parse(word: &str) -> Result<Self, MapError> {
        Ok(match word.to_ascii_lowercase().as_str() {
            "date" => Self::Date,
            "time" => Self::Time,
            "user" => Self::User,
            "tag" => Self::Tag,
            lower => {
                let short = SHORT.iter().find(|(short, _)| *short == lower);
                let metric = match short {
                    Some((_, metric)) => metric.metric_type(),
                    None => crate::words::metric(word)
                        .map_err(|_| MapError::UnknownTarget(word.to_owned()))?,
                };
                Self::Metric(metric)
            }
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date => formatter.write_str("date"),
            Self::Time => formatter.write_str("time"),
            Self::User => formatter.write_str("user"),
            Self::Tag => formatter.write_str("tag"),
            Self::Metric(metric) => {
                let mut short = SHORT.iter();
                match short.find(|(_, known)| known.metric_type() == *metric) {
                    Some((short, _)) => formatter.write_str(short),
                    None => formatter.write_str(&metric.as_str().to_ascii_lowercase()),
                }
            }
        }
    }
}

/// A column of the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) target: Target,
    /// Name of the column in the table.
    pub(crate) column: String,
    /// Unit of its values, if it is given.
    pub(crate) unit: Option<Unit>,
}

/// What the columns of a table mean, as a person says it once: `date=Datum,rhr=Ruhepuls,sleep=Schlaf:h`.
///
/// Each part is `target=column` or `target=column:unit`. Targets are `date`, `time`, `user`, the short names
/// of metrics (`rhr`, `hrv`, `sdnn`, `sleep`, `recovery`), the words of all metric types, and `tag` for a column
/// of yes and no, of which there may be several. A name with a comma or colon stands in double quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    columns: Vec<Mapped>,
}

impl ColumnMap {
    pub(crate) fn new(columns: Vec<Mapped>) -> Result<Self, MapError> {
        let too_long = columns.iter().any(|mapped| mapped.column.len() > LONGEST);
        if columns.len() > MOST || too_long {
            return Err(MapError::TooLong);
        }
        for (place, mapped) in columns.iter().enumerate() {
            let is_tag = mapped.target == Target::Tag;
            let mut before = columns[..place].iter();
            if before.any(|before| {
                before.target == mapped.target
                    && (!is_tag || is_named(&before.column, &mapped.column))
            }) {
                return Err(MapError::Twice(mapped.target.to_string()));
            }
            if is_tag && mapped.unit.is_some() {
                return Err(MapError::UnitOfTag(mapped.column.clone()));
            }
            if let (Target::Metric(metric), Some(unit)) = (mapped.target, mapped.unit)
                && unit.convert(1.0, metric.unit()).is_none()
            {
                return Err(MapError::WrongUnit {
                    target: mapped.target.to_string(),
                    unit: unit.symbol(),
                    expected: metric.unit().symbol(),
                });
            }
        }
        let map = Self { columns };
        if map.column_of(Target::Date).is_none() {
            return Err(MapError::NoDate);
        }
        if map.metrics().next().is_none() && map.tags().next().is_none() {
            return Err(MapError::NoMetric);
        }
        Ok(map)
    }

    /// Name of the column of a target.
    pub(crate) fn column_of(&self, target: Target) -> Option<&str> {
        let found = self.columns.iter().find(|mapped| mapped.target == target);
        found.map(|mapped| mapped.column.as_str())
    }

    /// The columns with metrics.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = (MetricType, &Mapped)> {
        self.columns
            .iter()
            .filter_map(|mapped| match mapped.target {
                Target::Metric(metric) => Some((metric, mapped)),
                Target::Date | Target::Time | Target::User | Target::Tag => None,
            })
    }

    /// Names of the columns with tags.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.columns.iter().filter(|of| of.target == Target::Tag);
        tags.map(|mapped| mapped.column.as_str())
    }

    /// Names of all its columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|mapped| mapped.column.as_str())
    }

    /// Whether a table has all columns of the map.
    pub(crate) fn fits(&self, names: &[&str]) -> bool {
        let has = |mapped: &Mapped| names.iter().any(|name| is_named(name, &mapped.column));
        self.columns.iter().all(has)
    }
}

/// Whether a column has this name; case, blanks and marks are ignored, and so is whether an accent is a letter
/// with it or stands behind its letter.
pub(crate) fn is_named(found: &str, wanted: &str) -> bool {
    use crate::translated::bare;
    use crate::words::letters;
    let (found, wanted) = (found.trim(), wanted.trim());
    let stands_behind = |letter: char| ('\u{300}'..='\u{36f}').contains(&letter);
    found == wanted
        || (!letters(wanted).is_empty() && letters(found) == letters(wanted))
        || (found.contains(stands_behind) != wanted.contains(stands_behind)
            && !bare(wanted).is_empty()
            && bare(found) == bare(wanted))
}

impl FromStr for ColumnMap {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let mut columns = Vec::new();
        for part in parts(text)? {
            let no_column = || MapError::NoColumn(part.to_owned());
            let (target, rest) = part.split_once('=').ok_or_else(no_column)?;
            let target = Target::parse(target.trim())?;
            let (column, unit) = named_column(rest.trim())?;
            if column.is_empty() {
                return Err(no_column());
            }
            columns.push(Mapped {
                target,
                column,
                unit,
            });
        }
        Self::new(columns)
    }
}

/// The parts of a map: commas in quotes separate nothing.
fn parts(text: &str) -> Result<Vec<&str>, MapError> {
    let mut parts = Vec::new();
    let (mut begun, mut quoted) = (0, false);
    for (place, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[begun..place]);
                begun = place + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Err(MapError::OpenQuote);
    }
    parts.push(&text[begun..]);
    parts.retain(|part| !part.trim().is_empty());
    Ok(parts)
}

/// The name of a column, and the unit behind it.
fn named_column(text: &str) -> Result<(String, Option<Unit>), MapError> {
    let (name, unit) = match text.strip_prefix('"') {
        Some(quoted) => {
            // Two quotes within a name stand for one.
            let mut end = 0;
            loop {
                let rest = quoted.get(end..).unwrap_or_default();
                end += rest.find('"').ok_or(MapError::OpenQuote)?;
                if quoted[end + 1..].starts_with('"') {
                    end += 2;
                } else {
                    break;
                }
            }
            let unit = quoted[end + 1..].trim();
            (
                quoted[..end].replace("\"\"", "\""),
                unit.strip_prefix(':')
                    .or(if unit.is_empty() { None } else { Some(unit) }),
            )
        }
        None => match text.rsplit_once(':') {
            Some((name, unit)) => (name.trim().to_owned(), Some(unit)),
            None => (text.to_owned(), None),
        },
    };
    let unit = unit.map(str::trim).filter(|unit| !unit.is_empty());
    let unit = unit
        .map(|unit| Unit::parse(unit).map_err(|_| MapError::UnknownUnit(unit.to_owned())))
        .transpose()?;
    Ok((name, unit))
}

impl fmt::Display for ColumnMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mapped) in self.columns.iter().enumerate() {
            if place > 0 {
                formatter.write_str(",")?;
            }
            write!(formatter, "{}=", mapped.target)?;
            let name = &mapped.column;
            if name.contains([',', ':', '"', '=']) {
                write!(formatter, "\"{}\"", name.replace('"', "\"\""))?;
            } else {
                formatter.write_str(name)?;
            }
            if let Some(unit) = mapped.unit {
                let symbol = if unit == Unit::Count {
                    "count"
                } else if unit == Unit::PerMinute {
                    "bpm"
                } else {
                    unit.symbol()
                };
                write!(formatter, ":{symbol}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_its_text() {
        for text in [
            "date=Datum,rhr=Ruhepuls,hrv=RMSSD:ms,sleep=Schlaf:h",
            "date=Tag,time=Zeit,user=Person,steps=Schritte:count,oxygen_saturation=SpO2:%",
            "date=Datum,tag=Alkohol,rhr=Puls,tag=\"Kaffee: spät\"",
            "date=Datum,tag=Alkohol",
            "date=\"Tag, Zeit\",sleep=\"Schlaf: \"\"ganz\"\"\":min,rhr=Puls:bpm",
        ] {
            let map: ColumnMap = text.parse().unwrap();
            assert_eq!(map.to_string(), text);
            assert_eq!(map.to_string().parse(), Ok(map));
        }
        let map: ColumnMap = " date = Datum , RHR = Ruhepuls, ".parse().unwrap();
        assert_eq!(map.to_string(), "date=Datum,rhr=Ruhepuls");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| text.parse::<ColumnMap>().unwrap_err();
        assert_eq!(error("rhr=a"), MapError::NoDate);
        assert_eq!(error("date=a"), MapError::NoMetric);
        assert_eq!(error(""), MapError::NoDate);
        assert_eq!(error("date=a,rhr"), MapError::NoColumn("rhr".to_owned()));
        assert_eq!(error("date=a,rhr="), MapError::NoColumn("rhr=".to_owned()));
        assert_eq!(
            error("date=a,puls=b"),
            MapError::UnknownTarget("puls".to_owned())
        );
        assert_eq!(
            error("date=a,rhr=b:furlong"),
            MapError::UnknownUnit("furlong".to_owned())
        );
        assert_eq!(
            error("date=a,rhr=b,rhr=c"),
            MapError::Twice("rhr".to_owned())
        );
        assert_eq!(
            error("date=a,tag=b,tag=B"),
            MapError::Twice("tag".to_owned())
        );
        assert_eq!(error("date=a,tag=b:h"), MapError::UnitOfTag("b".to_owned()));
        assert_eq!(error("date=\"a,rhr=b"), MapError::OpenQuote);
        let wrong = error("date=a,rhr=b:kg");
        assert_eq!(
            wrong.to_string(),
            "rhr cannot be in kg, expected /min or a unit of the same kind"
        );
    }

    #[test]
    fn an_accent_may_stand_behind_its_letter() {
        let map: ColumnMap = "date=Datum,tag=Müde".parse().unwrap();
        assert!(map.fits(&["Datum", "Mu\u{308}de"]));
        assert!(!map.fits(&["Datum", "Mude"]));
    }

    #[test]
    fn names_without_latin_letters_are_told_apart() {
        let map: ColumnMap = "date=日付,rhr=心拍数".parse().unwrap();
        assert!(map.fits(&["日付", "心拍数"]));
        assert!(!map.fits(&["日付", "歩数"]));
    }
}
