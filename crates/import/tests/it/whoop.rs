//! WHOOP's export.

use crate::folder::{Folder, options, read, read_bytes, read_with};
use std::path::Path;
use vitalcast_domain::{ActivityType, MetricType as M};
use vitalcast_import::{RejectReason as R, SkipReason as S};

const CYCLES: &str = "Cycle start time,Cycle end time,Cycle timezone,Recovery score %,Resting heart rate \
                      (bpm),Heart rate variability (ms),Skin temp (celsius),Blood oxygen %,Day Strain,Energy \
                      burned (cal),Max HR (bpm),Average HR (bpm),Sleep onset,Wake onset,Sleep performance \
                      %,Respiratory rate (rpm),Asleep duration (min),In bed duration (min),Light sleep \
                      duration (min),Deep (SWS) duration (min),REM duration (min),Awake duration (min),Sleep \
                      need (min),Sleep debt (min),Sleep efficiency %,Sleep consistency %\n";
const DAY: &str = "2024-05-01 23:30:00,2024-05-03 00:10:00,UTC+02:00,72,52,81,33.5,96.5,12.4,2450,171,68,\
                   2024-05-01 23:30:00,2024-05-02 07:00:00,88,15.2,420,450,240,80,100,30,500,20,93,70\n";
const SLEEPS: &str = "Cycle start time,Cycle end time,Cycle timezone,Sleep onset,Wake onset,Sleep performance \
                      %,Respiratory rate (rpm),Asleep duration (min),In bed duration (min),Light sleep \
                      duration (min),Deep (SWS) duration (min),REM duration (min),Awake duration (min),Sleep \
                      need (min),Sleep debt (min),Sleep efficiency %,Sleep consistency %,Nap\n";

#[test]
fn the_morning_is_known_on_waking_and_the_load_when_the_day_is_over() {
    let (report, read) = read_bytes("physiological_cycles.csv", format!("{CYCLES}{DAY}"));
    assert_eq!(report.formats[0].format.as_str(), "whoop");
    let (waking, evening) = ("2024-05-02T05:00:00Z", "2024-05-03T00:00:00Z");
    for (metric, value, known) in [
        (M::RecoveryScore, 72.0, waking),
        (M::RestingHeartRate, 52.0, waking),
        (M::HeartRateVariabilityRmssd, 81.0, waking),
        (M::SkinTemperature, 33.5, waking),
        (M::OxygenSaturation, 96.5, waking),
        (M::RespiratoryRate, 15.2, waking),
        (M::SleepDuration, 7.0, waking),
        (M::DeepSleepDuration, 80.0 / 60.0, waking),
        (M::RemSleepDuration, 100.0 / 60.0, waking),
        (M::AwakeDuration, 0.5, waking),
        (M::TimeInBed, 7.5, waking),
        (M::SleepEfficiency, 93.0, waking),
        (M::SleepScore, 88.0, waking),
        (M::Bedtime, -0.5, waking),
        (M::WakeTime, 7.0, waking),
        // The person's profile says UTC: the day ends at that midnight.
        (M::StrainScore, 12.4, evening),
        (M::TotalCalories, 2_450.0, evening),
        (M::AverageHeartRate, 68.0, evening),
    ] {
        read.check(metric, "2024-05-02", value, known);
    }
}

#[test]
fn a_cycle_that_is_not_over_has_a_morning_and_no_load() {
    let open = DAY.replacen("2024-05-03 00:10:00", "", 1);
    let (_, read) = read_bytes("cycles.csv", format!("{CYCLES}{open}"));
    assert_eq!(read.series(M::RecoveryScore).len(), 1);
    for metric in [M::StrainScore, M::TotalCalories, M::AverageHeartRate] {
        assert!(read.series(metric).is_empty(), "{metric}");
    }
}

