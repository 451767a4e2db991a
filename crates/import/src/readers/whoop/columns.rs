//! The columns of WHOOP's tables, in the languages that are known, and their cells.

use crate::report::RejectReason;
use crate::table::{Fault, Row};
use crate::time::{Stamp, iso, offset_seconds};
use crate::translated::place_of;
use chrono::TimeDelta;
use vitalcast_domain::Moment;

// Bare names of the columns: English, German, Spanish, French, Portuguese, Italian.
pub(super) const CYCLE_START: &[&str] = &[
    "cyclestarttime",
    "startzeitdeszyklus",
    "horadeiniciodelciclo",
    "heurededebutducycle",
    "horadeiniciodociclo",
    "oradiiniziociclo",
];
pub(super) const CYCLE_END: &[&str] = &[
    "cycleendtime",
    "endzeitdeszyklus",
    "horadefinalizaciondelciclo",
    "heuredefinducycle",
    "horadefimdociclo",
    "oradifineciclo",
];
pub(super) const ZONE: &[&str] = &[
    "cycletimezone",
    "zeitzonedeszyklus",
    "zonahorariadelciclo",
    "fuseauhoraireducycle",
    "fusohorariodociclo",
    "fusoorariociclo",
];
pub(super) const RECOVERY: &[&str] = &[
    "recoveryscore",
    "erholungswert",
    "puntuacionderecuperacion",
    "scorederecuperation",
    "pontuacaoderecuperacao",
    "punteggiodirecupero",
];
pub(super) const RESTING: &[&str] = &[
    "restingheartratebpm",
    "ruheherzfrequenzschlageprominute",
    "frecuenciacardiacaenreposolpm",
    "frequencecardiaqueaureposbpm",
    "frequenciacardiacaemrepousobpm",
    "frequenzacardiacaariposobpm",
];
pub(super) const HRV: &[&str] = &[
    "heartratevariabilityms",
    "herzfrequenzvariabilitatms",
    "variabilidaddelafrecuenciacardiacams",
    "variabilitedelafrequencecardiaquems",
    "variabilidadedafrequenciacardiacams",
    "variabilitadellafrequenzacardiacams",
];
pub(super) const SKIN_CELSIUS: &[&str] = &[
    "skintempcelsius",
    "hauttemperaturcelsius",
    "tempcutaneagradoscentigrados",
    "temperaturecutaneecelsius",
    "tempdapelecelsius",
    "tempcutaneac",
];
pub(super) const SKIN_FAHRENHEIT: &[&str] = &[
    "skintempf",
    "skintempfahrenheit",
    "hauttemperaturf",
    "hauttemperaturfahrenheit",
    "tempcutaneaf",
    "tempcutaneafahrenheit",
    "tempcutaneagradosfahrenheit",
    "temperaturecutaneefahrenheit",
    "tempdapelefahrenheit",
];
pub(super) const OXYGEN: &[&str] = &[
    "bloodoxygen",
    "blutsauerstoff",
    "oxigenoensangre",
    "niveaudoxygene",
    "deoxigenionosangue",
    "ossigenonelsangue",
];
pub(super) const STRAIN: &[&str] = &[
    "daystrain",
    "tagesbelastung",
    "esfuerzodeldia",
    "effortdujour",
    "esforcodiario",
    "sforzogiornaliero",
];
pub(super) const ENERGY: &[&str] = &[
    "energyburnedcal",
    "verbrannteenergiecal",
    "energiaquemadacal",
    "depenseenergetiquecal",
    "energiaqueimadacal",
    "energiabruciatacal",
];
pub(super) const HIGHEST_RATE: &[&str] =
    &["maxhrbpm", "maxhfschlageprominute", "fcmaxlpm", "fcmaxbpm"];
