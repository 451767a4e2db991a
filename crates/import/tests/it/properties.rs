//! What holds for any bytes, and for any order of rows.

use crate::folder::{Folder, Read, options, read, read_with};
use proptest::prelude::*;
use vitalcast_domain::Record;

pub(crate) const HEADERS: &[(&str, &str)] = &[
    (
        "health_metrics.csv",
        "id,userId,recordedAt,metricType,value,unit,source,createdAt",
    ),
    (
        "meals.csv",
        "id,userId,name,mealType,calories,protein,consumedAt",
    ),
    (
        "activities.csv",
        "id,userId,activityType,startedAt,endedAt,duration",
    ),
    (
        "x.jsonl",
        "{\"userId\":\"u\",\"recordedAt\":\"2024-03-01T06:00:00Z\"}",
    ),
    (
        "x.json",
        "[{\"userId\":\"u\",\"recordedAt\":\"2024-03-01T06:00:00Z\"},",
    ),
    ("x.csv", "userId;recordedAt;metricType;value;unit"),
    (
        "daily.csv",
        ",id,date,resting_hr,rmssd,minutesAsleep,steps,activityType",
    ),
    (
        "UoMNutrition1.csv",
        "meal_ts,meal_type,meal_tag,carbs_g,prot_g,fat_g,fibre_g",
    ),
    (
        "UoMActivity1.csv",
        "activity_ts,activity_type,active_Kcal,step_count,start_time_s",
    ),
    (
        "UoM1sleeptime.csv",
        "calendar_date,duration_in_sec,start_date_ts,start_time_offset_s,awake_s",
    ),
    ("UoMsleep1.csv", "sleep_ts,step_count,resting_heart_rate"),
    (
        "physiological_cycles.csv",
        "Cycle start time,Cycle end time,Cycle timezone,Recovery score %,Sleep onset,Wake onset,Day Strain",
    ),
    (
        "sleeps.csv",
        "Cycle start time,Sleep onset,Wake onset,Cycle timezone,Asleep duration (min),Nap",
    ),
    (
        "workouts.csv",
        "Workout start time,Workout end time,Activity name,Energy burned (cal)",
    ),
    (
        "sleepmodel.csv",
        "day,bedtime_start,bedtime_end,total_sleep_duration,type,average_hrv,lowest_heart_rate",
    ),
    ("dailyreadiness.csv", "day,score,contributors"),
    (
        "oura.json",
        "{\"sleep\":[{\"day\":\"2024-03-01\",\"bedtime_start\":1,\"bedtime_end\":2,\"total_sleep_duration\":3},",
    ),
    (
        "trends.csv",
        "date,Readiness Score,Total Sleep Time,Bedtime Start,Bedtime End,Steps",
    ),
    (
        "UDSFile.json",
        "[{\"calendarDate\":\"2024-03-01\",\"totalSteps\":1,\"restingHeartRate\":50},",
    ),
    (
        "summarizedActivities.json",
        "[{\"summarizedActivitiesExport\":[{\"activityId\":1,\"beginTimestamp\":1709272800000},",
    ),
    (
        "nightly_recovery.json",
        "[{\"night\":\"2024-03-01\",\"meanNightlyRecoveryRmssd\":50,\"meanNightlyRecoveryRri\":1000},",
    ),
    (
        "activity-2024-03-01-x.json",
        "{\"date\":\"2024-03-01\",\"summary\":{\"stepCount\":1}",
    ),
    (
        "session.csv",
        "Name,Sport,Date,Start time,Duration,Total distance (km),Average heart rate (bpm)",
    ),
    (
        "sleep.csv",
        "from,to,light (s),deep (s),rem (s),awake (s),wake up,Duration to sleep (s),Average heart rate",
    ),
    ("aggregates_calories_earned.csv", "date,value"),
    ("raw_tracker_hr.csv", "start,duration,value"),
    (
        "weight.csv",
        "Date,Weight (kg),Fat mass (kg),Bone mass (kg),Muscle mass (kg),Hydration (kg)",
    ),
    (
        "ultrahuman.csv",
        "Date,Sleep Score,Recovery Score,Movement Score,Total Steps,Total Sleep,Average RHR",
    ),
    (
        "SLEEP.csv",
        "date,deepSleepTime,shallowSleepTime,wakeTime,start,stop,REMTime,naps",
    ),
    ("ACTIVITY.csv", "date,steps,distance,runDistance,calories"),
    ("HEARTRATE_AUTO.csv", "date,time,heartRate"),
    (
        "SPORT.csv",
        "type,startTime,sportTime(s),distance(m),calories(kcal)",
    ),
    ("mi.csv", "Uid,Sid,Tag,Key,Time,Value,UpdateTime"),
    (
        "servings.csv",
        "Day,Time,Group,Food Name,Amount,Energy (kcal),Protein (g)",
    ),
    ("dailysummary.csv", "Date,Energy (kJ),Protein (g),Completed"),
    ("exercises.csv", "Day,Time,Exercise,Minutes,Calories Burned"),
    ("biometrics.csv", "Day,Time,Metric,Unit,Amount"),
    (
        "mfp.csv",
        "Date,Meal,Calories,Polyunsaturated Fat,Carbohydrates (g),Protein (g)",
    ),
    (
        "food-logs.csv",
        "Date,Name,Icon,Meal,Quantity,Units,Calories,Deleted",
    ),
    ("steps.csv", "Date,Value,Secondary Value,Last Updated"),
    (
        "w.csv",
        "id,date,restingHR,hrv,sleepSecs,readiness,kcalConsumed,protein",
    ),
    (
        "w.json",
        "[{\"id\":\"2024-03-01\",\"restingHR\":50,\"hrv\":9,\"sleepSecs\":1},",
    ),
    ("h.csv", "date, timestamp_measurement, HR, rMSSD, SDNN"),
    ("e.csv", "Date Time Start,Type,Rmssd,lnRmssd,HR,Sdnn"),
    (
        "f.ndjson",
        "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"code\":\"40443-4\"}]}}",
    ),
    (
        "o.json",
        "[{\"effective_time_frame\":{\"date_time\":\"2024-03-01T06:00:00Z\"},\"step_count\":{\"value\":1}},",
    ),
    (
        "sleep-export.csv",
        "Id,Tz,From,To,Sched,Hours,Rating,Comment,Framerate,Snore,Noise,Cycles,DeepSleep,LenAdjust",
    ),
    (
        "n.json",
        "[{\"eventType\":\"Meal Bolus\",\"created_at\":\"2024-03-01T06:00:00Z\",\"carbs\":1},",
    ),
    (
        "tp.json",
        "[{\"type\":\"food\",\"time\":\"2024-03-01T06:00:00Z\",\"deviceTime\":\"2024-03-01T06:00:00\",\"deviceId\":\"d\"},",
    ),
    (
        "sleep-2024-03-01.json",
        "[{\"logId\": 1, \"dateOfSleep\": \"2024-03-01\", \"minutesAsleep\": 60},",
    ),
    (
        "steps-2024-03-01.json",
        "[{\"dateTime\": \"03/01/24 10:00:00\", \"value\": \"7\"},",
    ),
    (
        "daily_resting_heart_rate.csv",
        "timestamp,beats per minute,data source",
    ),
    (
        "UserSleeps_2024-03-01.csv",
        "sleep_id,sleep_start,sleep_end,minutes_asleep,start_utc_offset",
    ),
    (
        "Stress Score.csv",
        "DATE,STRESS_SCORE,CALCULATION_FAILED,SLEEP_POINTS,MAX_SLEEP_POINTS",
    ),
    (
        "fitbit_export.csv",
        "Start Time,End Time,Minutes Asleep,Minutes Awake,Time in Bed",
    ),
    (
        "activities.csv",
        "Activity ID,Activity Date,Activity Type,Elapsed Time,Distance,Elapsed Time,Distance,Calories",
    ),
    (
        "autosleep.csv",
        "ISO8601,fromDate,toDate,bedtime,waketime,inBed,awake,asleep,deep,efficiency,sleepBPM,hrv",
    ),
    (
        "HealthAutoExport.json",
        "{\"data\":{\"metrics\":[{\"name\":\"step_count\",\"units\":\"count\",\"data\":[{\"date\":\
         \"2024-03-01 07:00:00 +0100\",\"qty\":5},",
    ),
    (
        "HealthAutoExport.csv",
        "Date/Time,Step Count (count),Sleep Analysis [Total] (hr),Heart Rate [Avg] (count/min)",
    ),
    (
        "export.xml",
        "<HealthData><Record type=\"HKQuantityTypeIdentifierStepCount\" sourceName=\"x\" unit=\"count\" \
         startDate=\"2024-03-01 07:00:00 +0100\" value=\"10\"/>",
    ),
];

