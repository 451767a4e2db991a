//! Codes of LOINC and units of UCUM.

use serde_json::Value;
use vitalcast_domain::{MetricType as M, Unit};

/// What a LOINC code measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// HRV, of which the kind must be found out.
    Variability,
    /// A value or amount of a time.
    Of(M),
    /// The total of a day.
    DayTotal(M),
}

const CODES: [(&str, Code); 15] = [
    ("40443-4", Code::Of(M::RestingHeartRate)),
    ("80404-7", Code::Variability),
    ("93832-4", Code::Of(M::SleepDuration)),
    ("93831-6", Code::Of(M::DeepSleepDuration)),
    ("93829-0", Code::Of(M::RemSleepDuration)),
    ("41950-7", Code::DayTotal(M::Steps)),
    ("55423-8", Code::Of(M::Steps)),
    ("41979-6", Code::DayTotal(M::TotalCalories)),
    ("55411-3", Code::Of(M::ExerciseMinutes)),
    ("59408-5", Code::Of(M::OxygenSaturation)),
    ("2708-6", Code::Of(M::OxygenSaturation)),
    ("9279-1", Code::Of(M::RespiratoryRate)),
    ("41982-0", Code::Of(M::BodyFatPercentage)),
    ("8480-6", Code::Of(M::BloodPressureSystolic)),
    ("8462-4", Code::Of(M::BloodPressureDiastolic)),
];

impl Code {
    pub(super) fn metric(self) -> M {
        match self {
            Self::Variability => M::HeartRateVariabilitySdnn,
            Self::Of(metric) | Self::DayTotal(metric) => metric,
        }
    }

    pub(super) fn is_of_a_day(self) -> bool {
        match self {
            Self::DayTotal(_) => true,
            Self::Variability | Self::Of(_) => false,
        }
    }
}

/// The known code of a concept; codes of other systems than LOINC are passed over.
pub(super) fn code_of(concept: &Value) -> Option<Code> {
    let codings = concept.get("coding")?.as_array()?;
    codings.iter().find_map(|coding| {
        let system = coding.get("system").and_then(Value::as_str).unwrap_or("");
        if !system.is_empty() && !system.to_ascii_lowercase().contains("loinc") {
            return None;
        }
        let code = coding.get("code")?.as_str()?;
        let found = CODES.iter().find(|(known, _)| *known == code.trim());
        found.map(|(_, code)| *code)
    })
}

/// The unit that a UCUM code or a word for a unit means. Annotations in braces say nothing: `{beats}/min`.
pub(super) fn unit_of(word: &str, metric: M) -> Option<Unit> {
    let mut bare = String::new();
    let mut depth = 0_usize;
    for letter in word.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            letter if depth == 0 => bare.push(letter),
            _ => {}
        }
    }
    let bare = bare.trim();
    // "Per day" of an amount of a day.
    let bare = ["/(24.h)", "/(24.hr)", "/(24 h)", "/d", "/24h"]
        .iter()
        .find_map(|ending| bare.strip_suffix(ending))
        .unwrap_or(bare);
    match bare {
        "" | "1" => (metric.unit() == Unit::Count).then_some(Unit::Count),
        "[Cal]" => Some(Unit::Kilocalories),
        "mm[Hg]" => Some(Unit::MillimetresOfMercury),
        word => Unit::parse(word).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_without_annotations() {
        for (word, metric, unit) in [
            ("{beats}/min", M::RestingHeartRate, Unit::PerMinute),
            ("/min", M::RestingHeartRate, Unit::PerMinute),
            ("{steps}", M::Steps, Unit::Count),
            ("{steps}/d", M::Steps, Unit::Count),
            ("kcal/(24.h)", M::TotalCalories, Unit::Kilocalories),
            ("1", M::Steps, Unit::Count),
        ] {
            assert_eq!(unit_of(word, metric), Some(unit), "{word}");
        }
        assert_eq!(unit_of("", M::RestingHeartRate), None);
        assert_eq!(unit_of("furlong", M::Steps), None);
    }
}