pub(super) const MEAN_RATE: &[&str] = &[
    "averagehrbpm",
    "durchschnittlichehfschlageprominute",
    "fcpromediolpm",
    "fcmoyennebpm",
    "fcmediabpm",
];
pub(super) const ONSET: &[&str] = &[
    "sleeponset",
    "beginndesschlafs",
    "iniciodelsueno",
    "premierssignesdesommeil",
    "iniciodosono",
    "iniziodelsonno",
];
pub(super) const WAKING: &[&str] = &[
    "wakeonset",
    "beginndesaufwachens",
    "iniciodelavigilia",
    "premierssignesdereveil",
    "iniciodavigilia",
    "iniziodelrisveglio",
];
pub(super) const PERFORMANCE: &[&str] = &[
    "sleepperformance",
    "schlafleistung",
    "calificaciondelsueno",
    "performancesommeil",
    "desempenhodosono",
    "andamentodelsonno",
];
pub(super) const BREATHS: &[&str] = &[
    "respiratoryraterpm",
    "atemfrequenzatemzugemin",
    "frecuenciarespiratoriarpm",
    "frequencerespiratoiretrmin",
    "frequenciarespiratoriarpm",
    "frequenzarespiratoriarpm",
];
pub(super) const ASLEEP: &[&str] = &[
    "asleepdurationmin",
    "schlafdauermin",
    "duraciondelsuenomin",
    "dureedusommeilmin",
    "duracaodosonomin",
    "duratadelsonnomin",
];
pub(super) const IN_BED: &[&str] = &[
    "inbeddurationmin",
    "dauerimbettmin",
    "tiempoenlacamamin",
    "tempspasseaulitmin",
    "duracaonacamamin",
    "tempoalettomin",
];
pub(super) const DEEP: &[&str] = &[
    "deepswsdurationmin",
    "dauerdestiefschlafsmin",
    "duraciondesuenoprofundoswsmin",
    "dureedusommeilprofondmin",
    "duracaoprofundosonomin",
    "durataprofondoswsmin",
];
pub(super) const REM: &[&str] = &[
    "remdurationmin",
    "dauerdesremschlafsmin",
    "duraciondesuenoremmin",
    "dureedusommeilparadoxalmin",
    "duracaoremmin",
    "durataremmin",
];
pub(super) const AWAKE: &[&str] = &[
    "awakedurationmin",
    "dauerdesaufwachensmin",
    "tempodespiertoamin",
    "tiempodespiertoamin",
    "tempsdeveilmin",
    "duracaodevigiliamin",
    "duratadelrisvegliomin",
];
pub(super) const EFFICIENCY: &[&str] = &[
    "sleepefficiency",
    "schlafeffizienz",
    "eficienciadelsueno",
    "efficacitedusommeil",
    "eficaciadosono",
    "efficienzadelsonno",
];
pub(super) const NAP: &[&str] = &[
    "nap",
    "nickerchen",
    "siesta",
    "sieste",
    "sesta",
    "riposobreve",
];
pub(super) const WORKOUT_START: &[&str] = &[
    "workoutstarttime",
    "startzeitdestrainings",
    "horadeiniciodelentrenamiento",
    "heurededebutdelentrainement",
    "horadeiniciodotreino",
    "oradiinizioallenamento",
];
pub(super) const WORKOUT_END: &[&str] = &[
    "workoutendtime",
    "endzeitdestrainings",
    "horadefinalizaciondelentrenamiento",
    "heuredefindelentrainement",
    "horadefimdotreino",
    "oradifineallenamento",
];
pub(super) const ACTIVITY: &[&str] = &[
    "activityname",
    "namederaktivitat",
    "nombredelaactividad",
    "nomdelactivite",
    "nomedaatividade",
    "nomeattivita",
];
pub(super) const DISTANCE: &[&str] = &["distancemeters"];
pub(super) const QUESTION: &[&str] = &[
    "questiontext",
    "fragetext",
    "textodepergunta",
    "testodomanda",
];
// The columns behind the question: their names are known in English only, their places are the same.
pub(super) const ANSWER: &[&str] = &["answeredyes"];
pub(super) const NOTES: &[&str] = &["notes"];
const JOURNAL_COLUMNS: usize = 6;

/// The tables of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cycles,
    Sleeps,
    Workouts,
    Journal,
}

/// Which table has these columns.
pub(super) fn kind<T: AsRef<str>>(columns: &[T]) -> Option<Kind> {
    let has = |names: &[&str]| place_of(columns, names).is_some();
    if has(WORKOUT_START) && has(ACTIVITY) {
        Some(Kind::Workouts)
    } else if has(RECOVERY) && has(WAKING) && (has(RESTING) || has(HRV)) {
        Some(Kind::Cycles)
    } else if !has(CYCLE_START) {
        None
    } else if has(RECOVERY) && has(WAKING) {
        Some(Kind::Cycles)
    } else if has(NAP) && has(WAKING) {
        Some(Kind::Sleeps)
    } else if has(QUESTION) || is_journal(columns) {
        Some(Kind::Journal)
    } else {
        None
    }
}

