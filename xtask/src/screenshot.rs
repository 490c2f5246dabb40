//! What does the private screen show, and has it come to rest?

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    display::Session,
    process::{Interrupt, ProcessError},
};

const BETWEEN: Duration = Duration::from_millis(500);
/// At rest: at most one byte in this many differs between two pictures (a clock may tick).
const AT_REST: usize = 500;
/// A page: at least this many different values among the bytes. The shell's place-holders have fewer than twenty.
const COLOURS: usize = 64;
/// Where the dashboard lies (`src-tauri/src/stage/mod.rs`), for `import -crop`.
const CONTENT: &str = "+56+42";

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScreenshotError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("`import` (ImageMagick) could not read the screen or write `{0}`")]
    Import(PathBuf),
    #[error("the window did not come to rest in time: {0}")]
    Restless(&'static str),
}

/// Waits until the screen shows a page where the dashboard lies and two pictures in a row are alike, then writes all of it
/// into `file` (PNG), without the black around the window.
pub(crate) fn take(
    session: &Session,
    file: &Path,
    deadline: Instant,
    interrupt: &Interrupt,
) -> Result<(), ScreenshotError> {
    let mut before = pixels(session, file)?;
    loop {
        thread::sleep(BETWEEN);
        interrupt.check()?;
        let now = pixels(session, file)?;
        let state = judge(&before, &now);
        match state {
            Ok(()) => break,
            Err(why) if Instant::now() > deadline => return Err(ScreenshotError::Restless(why)),
            Err(_) => before = now,
        }
    }
    write(session, file)
}

/// Writes what the screen shows now.
pub(crate) fn write(session: &Session, file: &Path) -> Result<(), ScreenshotError> {
    let mut command = import(session);
    let status = command.arg("-trim").arg("+repage").arg(file).status();
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err(ScreenshotError::Import(file.to_owned())) }
}

fn judge(before: &[u8], now: &[u8]) -> Result<(), &'static str> {
    let mut seen = [false; 256];
    for byte in now {
        seen[usize::from(*byte)] = true;
    }
    if seen.iter().filter(|seen| **seen).count() < COLOURS {
        return Err("there is no page in it");
    }
    let different = before.iter().zip(now).filter(|(a, b)| a != b).count();
    if before.len() != now.len() || different * AT_REST > now.len() {
        return Err("it keeps changing");
    }
    Ok(())
}

fn pixels(session: &Session, file: &Path) -> Result<Vec<u8>, ScreenshotError> {
    let output = import(session).args(["-crop", CONTENT, "-depth", "8", "rgb:-"]).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(output.stdout),
        _ => Err(ScreenshotError::Import(file.to_owned())),
    }
}

fn import(session: &Session) -> Command {
    let mut command = Command::new("import");
    session.apply(&mut command).args(["-silent", "-window", "root"]);
    command
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_blank_or_changing_screen_is_not_at_rest() {
        let picture: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        let mut ticked = picture.clone();
        ticked[7] ^= 1;
        let mut changed = picture.clone();
        changed[..100].fill(9);
        assert_eq!(judge(&[7; 10_000], &[7; 10_000]), Err("there is no page in it"));
        assert_eq!(judge(&picture, &ticked), Ok(()));
        assert_eq!(judge(&picture, &changed), Err("it keeps changing"));
    }
}
