//! The colours of the light and the dark theme.
//!
//! Blue and vermillion are those of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), which
//! people with any of the common colour vision deficiencies tell apart. No meaning rests on
//! colour alone: forecasts are rings, measured values are dots, intervals are areas. The two ends of
//! a heat map are a lighter blue and orange, equally far from the surface, on which text can be read;
//! what lies between them is mixed with the surface, so that 0 is the surface itself.
//!
//! An SVG carries the light colours as attributes. [`dark_style`] turns them into the dark ones by
//! matching those attributes, so that one picture serves both, and a viewer without style sheets
//! still shows the light one.

use std::fmt::Write as _;

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Behind everything.
    Surface,
    /// Titles and values.
    Text,
    /// Tick labels and remarks.
    Muted,
    /// Grid lines.
    Grid,
    /// The axis line.
    Rule,
    /// What was measured; also the model among its baselines.
    Reading,
    /// What was forecast.
    Forecast,
    /// The average line; what makes no difference.
    Average,
    /// Baselines beside the model; bars that matter less.
    Baseline,
    /// A correlation of −1; what takes from a forecast.
    Negative,
    /// A correlation of +1; what adds to a forecast.
    Positive,
}

impl Ink {
    pub(crate) const ALL: [Self; 11] = [
        Self::Surface,
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Rule,
        Self::Reading,
        Self::Forecast,
        Self::Average,
        Self::Baseline,
        Self::Negative,
        Self::Positive,
    ];

    pub(crate) const fn light(self) -> (u8, u8, u8) {
        match self {
            Self::Surface => (0xFF, 0xFF, 0xFF),
            Self::Text => (0x1B, 0x25, 0x2F),
            Self::Muted => (0x5B, 0x67, 0x73),
            Self::Grid => (0xE6, 0xEA, 0xEE),
            Self::Rule => (0xB4, 0xBD, 0xC6),
            Self::Reading => (0x00, 0x72, 0xB2),
            Self::Forecast => (0xD5, 0x5E, 0x00),
            Self::Average => (0x7C, 0x88, 0x94),
            Self::Baseline => (0xB9, 0xC3, 0xCD),
            Self::Negative => (0x48, 0x99, 0xD3),
            Self::Positive => (0xE6, 0x74, 0x2C),
        }
    }

    const fn dark(self) -> (u8, u8, u8) {
        match self {
            Self::Surface => (0x15, 0x1A, 0x20),
            Self::Text => (0xE8, 0xEC, 0xF0),
            Self::Muted => (0x9D, 0xA8, 0xB3),
            Self::Grid => (0x2A, 0x32, 0x3A),
            Self::Rule => (0x4C, 0x57, 0x62),
            Self::Reading => (0x56, 0xB4, 0xE9),
            Self::Forecast => (0xF2, 0x8E, 0x45),
            Self::Average => (0x8B, 0x97, 0xA3),
            Self::Baseline => (0x52, 0x5F, 0x6B),
            Self::Negative => (0x29, 0x6C, 0xA4),
            Self::Positive => (0xA5, 0x4F, 0x13),
        }
    }
}

