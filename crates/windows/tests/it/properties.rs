use proptest::prelude::*;
use vitalcast_windows::{
    ChronologicalSplit, DayMatrix, FittedScaler, Horizon, KnownSeries, Lookback, SplitFractions,
    StandardScaler, Window, WindowEnd, assemble, cut_windows,
};

const FRACTIONS: SplitFractions = SplitFractions {
    validation: 0.2,
    calibration: 0.2,
    test: 0.2,
};

/// A target with gaps, and a covariate that is always there.
fn matrix(days: &[Option<f64>]) -> DayMatrix {
    let values = days
        .iter()
        .enumerate()
        .flat_map(|(row, value)| [*value, Some((row % 7) as f64)])
        .collect();
    DayMatrix::new(
        19_000,
        vec!["target".to_owned(), "weekday".to_owned()],
        values,
    )
    .unwrap()
}

fn days() -> impl Strategy<Value = Vec<Option<f64>>> {
    prop::collection::vec(prop::option::weighted(0.8, 40.0_f64..90.0), 80..140)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Everything training does with the days: windows, split, scaler, inputs of the training windows.
fn prepared(
    days: &[Option<f64>],
    lookback: Lookback,
    horizon: Horizon,
) -> (Vec<Window>, ChronologicalSplit, FittedScaler) {
    let history = KnownSeries::from(days.to_vec());
    let windows = cut_windows(days, &history, lookback, horizon, 1).unwrap();
    let split = ChronologicalSplit::new(&windows, FRACTIONS).unwrap();
    let last = split.train.last().unwrap().last_row;
    let scaler = StandardScaler::fit(&matrix(days), 0..last + 1).unwrap();
    (windows, split, scaler)
}

proptest! {
    #[test]
    fn a_window_sees_neither_its_target_nor_any_day_after_its_last(
        mut days in days(), lookback in 3_usize..10, horizon in 1_usize..=7, pick in 0.0_f64..1.0,
        new in 100.0_f64..200.0,
    ) {
        let lookback = Lookback::new(lookback).unwrap();
        let horizon = Horizon::new(horizon).unwrap();
        let (windows, _, scaler) = prepared(&days, lookback, horizon);
        let window = windows[(pick * windows.len() as f64) as usize];
        let rows = [WindowEnd::from(&window)];
        let before = assemble(&matrix(&days), &scaler, &rows, lookback, 0, &[]).unwrap();
        for day in &mut days[window.last_row + 1..] {
            *day = day.map(|_| new);
        }
        let after = assemble(&matrix(&days), &scaler, &rows, lookback, 0, &[]).unwrap();
        prop_assert_eq!(bits(&before), bits(&after));
    }

    #[test]
    fn the_scaler_sees_no_day_after_the_last_training_window(
        mut days in days(), new in 100.0_f64..200.0,
    ) {
        let lookback = Lookback::new(7).unwrap();
        let (_, split, scaler) = prepared(&days, lookback, Horizon::new(1).unwrap());
        let last = split.train.last().unwrap().last_row;
        for day in &mut days[last + 1..] {
            *day = day.map(|_| new);
        }
        let again = StandardScaler::fit(&matrix(&days), 0..last + 1).unwrap();
        prop_assert_eq!(scaler, again);
    }

    #[test]
    fn every_day_is_forecast_in_one_part_at_most(days in days(), horizon in 1_usize..=7) {
        let lookback = Lookback::new(5).unwrap();
        let (_, split, _) = prepared(&days, lookback, Horizon::new(horizon).unwrap());
        let parts = [&split.train, &split.validation, &split.calibration, &split.test];
        let reached = |part: &[Window]| {
            let first = part.first().unwrap().last_row + 1;
            first..=part.last().unwrap().target_row
        };
        for pair in parts.windows(2) {
            prop_assert!(reached(pair[0]).end() < reached(pair[1]).start());
        }
    }

    #[test]
    fn hidden_days_leave_no_trace_of_what_was_measured(
        mut days in days(), hidden in 1_usize..7, new in 100.0_f64..200.0,
    ) {
        let lookback = Lookback::new(7).unwrap();
        let (windows, _, scaler) = prepared(&days, lookback, Horizon::new(1).unwrap());
        let last = windows.last().unwrap().last_row;
        let ahead = ["weekday".to_owned()];
        let end = WindowEnd::on_evening(last, hidden);
        let before = assemble(&matrix(&days), &scaler, &[end], lookback, hidden, &ahead).unwrap();
        for day in &mut days[last + 1 - hidden..=last] {
            *day = Some(new);
        }
        let after = assemble(&matrix(&days), &scaler, &[end], lookback, hidden, &ahead).unwrap();
        prop_assert_eq!(bits(&before), bits(&after));
    }

    #[test]
    fn a_scaler_read_back_is_the_one_written(days in days()) {
        let (_, _, scaler) = prepared(&days, Lookback::new(7).unwrap(), Horizon::new(1).unwrap());
        let text = serde_json::to_string(&scaler).unwrap();
        let back: FittedScaler = serde_json::from_str(&text).unwrap();
        prop_assert!(back.validate().is_ok());
        prop_assert_eq!(back, scaler);
    }
}
