//! When do the console's window, and the environments in it, appear on an X screen? It reads the screen's pixels, so it
//! knows what a person could have seen and nothing of how it came about.
//!
//! `watch-screen RRGGBB…` prints one word a line as soon as it is so: `ready`; then for each window in turn `mapped`,
//! `painted` (every given colour is in the rail), `page` (text, in the dashboard's place), `gone`. It ends with its process
//! group.

use std::{error::Error, io::Write as _, process::ExitCode, thread, time::Duration};

use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, ImageFormat, ImageOrder, MapState, Window},
    rust_connection::RustConnection,
};

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);
/// The least size of the console's window; what GTK opens besides is smaller.
const LEAST: (u16, u16) = (900, 600);
/// Where the rail lies in the window: `src-tauri/src/stage/mod.rs`.
const RAIL_WIDTH: u16 = 56;
const BAR_HEIGHT: u16 = 42;
/// The frame of a rail item has more pixels than this; smoothed corners and letters have fewer of any colour.
const ENOUGH: usize = 100;
/// The top of the dashboard's page, which holds its title.
const TITLE_HEIGHT: u16 = 60;
/// Smoothed text has more different bytes than this, the shell's place-holders and a blank page fewer.
const TEXT: usize = 64;
/// Rounding, per channel.
const TOLERANCE: u8 = 2;

type Colour = [u8; 3];

fn main() -> ExitCode {
    match watch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("watch-screen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn watch() -> Result<(), Box<dyn Error>> {
    let colours = std::env::args().skip(1).map(|word| colour(&word)).collect::<Result<Vec<_>, _>>()?;
    let screen = Screen::open()?;
    say("ready")?;
    loop {
        let window = until(|| screen.console_window())?;
        say("mapped")?;
        until(|| Ok(screen.rail_shows(window, &colours)?.then_some(())))?;
        say("painted")?;
        until(|| Ok((screen.shows_text(window)? || screen.console_window()? != Some(window)).then_some(())))?;
        say("page")?;
        until(|| Ok((screen.console_window()? != Some(window)).then_some(())))?;
        say("gone")?;
    }
}

/// Looks until there is something.
fn until<T>(mut look: impl FnMut() -> Result<Option<T>, Box<dyn Error>>) -> Result<T, Box<dyn Error>> {
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

fn say(word: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{word}")?;
    output.flush()
}

fn colour(word: &str) -> Result<Colour, String> {
    let wrong = || format!("`{word}` is not a colour such as 0a1b2c");
    let number = u32::from_str_radix(word, 16).map_err(|_| wrong())?;
    let [0, red, green, blue] = number.to_be_bytes() else { return Err(wrong()) };
    Ok([red, green, blue])
}

struct Screen {
    connection: RustConnection,
    root: Window,
    size: (u16, u16),
}

impl Screen {
    fn open() -> Result<Self, Box<dyn Error>> {
        let (connection, number) = x11rb::connect(None)?;
        let setup = connection.setup();
        let screen = &setup.roots[number];
        let plain = setup.image_byte_order == ImageOrder::LSB_FIRST
            && setup.pixmap_formats.iter().any(|it| it.depth == screen.root_depth && it.bits_per_pixel == 32);
        if !plain {
            return Err("the screen's pixels are not 32 bits, blue first".into());
        }
        let (root, size) = (screen.root, (screen.width_in_pixels, screen.height_in_pixels));
        Ok(Self { connection, root, size })
    }

    /// The console's window, once it is on the screen.
    fn console_window(&self) -> Result<Option<Window>, Box<dyn Error>> {
        for window in self.connection.query_tree(self.root)?.reply()?.children {
            // A window may go between two questions: then it answers with an error, and is none.
            let Ok(attributes) = self.connection.get_window_attributes(window)?.reply() else { continue };
            let Ok(geometry) = self.connection.get_geometry(window)?.reply() else { continue };
            let large = geometry.width >= LEAST.0 && geometry.height >= LEAST.1;
            if large && attributes.map_state == MapState::VIEWABLE {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Whether each colour is in the window's rail, below the bar.
    fn rail_shows(&self, window: Window, colours: &[Colour]) -> Result<bool, Box<dyn Error>> {
        let pixels = self.pixels(window, (0, RAIL_WIDTH), (BAR_HEIGHT, u16::MAX))?;
        Ok(colours.iter().all(|colour| count(&pixels, *colour) >= ENOUGH))
    }

    /// Whether there is text at the top of the dashboard's place.
    fn shows_text(&self, window: Window) -> Result<bool, Box<dyn Error>> {
        let pixels = self.pixels(window, (RAIL_WIDTH, u16::MAX), (BAR_HEIGHT, TITLE_HEIGHT))?;
        let mut seen = [false; 256];
        for (index, byte) in pixels.into_iter().enumerate() {
            // The fourth byte of a pixel is nobody's.
            seen[usize::from(byte)] |= index % 4 != 3;
        }
        Ok(seen.into_iter().filter(|seen| *seen).count() >= TEXT)
    }

    /// What the screen shows of a part of the window: from its left and top, at most so wide and high. Nothing of a window
    /// that has gone.
    fn pixels(
        &self,
        window: Window,
        (left, width): (u16, u16),
        (top, height): (u16, u16),
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let Ok(at) = self.connection.get_geometry(window)?.reply() else { return Ok(Vec::new()) };
        let (Ok(x), Ok(y)) = (u16::try_from(at.x), u16::try_from(at.y)) else { return Ok(Vec::new()) };
        let (x, y) = (x + left, y + top);
        let width = width.min(at.width.saturating_sub(left)).min(self.size.0.saturating_sub(x));
        let height = height.min(at.height.saturating_sub(top)).min(self.size.1.saturating_sub(y));
        if width == 0 || height == 0 {
            return Ok(Vec::new());
        }
        let (x, y) = (i16::try_from(x)?, i16::try_from(y)?);
        // Of the root, so that it is what the screen shows and not what the window would show.
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, width, height, !0)?;
        Ok(image.reply()?.data)
    }
}

fn count(pixels: &[u8], [red, green, blue]: Colour) -> usize {
    let near = |a: u8, b: u8| a.abs_diff(b) <= TOLERANCE;
    pixels.chunks_exact(4).filter(|at| near(at[0], blue) && near(at[1], green) && near(at[2], red)).count()
}

#[cfg(test)]
mod tests {
    use super::{colour, count};

    #[test]
    fn a_colour_is_found_in_the_screens_pixels_whatever_their_fourth_byte_is() {
        let amber = colour("b87a14").expect("a colour");
        assert_eq!(amber, [0xb8, 0x7a, 0x14]);
        let pixels = [0x14, 0x7a, 0xb8, 0, 0x15, 0x7a, 0xb6, 255, 0xb8, 0x7a, 0x14, 0];
        assert_eq!(count(&pixels, amber), 2);
        assert!(colour("ff0000000").is_err() && colour("red").is_err());
    }
}