fn hexadecimal((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// The light colour as a style sheet writes it.
pub(crate) fn light_hexadecimal(ink: Ink) -> String {
    hexadecimal(ink.light())
}

/// The dark colour as a style sheet writes it.
pub(crate) fn dark_hexadecimal(ink: Ink) -> String {
    hexadecimal(ink.dark())
}

/// Rules that give pictures of class `vitalcast-chart` their dark colours on a dark screen.
pub(crate) fn dark_style() -> String {
    let mut style = String::from("@media screen and (prefers-color-scheme:dark){");
    for ink in Ink::ALL {
        let (light, dark) = (light_hexadecimal(ink), dark_hexadecimal(ink));
        for attribute in ["fill", "stroke"] {
            write!(
                style,
                ".vitalcast-chart [{attribute}=\"{light}\"]{{{attribute}:{dark}}}"
            )
            .expect("a string takes any text");
        }
    }
    style.push('}');
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    type Colour = (u8, u8, u8);

    const DRESSES: [fn(Ink) -> Colour; 2] = [Ink::light, Ink::dark];

    /// Red, green and blue in proportion to their light.
    fn linear((red, green, blue): Colour) -> [f64; 3] {
        [red, green, blue].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    fn luminance(colour: Colour) -> f64 {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio of WCAG 2.1, <https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>.
    fn contrast(one: Colour, other: Colour) -> f64 {
        let (light, dark) = (luminance(one), luminance(other));
        (light.max(dark) + 0.05) / (light.min(dark) + 0.05)
    }

    /// A colour laid over another.
    fn mixed(over: Colour, below: Colour, opacity: f64) -> Colour {
        let channel = |over: u8, below: u8| {
            (f64::from(below) + (f64::from(over) - f64::from(below)) * opacity).round() as u8
        };
        (
            channel(over.0, below.0),
            channel(over.1, below.1),
            channel(over.2, below.2),
        )
    }

    /// What an eye without one kind of cone sees, in linear light: the full deficiencies of
    /// Machado, Oliveira and Fernandes 2009, <https://doi.org/10.1109/TVCG.2009.113>.
    const DEFICIENCIES: [(&str, [[f64; 3]; 3]); 3] = [
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    fn seen(colour: Colour, matrix: &[[f64; 3]; 3]) -> [f64; 3] {
        let light = linear(colour);
        matrix.map(|row| {
            let share: f64 = row
                .iter()
                .zip(light)
                .map(|(part, light)| part * light)
                .sum();
            let share = share.clamp(0.0, 1.0);
            255.0
                * if share <= 0.003_130_8 {
                    share * 12.92
                } else {
                    1.055 * share.powf(1.0 / 2.4) - 0.055
                }
        })
    }

    #[test]
    fn every_light_colour_is_its_own_so_that_it_can_be_exchanged() {
        for (index, ink) in Ink::ALL.iter().enumerate() {
            for other in &Ink::ALL[index + 1..] {
                assert_ne!(ink.light(), other.light(), "{ink:?} and {other:?}");
            }
        }
    }

    #[test]
    fn text_is_readable_in_both_dresses() {
        for ink in [Ink::Text, Ink::Muted] {
            assert!(
                contrast(ink.light(), Ink::Surface.light()) >= 4.5,
                "{ink:?}"
            );
            assert!(contrast(ink.dark(), Ink::Surface.dark()) >= 4.5, "{ink:?}");
        }
        for ink in [Ink::Reading, Ink::Forecast, Ink::Average] {
            assert!(
                contrast(ink.light(), Ink::Surface.light()) >= 3.0,
                "{ink:?}"
            );
            assert!(contrast(ink.dark(), Ink::Surface.dark()) >= 3.0, "{ink:?}");
        }
    }

    #[test]
    fn text_is_readable_on_every_colour_of_a_heat_map() {
        for dress in DRESSES {
            for end in [Ink::Negative, Ink::Positive] {
                for hundredths in 0..=100 {
                    let opacity = f64::from(hundredths) / 100.0;
                    let ground = mixed(dress(end), dress(Ink::Surface), opacity);
                    assert!(
                        contrast(dress(Ink::Text), ground) >= 4.5,
                        "{end:?} {opacity}"
                    );
                }
            }
        }
    }

    #[test]
    fn both_ends_of_a_heat_map_are_equally_far_from_the_surface() {
        for dress in DRESSES {
            let [negative, positive] =
                [Ink::Negative, Ink::Positive].map(|end| contrast(dress(end), dress(Ink::Surface)));
            assert!(negative >= 3.0 && positive >= 3.0, "{negative} {positive}");
            assert!((negative - positive).abs() < 0.1, "{negative} {positive}");
        }
    }

    #[test]
    fn the_ends_of_a_heat_map_differ_for_every_eye() {
        for dress in DRESSES {
            for (name, matrix) in &DEFICIENCIES {
                let [negative, positive] =
                    [Ink::Negative, Ink::Positive].map(|end| seen(dress(end), matrix));
                let distance = negative
                    .iter()
                    .zip(positive)
                    .map(|(one, other)| (one - other).powi(2))
                    .sum::<f64>()
                    .sqrt();
                assert!(distance > 100.0, "{name}: {distance}");
            }
        }
    }
}