#[test]
fn a_main_sleep_counts_once_and_a_nap_is_a_session_of_its_own() {
    let folder = Folder::new();
    folder.write("physiological_cycles.csv", format!("{CYCLES}{DAY}"));
    folder.write(
        "sleeps.csv",
        format!(
            "{SLEEPS}2024-05-01 23:30:00,2024-05-03 00:10:00,UTC+02:00,2024-05-02 15:00:00,2024-05-02 \
             15:40:00,,,35,40,30,5,0,5,,,88,,true\n2024-05-01 23:30:00,2024-05-03 \
             00:10:00,UTC+02:00,2024-05-01 23:30:00,2024-05-02 \
             07:00:00,88,15.2,420,450,240,80,100,30,500,20,93,70,false\n"
        ),
    );
    let (report, whole) = read(folder.path());
    let nights = whole.known(M::SleepDuration);
    let hours: Vec<f64> = nights.iter().map(|night| night.1).collect();
    assert_eq!(hours, [7.0, 35.0 / 60.0]);
    assert_eq!(report.skipped[&S::Repeated], 1);
    // Each file alone gives its part of the same.
    let ids = whole.ids();
    for name in ["physiological_cycles.csv", "sleeps.csv"] {
        let (_, alone) = read(&folder.path().join(name));
        assert!(alone.ids().iter().all(|id| ids.contains(id)), "{name}");
    }
}

#[test]
fn where_the_clock_changes_each_row_has_its_own_zone() {
    // Summer time ends on 27 October at 03:00: the cycle begins at 02:31:40 in the new time, which is
    // 03:31:40 in the old one.
    let rows = "2024-10-27 02:31:40,2024-10-28 00:00:00,UTC+01:00,60,50,70,,,9,2000,150,60,2024-10-27 \
                02:31:40,2024-10-27 08:31:40,80,15,330,360,200,60,70,30,,,92,\n2024-10-26 \
                00:00:00,2024-10-27 03:31:40,UTC+02:00,61,51,71,,,8,2100,150,61,2024-10-26 \
                00:00:00,2024-10-26 08:00:00,80,15,450,480,300,70,80,30,,,94,\n";
    let (_, read) = read_bytes("cycles.csv", format!("{CYCLES}{rows}"));
    let nights = read.known(M::SleepDuration);
    assert_eq!(
        nights,
        [
            (
                "2024-10-26".to_owned(),
                7.5,
                "2024-10-26T06:00:00+00:00".to_owned()
            ),
            (
                "2024-10-27".to_owned(),
                5.5,
                "2024-10-27T07:31:40+00:00".to_owned()
            ),
        ]
    );
    assert_eq!(
        read.series(M::StrainScore),
        [
            ("2024-10-26".to_owned(), 8.0),
            ("2024-10-27".to_owned(), 9.0)
        ]
    );
}

#[test]
fn a_cycle_without_sleep_is_of_the_day_in_its_middle() {
    let rows = "2024-05-04 23:58:00,2024-05-05 23:40:00,UTCZ,,,,,,4.1,1900,120,66,,,,,,,,,,,,,,\n";
    let (report, read) = read_bytes("cycles.csv", format!("{CYCLES}{rows}"));
    read.check(M::StrainScore, "2024-05-05", 4.1, "2024-05-06T00:00:00Z");
    read.check(
        M::TotalCalories,
        "2024-05-05",
        1_900.0,
        "2024-05-06T00:00:00Z",
    );
    assert!(read.series(M::RecoveryScore).is_empty());
    assert_eq!(report.skipped[&S::NotWorn], 1);
}

#[test]
fn two_cycles_of_one_day_add_their_energy() {
    let later = "2024-05-02 11:00:00,2024-05-03 00:10:00,UTC+02:00,,,,,,6,1500,140,80,2024-05-02 \
                 11:00:00,2024-05-02 13:30:00,,,140,150,100,20,20,10,,,93,\n";
    let earlier = DAY
        .replacen("2024-05-03 00:10:00", "2024-05-02 11:00:00", 1)
        .replace("2450", "1000");
    let (_, read) = read_bytes("cycles.csv", format!("{CYCLES}{later}{earlier}"));
    assert_eq!(
        read.series(M::TotalCalories),
        [("2024-05-02".to_owned(), 2_500.0)]
    );
    assert_eq!(
        read.series(M::StrainScore),
        [("2024-05-02".to_owned(), 12.4)]
    );
    // The second cycle is the longer one.
    assert_eq!(
        read.series(M::AverageHeartRate),
        [("2024-05-02".to_owned(), 80.0)]
    );
}

