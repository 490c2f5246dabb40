//! Where does the log go? Into a file of the profile, one a day, a week kept.
//!
//! Only our own crates may be verbose: what libraries write below warnings is not ours to vouch for.

use std::path::Path;

use tracing::Level;
use tracing_appender::{
    non_blocking::WorkerGuard,
    rolling::{RollingFileAppender, Rotation},
};
use tracing_subscriber::{EnvFilter, fmt};

/// Keeps the log's writer alive.
pub(crate) struct Log(#[allow(dead_code, reason = "held for its drop")] Option<WorkerGuard>);

/// Starts logging to `folder`. A folder that cannot be written is no reason not to start.
pub(crate) fn start(folder: &Path, level: Level) -> Log {
    let filter = EnvFilter::new(format!(
        "warn,asyncmq_console={level},console_core={level},console_gateway={level},console_workspace={level}"
    ));
    // Before the appender looks into it for old files, which it complains about on standard error.
    let _ = std::fs::create_dir_all(folder);
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("console")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder);
    match appender {
        Ok(appender) => {
            let (writer, guard) = tracing_appender::non_blocking(appender);
            // A second start in one process (tests) keeps the first log.
            let _ = fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).try_init();
            Log(Some(guard))
        }
        Err(error) => {
            let _ = fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
            tracing::warn!(%error, folder = %folder.display(), "the log cannot be written there; it goes to standard error");
            Log(None)
        }
    }
}
