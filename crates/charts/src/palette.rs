//! The colours, in a light and a dark dress.
//!
//! Blue and vermillion are those of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), which
//! people with any of the common colour vision deficiencies tell apart. No meaning rests on
//! colour alone: forecasts are rings, what came true are dots, intervals are areas.
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
    /// The average line.
    Average,
    /// Baselines beside the model.
    Baseline,
}

impl Ink {
    pub(crate) const ALL: [Self; 9] = [
        Self::Surface,
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Rule,
        Self::Reading,
        Self::Forecast,
        Self::Average,
        Self::Baseline,
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
        }
    }

    pub(crate) const fn dark(self) -> (u8, u8, u8) {
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

    /// Contrast ratio of WCAG 2.1, <https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>.
    fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
        let luminance = |(red, green, blue): (u8, u8, u8)| {
            let linear = |channel: u8| {
                let share = f64::from(channel) / 255.0;
                if share <= 0.040_45 {
                    share / 12.92
                } else {
                    ((share + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        };
        let (light, dark) = (luminance(one), luminance(other));
        (light.max(dark) + 0.05) / (light.min(dark) + 0.05)
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
    fn text_is_readable_on_the_deepest_cell_of_a_heat_map() {
        let over = |ink: (u8, u8, u8), ground: (u8, u8, u8), depth: f64| {
            let mix = |ink: u8, ground: u8| {
                (f64::from(ink) * depth + f64::from(ground) * (1.0 - depth)).round() as u8
            };
            (
                mix(ink.0, ground.0),
                mix(ink.1, ground.1),
                mix(ink.2, ground.2),
            )
        };
        for ink in [Ink::Reading, Ink::Forecast] {
            for dress in [Ink::light, Ink::dark] {
                let cell = over(dress(Ink::Grid), dress(Ink::Surface), 0.35);
                let cell = over(dress(ink), cell, crate::heat_map::DEEPEST);
                let reached = contrast(dress(Ink::Text), cell);
                assert!(reached >= 4.5, "{ink:?}: {reached}");
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
}