#[test]
fn overlapping_exports_count_once_and_ids_do_not_depend_on_the_zone() {
    let folder = Folder::new();
    let open = DAY.replacen("2024-05-03 00:10:00", "", 1);
    folder.write("a/physiological_cycles.csv", format!("{CYCLES}{open}"));
    folder.write("b/physiological_cycles.csv", format!("{CYCLES}{DAY}"));
    let (_, both) = read(folder.path());
    assert_eq!(
        both.series(M::TotalCalories),
        [("2024-05-02".to_owned(), 2_450.0)]
    );
    let newer = folder.path().join("b");
    let elsewhere = vitalcast_import::ImportOptions {
        zone: Some("Asia/Tokyo".parse().unwrap()),
        ..options()
    };
    let (_, there) = read_with(&newer, &elsewhere).unwrap();
    assert_eq!(there.ids(), read(&newer).1.ids());
    assert_eq!(there.series(M::RecoveryScore)[0].0, "2024-05-02");
}

#[test]
fn workouts_have_sport_energy_heart_rates_and_distance() {
    let (_, read) = read_bytes(
        "workouts.csv",
        "Cycle start time,Cycle end time,Cycle timezone,Workout start time,Workout end time,Duration \
         (min),Activity name,Activity Strain,Energy burned (cal),Max HR (bpm),Average HR (bpm),HR Zone 1 %,GPS \
         enabled,Distance (meters),Altitude gain (meters),Altitude change (meters)\n2024-05-01 \
         23:30:00,2024-05-03 00:10:00,UTC+02:00,2024-05-02 18:00:00,2024-05-02 \
         18:45:00,45,Running,11.2,520,178,151,3,true,8400.5,40,2\n2024-05-01 23:30:00,,UTC+02:00,2024-05-02 \
         20:00:00,2024-05-02 20:30:00,30,Meditation,0.1,0,0,0,0,false,,,\n",
    );
    let workouts = read.workouts();
    let [run, other] = workouts.as_slice() else {
        panic!("{workouts:?} {:?}", read.rejects);
    };
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(run.duration_minutes, Some(45.0));
    assert_eq!(
        (run.energy_kcal, run.distance_m),
        (Some(520.0), Some(8_400.5))
    );
    assert_eq!(
        (run.average_heart_rate, run.max_heart_rate),
        (Some(151.0), Some(178.0))
    );
    assert_eq!(other.activity_type, ActivityType::Other);
    assert_eq!((other.energy_kcal, other.average_heart_rate), (None, None));
}

