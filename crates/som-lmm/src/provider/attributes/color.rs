//! Names of colours, as people use them.

use som_core::Color;

/// A colour that has a word of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColorName {
    Black,
    White,
    Grey,
    Red,
    Orange,
    Brown,
    Yellow,
    Green,
    Cyan,
    Blue,
    Purple,
    Pink,
}

impl ColorName {
    /// The name that fits `color` best: by lightness and saturation, then by hue.
    pub(super) fn of(color: Color) -> Self {
        let [red, green, blue] = color.0.map(|channel| f32::from(channel) / 255.0);
        let value = red.max(green).max(blue);
        let chroma = value - red.min(green).min(blue);
        if value < 0.2 {
            return Self::Black;
        }
        let saturation = chroma / value;
        if saturation < 0.15 || chroma < 0.08 {
            return if value > 0.85 {
                Self::White
            } else {
                Self::Grey
            };
        }
        let sixth = if value == red {
            (green - blue) / chroma
        } else if value == green {
            (blue - red) / chroma + 2.0
        } else {
            (red - green) / chroma + 4.0
        };
        let hue = (sixth * 60.0).rem_euclid(360.0);
        match hue {
            345.0.. | ..15.0 if saturation < 0.5 && value > 0.75 => Self::Pink,
            345.0.. | ..12.0 => Self::Red,
            ..45.0 if value < 0.7 => Self::Brown,
            ..45.0 => Self::Orange,
            ..70.0 => Self::Yellow,
            ..165.0 => Self::Green,
            ..195.0 => Self::Cyan,
            ..255.0 => Self::Blue,
            ..290.0 => Self::Purple,
            _ => Self::Pink,
        }
    }

    /// The colour that `word` names.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "black" => Self::Black,
            "white" => Self::White,
            "grey" | "gray" | "silver" => Self::Grey,
            "red" => Self::Red,
            "orange" => Self::Orange,
            "brown" | "beige" => Self::Brown,
            "yellow" | "golden" => Self::Yellow,
            "green" => Self::Green,
            "cyan" | "turquoise" | "teal" => Self::Cyan,
            "blue" => Self::Blue,
            "purple" | "violet" => Self::Purple,
            "pink" | "magenta" => Self::Pink,
            _ => return None,
        })
    }

    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::White => "white",
            Self::Grey => "grey",
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Brown => "brown",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Cyan => "cyan",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Pink => "pink",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_the_names_people_give_them() {
        for (rgb, name) in [
            (0x000000, "black"),
            (0xffffff, "white"),
            (0x808080, "grey"),
            (0xd02020, "red"),
            (0xff8c00, "orange"),
            (0x7b4a1e, "brown"),
            (0xffe010, "yellow"),
            (0x2e8b30, "green"),
            (0x20c8c8, "cyan"),
            (0x1e50d0, "blue"),
            (0x7030c0, "purple"),
            (0xffb6c1, "pink"),
            (0xff40c0, "pink"),
        ] {
            let found = ColorName::of(Color::from_u32(rgb));
            assert_eq!(found.word(), name, "{rgb:06x}");
            assert_eq!(ColorName::from_word(name), Some(found));
        }
        assert_eq!(ColorName::from_word("mauve"), None);
    }
}