/// Cells as files have them, and as they should not.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "", "u", "u1", "1", "0", "60", "7.5", "-1", "1e308", "NaN", "inf", "null", "STEPS",
            "RESTING_HEART_RATE", "RUNNING", "Lunch", "2024-03-01T06:00:00Z", "2024-03-01",
            "01/03/2024 06:00", "01/03/2024", "0000-00-00", "99999-01-01", "31/12/9999 23:59",
            "262143-12-31", "-262144-01-01", "2024-03-01T23:59:60Z", "['Walk']", "../../etc", "\"",
            "𝟙", "\u{feff}", "999999999999999999999",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

fn rows() -> impl Strategy<Value = String> {
    let row = prop::collection::vec(cell(), 1..10).prop_map(|cells| cells.join(","));
    prop::collection::vec(row, 0..12).prop_map(|rows| rows.join("\n"))
}

fn checked(read: &Read) {
    for (_, record) in &read.records {
        record.validate().unwrap();
    }
}

/// The records by identity, so that their order does not matter.
fn sorted(read: Read) -> Vec<String> {
    let mut lines: Vec<String> = read
        .records
        .iter()
        .map(|(user, record): &(String, Record)| {
            format!("{user} {}", serde_json::to_string(record).unwrap())
        })
        .collect();
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_cells_below_a_known_header_are_read_or_told(
        header in prop::sample::select(HEADERS.to_vec()),
        rows in rows(),
    ) {
        let folder = Folder::new();
        let path = folder.write(header.0, format!("{}\n{rows}", header.1));
        checked(&read_with(&path, &options()).unwrap().1);
    }

    #[test]
    fn any_bytes_below_a_known_header_are_read_or_told(
        header in prop::sample::select(HEADERS.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let folder = Folder::new();
        let path = folder.write(header.0, [header.1.as_bytes(), b"\n", &bytes].concat());
        checked(&read_with(&path, &options()).unwrap().1);
    }

    #[test]
    fn any_bytes_at_all_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = Folder::new();
        for name in ["x.csv", "x.jsonl"] {
            let path = folder.write(name, &bytes);
            if let Ok((_, read)) = read_with(&path, &options()) {
                checked(&read);
            }
        }
    }

    #[test]
    fn the_order_of_rows_with_ids_does_not_matter(
        (values, order) in prop::collection::vec((0_u8..4, 1_u8..28, 40_u8..90), 0..40)
            .prop_flat_map(|values| {
                let order = Just((0..values.len()).collect::<Vec<_>>()).prop_shuffle();
                (Just(values), order)
            }),
    ) {
        let row = |place: usize| {
            let (user, day, value) = values[place];
            format!("r{place},u{user},2024-03-{day:02}T06:00:00Z,RESTING_HEART_RATE,{value}\n")
        };
        let header = "id,userId,recordedAt,metricType,value\n";
        let straight: String = (0..values.len()).map(row).collect();
        let shuffled: String = order.into_iter().map(row).collect();
        let folder = Folder::new();
        let straight = folder.write("a.csv", format!("{header}{straight}"));
        let shuffled = folder.write("b.csv", format!("{header}{shuffled}"));
        prop_assert_eq!(sorted(read(&straight).1), sorted(read(&shuffled).1));
    }

    #[test]
    fn the_order_of_watch_rows_does_not_matter(
        (rates, order) in prop::collection::btree_map((1_u8..5, 0_u8..24), 40_u8..90, 0..30)
            .prop_map(|rates| rates.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|rates| {
                let order = Just((0..rates.len()).collect::<Vec<_>>()).prop_shuffle();
                (Just(rates), order)
            }),
    ) {
        let row = |place: usize| {
            let ((day, hour), rate) = rates[place];
            format!("{day:02}/03/2024 {hour:02}:00,1,{rate}\n")
        };
        let header = "sleep_ts,step_count,resting_heart_rate\n";
        let read_rows = |rows: String| {
            let folder = Folder::new();
            folder.write("UoMsleep1.csv", format!("{header}{rows}"));
            sorted(read(folder.path()).1)
        };
        let straight = read_rows((0..rates.len()).map(row).collect());
        prop_assert_eq!(straight, read_rows(order.into_iter().map(row).collect()));
    }
}