#[test]
fn columns_follow_the_language_of_the_account() {
    for header in [
        "Startzeit des Zyklus,Endzeit des Zyklus,Zeitzone des Zyklus,Erholungswert %,Ruheherzfrequenz (Schläge \
         pro Minute),Herzfrequenzvariabilität (ms),Tagesbelastung,Verbrannte Energie (cal),Beginn des \
         Schlafs,Beginn des Aufwachens,Schlafdauer (Min.)",
        // With accents behind their letters.
        "Startzeit des Zyklus,Endzeit des Zyklus,Zeitzone des Zyklus,Erholungswert %,Ruheherzfrequenz \
         (Schla\u{308}ge pro Minute),Herzfrequenzvariabilita\u{308}t (ms),Tagesbelastung,Verbrannte Energie \
         (cal),Beginn des Schlafs,Beginn des Aufwachens,Schlafdauer (Min.)",
        "Hora de inicio del ciclo,Hora de finalización del ciclo,Zona horaria del ciclo,Puntuación de \
         recuperación %,Frecuencia cardíaca en reposo (lpm),Variabilidad de la frecuencia cardíaca \
         (ms),Esfuerzo del día,Energía quemada (cal),Inicio del sueño,Inicio de la vigilia,Duración del sueño \
         (min)",
        "Heure de début du cycle,Heure de fin du cycle,Fuseau horaire du cycle,Score de récupération\u{a0}%,\
         Fréquence cardiaque au repos (bpm),Variabilité de la fréquence cardiaque (ms),Effort du jour,Dépense \
         énergétique (cal),Premiers signes de sommeil,Premiers signes de réveil,Durée du sommeil (min)",
        "Hora de início do ciclo,Hora de fim do ciclo,Fuso horário do ciclo,Pontuação de recuperação \
         %,Frequência cardíaca em repouso (bpm),Variabilidade da frequência cardíaca (ms),Esforço \
         diário,Energia queimada (cal),Início do sono,Início da vigília,Duração do sono (min)",
        "Ora di inizio ciclo,Ora di fine ciclo,Fuso orario ciclo,Punteggio di recupero %,Frequenza cardiaca a \
         riposo (bpm),Variabilità della frequenza cardiaca (ms),Sforzo giornaliero,Energia bruciata \
         (cal),Inizio del sonno,Inizio del risveglio,Durata del sonno (min)",
    ] {
        let row = "2024-05-01 23:30:00,2024-05-02 23:00:00,UTC+02:00,72,52,81,12.4,2450,2024-05-01 \
                   23:30:00,2024-05-02 07:00:00,420";
        let (_, read) = read_bytes("zyklen.csv", format!("{header}\n{row}\n"));
        for (metric, value) in [
            (M::RecoveryScore, 72.0),
            (M::RestingHeartRate, 52.0),
            (M::HeartRateVariabilityRmssd, 81.0),
            (M::StrainScore, 12.4),
            (M::TotalCalories, 2_450.0),
            (M::SleepDuration, 7.0),
        ] {
            let expected = [("2024-05-02".to_owned(), value)];
            assert_eq!(read.series(metric), expected, "{metric} {header}");
        }
    }
}

#[test]
fn a_bad_cell_or_zone_costs_no_other_row() {
    let rows = [
        DAY.replacen("UTC+02:00", "Mars", 1),
        DAY.replacen(",72,", ",x,", 1),
        DAY.replacen("33.5", "92.3", 1),
    ];
    let (_, read) = read_bytes("cycles.csv", format!("{CYCLES}{}", rows.concat()));
    let faults = read.faults();
    assert_eq!(
        faults,
        [(2, R::BadTime), (3, R::BadNumber), (4, R::OutOfRange)]
    );
    // The same cycle twice is one.
    assert_eq!(read.series(M::RestingHeartRate).len(), 1);
    let american = CYCLES.replace("(celsius)", "(F)");
    let (_, read) = read_bytes("cycles.csv", format!("{american}{}", rows[2]));
    let skin = read.series(M::SkinTemperature);
    assert!((skin[0].1 - 33.5).abs() < 1e-9, "{skin:?}");
}

#[test]
fn an_answer_of_the_journal_is_a_tag_of_the_day_of_waking() {
    let rows = "2024-05-02 23:40:00,,UTC+02:00,Have any alcoholic drinks?,false,\n\
                2024-05-01 23:30:00,2024-05-02 23:40:00,UTC+02:00,Have any alcoholic drinks?,true,\"two, \
                late\"\n2024-05-01 23:30:00,2024-05-02 23:40:00,UTC+02:00,Shared your bed?,,\n2024-05-01 \
                23:30:00,2024-05-02 23:40:00,UTC+02:00,Feeling sick?,perhaps,\n2024-05-01 \
                23:30:00,2024-05-02 23:40:00,UTC+02:00,,true,\n";
    let english =
        "Cycle start time,Cycle end time,Cycle timezone,Question text,Answered yes,Notes\n";
    let german = "Startzeit des Zyklus,Endzeit des Zyklus,Zeitzone des Zyklus,Fragetext,Mit ja \
                  beantwortet,Anmerkungen\n";
    for header in [english, german] {
        let (report, read) = read_bytes("journal_entries.csv", format!("{header}{rows}"));
        assert_eq!(report.formats[0].format.as_str(), "whoop");
        assert_eq!(report.skipped[&S::Missing], 1);
        assert_eq!(read.faults(), [(5, R::UnknownWord), (6, R::Empty)]);
        let said: Vec<_> = read
            .tags()
            .into_iter()
            .map(|tag| {
                assert_eq!(tag.name, "Have any alcoholic drinks?");
                let day = tag.provenance.day.to_string();
                (day, tag.applies, tag.note.clone())
            })
            .collect();
        assert_eq!(
            said,
            [
                ("2024-05-02".to_owned(), true, Some("two, late".to_owned())),
                ("2024-05-03".to_owned(), false, None),
            ]
        );
        // The same export again changes nothing; another answer corrects.
        let ids = read.ids();
        let (_, again) = read_bytes(
            "journal_entries.csv",
            format!("{header}{}", rows.replace("false", "true")),
        );
        assert_eq!(again.ids(), ids);
    }
}

