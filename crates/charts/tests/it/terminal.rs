//! Charts as text.

use vitalcast_charts::{ChartError, TerminalOptions};

use crate::data::{HOSTILE, chart, full_chart, skill};

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
    let coloured = full_chart().terminal(options).unwrap();
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..start]);
        rest = &rest[start + rest[start..].find('m').unwrap() + 1..];
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn a_hostile_title_cannot_move_the_cursor() {
    let mut chart = full_chart();
    chart.title = HOSTILE.to_owned();
    chart.unit.symbol = "\u{9b}2J\r".to_owned();
    let text = chart.terminal(TerminalOptions::default()).unwrap();
    assert!(
        !text.chars().any(|sign| sign.is_control() && sign != '\n'),
        "{text:?}"
    );
}

#[test]
fn absurd_sizes_are_refused_by_name() {
    let error = full_chart().terminal(options(39, 20)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "width is 39: it must lie between 40 and 400"
    );
    let error = skill().terminal(options(80, 1_000_000)).unwrap_err();
    assert!(matches!(
        error,
        ChartError::SizeOutOfRange {
            field: "height",
            ..
        }
    ));
}