/// Whether the columns are those of the journal in a language in which the question's is not known: the times of
/// the cycle and three more.
fn is_journal<T: AsRef<str>>(columns: &[T]) -> bool {
    columns.len() == JOURNAL_COLUMNS
        && [CYCLE_START, CYCLE_END, ZONE]
            .iter()
            .enumerate()
            .all(|(place, names)| place_of(columns, names) == Some(place))
}

/// The columns that a table has.
pub(super) struct Columns(Vec<(&'static [&'static str], usize)>);

impl Columns {
    pub(super) fn of(names: &[String]) -> Self {
        let all = [
            CYCLE_START,
            CYCLE_END,
            ZONE,
            RECOVERY,
            RESTING,
            HRV,
            SKIN_CELSIUS,
            SKIN_FAHRENHEIT,
            OXYGEN,
            STRAIN,
            ENERGY,
            HIGHEST_RATE,
            MEAN_RATE,
            ONSET,
            WAKING,
            PERFORMANCE,
            BREATHS,
            ASLEEP,
            IN_BED,
            DEEP,
            REM,
            AWAKE,
            EFFICIENCY,
            WORKOUT_START,
            WORKOUT_END,
            ACTIVITY,
            DISTANCE,
            QUESTION,
            ANSWER,
            NOTES,
        ];
        let found = all
            .into_iter()
            .filter_map(|column| place_of(names, column).map(|place| (column, place)));
        let mut columns = Self(found.collect());
        // The wording of a language changes. The order does not: where the names of scores and of waking
        // or that of the question are known, times stand where they always do.
        if columns.place(QUESTION).is_none() && is_journal(names) {
            columns.0.push((QUESTION, 3));
        }
        let question = columns.place(QUESTION);
        let waking = columns.place(WAKING);
        let before = waking.and_then(|waking| waking.checked_sub(1));
        for (column, place) in [
            (CYCLE_START, Some(0)),
            (CYCLE_END, Some(1)),
            (ZONE, Some(2)),
            (ONSET, before),
            (ANSWER, question.map(|question| question + 1)),
            (NOTES, question.map(|question| question + 2)),
        ] {
            if let Some(place) = place
                && (waking.is_some() || question.is_some())
                && columns.place(column).is_none()
                && columns.0.iter().all(|(_, taken)| *taken != place)
            {
                columns.0.push((column, place));
            }
        }
        columns
    }

    fn place(&self, column: &'static [&'static str]) -> Option<usize> {
        let found = self.0.iter().find(|(known, _)| *known == column);
        found.map(|(_, place)| *place)
    }

    /// What of a cycle is not found.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        [
            ("recovery", RECOVERY),
            ("resting heart rate", RESTING),
            ("heart rate variability", HRV),
            ("time asleep", ASLEEP),
            ("day strain", STRAIN),
        ]
        .into_iter()
        .filter(|(_, column)| self.place(column).is_none())
        .map(|(name, _)| name)
        .collect()
    }

    pub(super) fn text<'t>(&self, row: &Row<'t>, column: &'static [&'static str]) -> &'t str {
        row.text(self.place(column))
    }

    pub(super) fn number(
        &self,
        row: &Row<'_>,
        column: &'static [&'static str],
    ) -> Result<Option<f64>, Fault> {
        row.number(self.place(column), column[0])
    }

    /// A time on the clock of the row's zone.
    pub(super) fn time(
        &self,
        row: &Row<'_>,
        column: &'static [&'static str],
    ) -> Result<Option<Moment>, Fault> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        let bad = |what: &str| (RejectReason::BadTime, format!("{} {what}", column[0]));
        match iso(text) {
            Some(Stamp::Instant(at, offset_seconds)) => {
                Ok(Some(Moment::Instant { at, offset_seconds }))
            }
            Some(Stamp::Wall(local)) => {
                let zone = self.text(row, ZONE);
                if zone.is_empty() {
                    return Ok(Some(Moment::Clock(local)));
                }
                let zone = zone
                    .strip_prefix("UTC")
                    .filter(|rest| *rest == "Z")
                    .unwrap_or(zone);
                let offset = offset_seconds(zone)
                    .ok_or_else(|| bad("is in a zone that is not like UTC+01:00"))?;
                let utc = local.checked_sub_signed(TimeDelta::seconds(i64::from(offset)));
                Ok(Some(Moment::Instant {
                    at: utc.ok_or_else(|| bad("is no time"))?.and_utc(),
                    offset_seconds: Some(offset),
                }))
            }
            Some(Stamp::Day(_)) | None => Err(bad(
                "is not a time, expected for example 2024-05-01 06:30:00",
            )),
        }
    }
}