#[test]
fn the_journal_is_known_in_a_language_in_which_its_question_is_not() {
    let rows = "2024-05-01 23:30:00,2024-05-02 23:40:00,UTC+02:00,De l'alcool ?,true,\n2024-05-02 \
                23:40:00,2024-05-03 23:40:00,UTC+02:00,De l'alcool ?,n.a.,\n2024-05-04 \
                23:40:00,2024-05-03 23:40:00,UTC+02:00,De l'alcool ?,true,\n";
    let french = "Heure de début du cycle,Heure de fin du cycle,Fuseau horaire du cycle,Texte de la \
                  question,Réponse positive,Remarques\n";
    let (report, read) = read_bytes("reponses.csv", format!("{french}{rows}"));
    assert_eq!(report.formats[0].format.as_str(), "whoop");
    assert_eq!(report.skipped[&S::Missing], 1);
    assert_eq!(read.faults(), [(4, R::Contradiction)]);
    let tags = read.tags();
    assert_eq!(tags.len(), 1);
    assert_eq!(tags[0].name, "De l'alcool ?");
}

#[test]
fn an_answer_is_of_the_day_of_its_cycle_also_after_a_sleep_in_the_afternoon() {
    let folder = Folder::new();
    let cycle = "2024-04-04 13:30:00,2024-04-05 13:00:00,UTC+02:00,72,52,81,33.5,96.5,12.4,2450,171,68,\
                 2024-04-04 13:30:00,2024-04-04 21:30:00,88,15.2,420,450,240,80,100,30,500,20,93,70\n";
    // Read before the cycles by its name.
    folder.write(
        "a_journal.csv",
        "Cycle start time,Cycle end time,Cycle timezone,Question text,Answered yes,Notes\n2024-04-04 \
         13:30:00,2024-04-05 13:00:00,UTC+02:00,Late meal?,true,\n",
    );
    folder.write("physiological_cycles.csv", format!("{CYCLES}{cycle}"));
    let (_, read) = read(folder.path());
    let (of_tag, of_recovery) = (
        read.tags()[0].provenance.day.to_string(),
        read.series(M::RecoveryScore)[0].0.clone(),
    );
    assert_eq!(
        (of_tag.as_str(), of_recovery.as_str()),
        ("2024-04-04", "2024-04-04")
    );
}

#[test]
fn a_published_export_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/whoop");
    let (report, read) = read(&path);
    assert_eq!(
        (report.rows_read, read.rejects.as_slice()),
        (27, [].as_slice())
    );
    assert_eq!(read.series(M::RecoveryScore).len(), 25);
    assert_eq!(read.series(M::StrainScore).len(), 26);
    // The cycle begins at 04:58:11 in summer time, which ended on that morning.
    let day = |metric| {
        let found = read
            .known(metric)
            .into_iter()
            .find(|value| value.0 == "2024-11-03");
        let (_, value, known) = found.unwrap();
        (value, known)
    };
    assert_eq!(
        day(M::RecoveryScore),
        (21.0, "2024-11-03T16:40:35+00:00".to_owned())
    );
    assert_eq!(
        day(M::StrainScore),
        (6.0, "2024-11-04T05:00:00+00:00".to_owned()),
        "midnight on the person's clock, whatever the profile says"
    );
    let first = &read.known(M::StrainScore)[0];
    assert_eq!((first.0.as_str(), first.1), ("2024-10-02", 3.7));
}
