//! Which colour does an accent have on a screen? As the shell's tokens say it in OKLCH, in sRGB.

use std::{fs, io, path::Path};

/// Why a colour is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ColourError {
    #[error("`{path}` could not be read: {source}")]
    Read { path: String, source: io::Error },
    #[error("`{path}` has no line such as `--{accent}: oklch(0.5 0.1 20);`")]
    Absent { path: String, accent: String },
}

/// The accent's colour in the light theme (the first in the file), as `rrggbb`.
pub(crate) fn of_accent(tokens: &Path, accent: &str) -> Result<String, ColourError> {
    let path = tokens.display().to_string();
    let text = fs::read_to_string(tokens).map_err(|source| ColourError::Read { path: path.clone(), source })?;
    find(&text, accent).map(to_srgb).ok_or_else(|| ColourError::Absent { path, accent: accent.to_owned() })
}

/// Lightness, chroma, hue in degrees.
fn find(css: &str, accent: &str) -> Option<[f64; 3]> {
    let start = format!("--{accent}: oklch(");
    let rest = css.lines().find_map(|line| line.trim().strip_prefix(&start))?;
    let numbers: Option<Vec<f64>> =
        rest.strip_suffix(");")?.split_whitespace().map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Björn Ottosson's matrices, as CSS Color 4 has them (section 18, sample code), and the transfer function of sRGB.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    clippy::unreadable_literal,
    reason = "clamped to a byte; the names and digits are the standard's"
)]
fn to_srgb([lightness, chroma, hue]: [f64; 3]) -> String {
    let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    let linear = [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ];
    let byte = |light: f64| {
        let light = light.clamp(0.0, 1.0);
        let value = if light <= 0.0031308 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        (value * 255.0).round() as u8
    };
    let [red, green, blue] = linear.map(byte);
    format!("{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::{find, to_srgb};

    #[test]
    fn the_first_of_two_themes_is_read() {
        let css =
            ":root {\n  --red: oklch(0.56 0.19 26);\n  --red-text: var(--paper);\n  --red: oklch(0.65 0.18 26);\n}";
        assert_eq!(find(css, "red"), Some([0.56, 0.19, 26.0]));
        assert_eq!(find(css, "amber"), None);
    }

    #[test]
    fn known_colours_come_out_as_everybody_has_them() {
        assert_eq!(to_srgb([1.0, 0.0, 0.0]), "ffffff");
        assert_eq!(to_srgb([0.0, 0.0, 0.0]), "000000");
        // CSS Color 4: `red` is oklch(0.62796 0.25768 29.234), `green` oklch(0.51975 0.17686 142.495).
        assert_eq!(to_srgb([0.62796, 0.25768, 29.234]), "ff0000");
        assert_eq!(to_srgb([0.51975, 0.17686, 142.495]), "008000");
    }
}
