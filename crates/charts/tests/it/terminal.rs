//! Charts as text.

use vitalcast_charts::{ChartError, TerminalOptions};

use crate::data::{HOSTILE, cell, chart, full_chart, heat_map, lags, skill};

fn options(width: u32, height: u32) -> TerminalOptions {
    TerminalOptions {
        width,
        height,
        ..TerminalOptions::default()
    }
}

#[test]
fn a_chart_in_braille() {
    insta::assert_snapshot!(full_chart().terminal(options(72, 20)).unwrap(), @r"
Resting heart rate
Readings by day
       │                                ⡀
       │                               ⢠⢇     ⢠
60 bpm ┤                               ⢸⢸     ⡜⡆     ⢰          ⢰⢄     ┬
       │       ⡀                       ⡇⠈⡆    ⡇⢣     ⡏⡆     ⣇   ⡎ ⠣⡀   │
       │  ⢠⡀  ⡰⠙⡄    ⢠⡀               ⢠⠃ ⢇   ⢰⠁⠸⡀   ⢠⠃⢇    ⢸⢸   ⡇  ⢇   │
58 bpm ┤  ⡎⠱⡀⡰⠁ ⠘⢄  ⢠⠃⠑⢄              ⡸  ⢸   ⢸  ⡇   ⢸ ⢸    ⡸ ⡇ ⢸   ⢸   │
       │┄⢀⠇┄⠑⠁┄┄┄┄⠱⣀⠎┄┄⠈⢢┄┄┄┄┄┄┄┄┄┄⠢⡀┄⡇┄┄⠈⡆┄┄⡇┄┄⢸┄┄┄⡇┄⠈⡆┄┄┄⡇┄⢱┄⡸┄┄┄⠈⡆┄┄●
       │ ⢸         ⠈     ⠱⡀         ⠘⢴⠁   ⠑⢄⢀⠇  ⠈⡆ ⢰⠁  ⢇  ⢀⠇○⠘○⡇○  ○⡇○ │
56 bpm ┤ ⡎                                 ⠈⠺    ⠘⢄⡸   ⠸⡀ ⢸   ⢧⠃    ⢸  │
       │⢀⠇                                        ⠈⠃    ⠑⢄⡜   ⠘     ⠘⡄ │
       │⢸                                                ⠈⠃          ⠃ ┴
54 bpm ┤⡎
       └──┬───────────────┬───────────────┬───────────────┬─────────────
        2 Mar           9 Mar          16 Mar          23 Mar
        2026
⠒⠒ reading   ┄┄ average 57 bpm   ○ past forecast   ● forecast
│ 90 % interval
29 Mar 2026: 58 bpm, 90 % interval 55–60 bpm
");
}

#[test]
fn a_chart_in_ascii() {
    let options = TerminalOptions {
        ascii: true,
        ..options(72, 20)
    };
    insta::assert_snapshot!(full_chart().terminal(options).unwrap(), @r"
Resting heart rate
Readings by day
       |
       |                                *     *
60 bpm +                                *     **     *          *      -
       |                               * *   * *     *      *   ***    |
       |  *    *      *                * *   *  *   * *     *  *   *   |
58 bpm +  *** * **   * *              *  *   *  *   * *    * * *   *   |
       |.*...*....*.*...*..........*..*...*..*...*..*.*....*.*.*....*..@
       | *         *     **         **    * *    *  *  *   *o*o*o  o*o |
56 bpm + *                                 **     **   *   *  *     *  |
       | *                                         *    ***   *      * -
       |*                                                 *          *
54 bpm +*
       +--+---------------+---------------+---------------+-------------
        2 Mar           9 Mar          16 Mar          23 Mar
        2026
** reading   .. average 57 bpm   o past forecast   @ forecast
| 90 % interval
29 Mar 2026: 58 bpm, 90 % interval 55-60 bpm
");
}

#[test]
fn a_skill_chart_in_both_dresses() {
    insta::assert_snapshot!(skill().terminal(options(60, 20)).unwrap(), @r"
Mean error
▶ boosted trees      █████████████████████ 0.98 bpm
  yesterday's value  ██████████████████████▌ 1.05 bpm
  30-day average     ████████████████████████████ 1.31 bpm
  personal LSTM      not scored
The model's error is 7 % lower than the best baseline's
(yesterday's value).
");
    let options = TerminalOptions {
        ascii: true,
        ..options(60, 20)
    };
    insta::assert_snapshot!(skill().terminal(options).unwrap(), @r"
Mean error
> boosted trees      ##################### 0.98 bpm
  yesterday's value  ####################### 1.05 bpm
  30-day average     ############################ 1.31 bpm
  personal LSTM      not scored
The model's error is 7 % lower than the best baseline's
(yesterday's value).
");
}

#[test]
fn days_without_any_reading_say_so() {
    let text = chart(&[None, None]).terminal(options(60, 20)).unwrap();
    assert_eq!(
        text,
        "Resting heart rate\nReadings by day\nNo readings from 1 Mar 2026 to 2 Mar 2026.\n"
    );
}

#[test]
fn a_gap_is_not_bridged() {
    let values: Vec<Option<f64>> = (0..40)
        .map(|index| (!(10..30).contains(&index)).then_some(57.0))
        .collect();
    let text = chart(&values).terminal(options(60, 15)).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains('⠤') || line.contains('⠒'))
        .unwrap();
    let drawn = line.trim_start_matches(|sign| sign != '┤' && sign != '│');
    assert!(drawn.contains("                    "), "{text}");
}

#[test]
fn the_height_is_that_asked_for() {
    for height in [14, 20, 40] {
        let text = full_chart().terminal(options(80, height)).unwrap();
        assert_eq!(text.lines().count(), height as usize);
    }
}

#[test]
fn colours_only_where_they_were_asked_for() {
    let plain = full_chart().terminal(TerminalOptions::default()).unwrap();
    assert!(!plain.contains('\u{1b}'));
    let options = TerminalOptions {
        colour: true,
        ..TerminalOptions::default()
    };
    assert_eq!(stripped(&full_chart().terminal(options).unwrap()), plain);
}

/// The text without its colours.
fn stripped(coloured: &str) -> String {
    let mut stripped = String::new();
    let mut rest = coloured;
    while let Some(start) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..start]);
        rest = &rest[start + rest[start..].find('m').unwrap() + 1..];
    }
    stripped.push_str(rest);
    stripped
}

#[test]
fn correlations_say_the_same_in_colour_and_without() {
    let plain = TerminalOptions::default();
    let colour = TerminalOptions {
        colour: true,
        ..plain
    };
    for (plain, coloured) in [
        (heat_map().terminal(plain), heat_map().terminal(colour)),
        (lags().terminal(plain), lags().terminal(colour)),
    ] {
        let (plain, coloured) = (plain.unwrap(), coloured.unwrap());
        assert!(!plain.contains('\u{1b}'));
        assert!(coloured.contains("\u{1b}[38;5;32m"), "{coloured:?}");
        let trimmed: Vec<String> = stripped(&coloured)
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        assert_eq!(trimmed, plain.lines().collect::<Vec<&str>>());
    }
}

#[test]
fn a_heat_map_in_both_dresses() {
    insta::assert_snapshot!(heat_map().terminal(options(60, 20)).unwrap(), @r"
Correlations with sleep
120 days
           pearson  spearman
late_meals   −0.41*   −0.38*
steps        +0.12        –
caffeine      0.00    +0.20
* significant, – not known
");
    let options = TerminalOptions {
        ascii: true,
        ..options(60, 20)
    };
    insta::assert_snapshot!(heat_map().terminal(options).unwrap(), @r"
Correlations with sleep
120 days
           pearson  spearman
late_meals   -0.41*   -0.38*
steps        +0.12        -
caffeine      0.00    +0.20
* significant, - not known
");
}

#[test]
fn a_narrow_heat_map_has_its_labels_above_and_its_columns_in_bands() {
    let mut map = heat_map();
    map.rows.truncate(2);
    map.rows[0].label = "nutrition_hours_between_last_meal_and_bedtime".to_owned();
    map.columns = (0..8).map(|days| format!("{days} days")).collect();
    for row in &mut map.rows {
        row.cells = (0..8)
            .map(|days| cell(f64::from(days) / 10.0, days > 5))
            .collect();
    }
    insta::assert_snapshot!(map.terminal(options(40, 20)).unwrap(), @r"
Correlations with sleep
120 days
 0 days 1 days 2 days 3 days
nutrition_hours_between_last_meal_and_b…
  0.00  +0.10  +0.20  +0.30
steps
  0.00  +0.10  +0.20  +0.30

 4 days 5 days 6 days 7 days
nutrition_hours_between_last_meal_and_b…
 +0.40  +0.50  +0.60* +0.70*
steps
 +0.40  +0.50  +0.60* +0.70*
* significant
");
}

#[test]
fn lags_in_both_dresses() {
    insta::assert_snapshot!(lags().terminal(options(60, 20)).unwrap(), @r"
Sleep after late meals
120 days
  days  −1                         +1        interval
     0             ███│               −0.21  −0.46 to +0.04
▶    1         ▐██████│               −0.46* −0.71 to −0.21
     2                │█▌             +0.12  −0.13 to +0.37
     7                │               +0.01  −0.24 to +0.26
Strongest at 1 day: −0.46, interval −0.71 to −0.21.
* significant
");
    let options = TerminalOptions {
        ascii: true,
        ..options(40, 20)
    };
    insta::assert_snapshot!(lags().terminal(options).unwrap(), @r"
Sleep after late meals
120 days
  days  -1     +1        interval
     0     #|     -0.21  -0.46 to +0.04
>    1    ##|     -0.46* -0.71 to -0.21
     2      |     +0.12  -0.13 to +0.37
     7      |     +0.01  -0.24 to +0.26
Strongest at 1 day: -0.46, interval
-0.71 to -0.21.
* significant
");
}

#[test]
fn a_hostile_title_cannot_move_the_cursor() {
    let mut chart = full_chart();
    chart.title = HOSTILE.to_owned();
    chart.unit.symbol = "\u{9b}2J\r".to_owned();
    let (mut map, mut lags) = (heat_map(), lags());
    map.rows[0].label = HOSTILE.to_owned();
    map.columns[0] = HOSTILE.to_owned();
    lags.title = HOSTILE.to_owned();
    let options = TerminalOptions::default();
    for text in [
        chart.terminal(options).unwrap(),
        map.terminal(options).unwrap(),
        lags.terminal(options).unwrap(),
    ] {
        assert!(
            !text.chars().any(|sign| sign.is_control() && sign != '\n'),
            "{text:?}"
        );
    }
}

#[test]
fn absurd_sizes_are_refused_by_name() {
    let error = full_chart().terminal(options(39, 20)).unwrap_err();
    assert_eq!(error.to_string(), "width is 39, expected 40 to 400");
    let error = skill().terminal(options(80, 1_000_000)).unwrap_err();
    assert!(matches!(
        error,
        ChartError::SizeOutOfRange {
            field: "height",
            ..
        }
    ));
}
