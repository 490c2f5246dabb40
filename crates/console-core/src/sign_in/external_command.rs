//! Signs in with a token that a command prints.
//!
//! The program is started directly, without a shell, and must have been approved by the operator. It prints either a bare
//! token or JSON with `token` and, perhaps, `expires_at` (seconds since the epoch, or an RFC 3339 time).

use std::{io, process::Stdio, time::Duration};

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::{io::AsyncReadExt, process::Command, time};
use zeroize::Zeroizing;

use super::{Advice, Ask, Context, Grant, Method, SignIn, SignInError};
use crate::{
    clock::UnixTime, command_line::CommandLine, environment::FieldError, secrets::Secrets, token::from_pasted_text,
};

/// In seconds.
const TIMEOUTS: std::ops::RangeInclusive<u32> = 1..=600;
/// What is read of the output; a token is far shorter.
const MOST_OUTPUT: u64 = 256 * 1024;
/// What is shown of the error output, in characters.
const MOST_SHOWN: usize = 600;

/// The command. Nothing is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::unsafe_derive_deserialize, reason = "the `unsafe` is inside tokio's join!")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct ExternalCommand {
    /// What runs.
    pub command: CommandLine,
    /// How long it may take, in seconds.
    pub timeout: u32,
}

impl Default for ExternalCommand {
    fn default() -> Self {
        Self { command: CommandLine::default(), timeout: 30 }
    }
}

/// Why a command gave no token. Holds nothing of its standard output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CommandFailure {
    #[error("the command `{program}` was not found")]
    NotFound { program: String },
    #[error("the command `{program}` could not be started: {reason}")]
    NotStarted { program: String, reason: String },
    #[error("the command `{program}` did not end within {seconds} s")]
    TimedOut { program: String, seconds: u32 },
    #[error("the command `{program}` ended with {status}{said}")]
    Failed { program: String, status: String, said: String },
    #[error("the command `{program}` printed no token: {reason}")]
    NoToken { program: String, reason: String },
}

impl Advice for CommandFailure {
    fn code(&self) -> &'static str {
        "command"
    }

    fn advice(&self) -> String {
        match self {
            Self::NotFound { .. } => "Give its whole path in the environment's settings, or install it.",
            Self::NotStarted { .. } => "Check that this user may run it.",
            Self::TimedOut { .. } => {
                "Run it in a terminal to see what it waits for: it gets no input here. Or allow it more time."
            }
            Self::Failed { .. } => "Run it in a terminal, mend what it says, then try again.",
            Self::NoToken { .. } => {
                "It must print a token alone, or JSON such as {\"token\": \"…\", \"expires_at\": 1767225600}."
            }
        }
        .into()
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Failed { .. })
    }
}

#[derive(Deserialize)]
struct Printed {
    token: Zeroizing<String>,
    expires_at: Option<serde_json::Value>,
}

impl ExternalCommand {
    async fn run(&self) -> Result<(SecretString, Option<UnixTime>), CommandFailure> {
        let program = self.command.program.clone();
        let mut child = Command::new(&program)
            .args(&self.command.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => CommandFailure::NotFound { program: program.clone() },
                _ => CommandFailure::NotStarted { program: program.clone(), reason: error.to_string() },
            })?;
        let broken =
            |error: &io::Error| CommandFailure::NotStarted { program: program.clone(), reason: error.to_string() };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (mut printed, mut said) = (Zeroizing::new(Vec::new()), Vec::new());
        let work = async {
            let out = async {
                match stdout {
                    Some(stdout) => stdout.take(MOST_OUTPUT).read_to_end(&mut printed).await,
                    None => Ok(0),
                }
            };
            let err = async {
                match stderr {
                    Some(stderr) => stderr.take(MOST_OUTPUT).read_to_end(&mut said).await,
                    None => Ok(0),
                }
            };
            let (out, err) = tokio::join!(out, err);
            out.and(err)?;
            child.wait().await
        };
        let ended = time::timeout(Duration::from_secs(self.timeout.into()), work).await;
        let status = match ended {
            Err(_) => return Err(CommandFailure::TimedOut { program, seconds: self.timeout }),
            Ok(Err(error)) => return Err(broken(&error)),
            Ok(Ok(status)) => status,
        };
        if !status.success() {
            let said = redacted(&String::from_utf8_lossy(&said));
            let said = if said.is_empty() { said } else { format!(" and said: {said}") };
            return Err(CommandFailure::Failed { program, status: status.to_string(), said });
        }
        read(&printed).map_err(|reason| CommandFailure::NoToken { program, reason })
    }
}

/// A token from what was printed.
fn read(printed: &[u8]) -> Result<(SecretString, Option<UnixTime>), String> {
    let text = std::str::from_utf8(printed).map_err(|_| "it is not text".to_owned())?.trim();
    if text.starts_with('{') {
        let printed: Printed =
            serde_json::from_str(text).map_err(|_| "it is JSON without a text `token`".to_owned())?;
        let until = printed.expires_at.as_ref().map(time_of).transpose()?;
        let token = from_pasted_text(&printed.token, "Bearer").map_err(|error| error.to_string())?;
        return Ok((token, until));
    }
    let token = from_pasted_text(text, "Bearer").map_err(|error| error.to_string())?;
    Ok((token, None))
}

fn time_of(value: &serde_json::Value) -> Result<UnixTime, String> {
    let unknown = || "`expires_at` is neither seconds since the epoch nor an RFC 3339 time".to_owned();
    if let Some(seconds) = value.as_i64() {
        return Ok(UnixTime(seconds));
    }
    let text = value.as_str().ok_or_else(unknown)?;
    let time = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| unknown())?;
    Ok(UnixTime(time.timestamp()))
}

/// The end of what a program said, without what looks like a secret: long words are cut, and of an address only scheme,
/// host and path stay.
pub(crate) fn redacted(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<String> = clean.split_whitespace().map(redacted_word).collect();
    let all = words.join(" ");
    let skip = all.chars().count().saturating_sub(MOST_SHOWN);
    all.chars().skip(skip).collect()
}

fn redacted_word(word: &str) -> String {
    if let Some(at) = word.find("://")
        && let Ok(mut url) = url::Url::parse(word.trim_start_matches(|c: char| !c.is_ascii_alphabetic()))
        && at < 12
    {
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        return url.to_string();
    }
    let is_path = word.starts_with('/') && word.matches('/').count() > 1 && word.len() < 120;
    if word.len() > 40 && !is_path { "[…]".to_owned() } else { word.to_owned() }
}

impl SignIn for ExternalCommand {
    fn tidied(&self) -> Method {
        Method::ExternalCommand(Self { command: self.command.tidied(), timeout: self.timeout })
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = self.command.check("sign_in.command").into_iter().collect();
        if !TIMEOUTS.contains(&self.timeout) {
            errors.push(FieldError::new("sign_in.timeout", "give 1 to 600 seconds"));
        }
        errors
    }

    fn asks(&self) -> Vec<Ask> {
        Vec::new()
    }

    fn command(&self) -> Option<&CommandLine> {
        Some(&self.command)
    }

    fn obtain<'a>(&'a self, _with: &'a Context<'a>, _secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move {
            let (token, until) = self.run().await?;
            Ok(Grant::token(token, until, Secrets::default()))
        })
    }

    fn restore(&self, _kept: &Secrets, _now: UnixTime) -> Option<Grant> {
        None
    }

    fn can_renew(&self, _kept: &Secrets) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{CommandFailure, ExternalCommand, read, redacted};
    use crate::{clock::UnixTime, command_line::CommandLine};

    fn command(program: &str, arguments: &[&str]) -> ExternalCommand {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        ExternalCommand { command: CommandLine { program: program.into(), arguments }, timeout: 5 }
    }

    #[test]
    fn a_bare_token_and_json_are_read() {
        let read = |text: &str| read(text.as_bytes()).map(|(token, at)| (token.expose_secret().to_owned(), at));
        assert_eq!(read(" Bearer abc.def.ghi\n"), Ok(("abc.def.ghi".into(), None)));
        assert_eq!(
            read(r#"{"token": "t", "expires_at": 1767225600}"#),
            Ok(("t".into(), Some(UnixTime(1_767_225_600))))
        );
        assert_eq!(
            read(r#"{"token": "t", "expires_at": "2026-01-01T01:00:00+01:00", "more": 1}"#),
            Ok(("t".into(), Some(UnixTime(1_767_225_600))))
        );
        // A Friday: the day of the week is nobody's business.
        assert_eq!(
            read(r#"{"token": "t", "expires_at": "2026-01-02T00:00:00.5Z"}"#),
            Ok(("t".into(), Some(UnixTime(1_767_312_000))))
        );
        for wrong in ["", "{}", "two words", r#"{"token": 1}"#, r#"{"token": "t", "expires_at": "soon"}"#, "{canary"] {
            let error = read(wrong).expect_err(wrong);
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn arguments_reach_the_program_as_they_are_without_a_shell() {
        let printed = command("/usr/bin/printf", &["%s", "a$HOME;|b"]).run().await.expect("prints").0;
        assert_eq!(printed.expose_secret(), "a$HOME;|b");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_goes_wrong_is_said_without_the_output() {
        let failure =
            async |program: &str, arguments: &[&str]| command(program, arguments).run().await.expect_err("fails");
        assert!(matches!(failure("no-such-program-here", &[]).await, CommandFailure::NotFound { .. }));
        let said = failure("/bin/sh", &["-c", "echo canary; echo it went wrong >&2; exit 3"]).await.to_string();
        assert!(said.contains("it went wrong") && said.contains('3') && !said.contains("canary"), "{said}");
        let slow = ExternalCommand { timeout: 1, ..command("/bin/sleep", &["60"]) };
        assert!(matches!(slow.run().await, Err(CommandFailure::TimedOut { seconds: 1, .. })));
        let nothing = failure("/bin/true", &[]).await;
        assert!(matches!(nothing, CommandFailure::NoToken { .. }), "{nothing}");
    }

    #[test]
    fn what_looks_like_a_token_is_cut_from_what_a_program_said() {
        let token = format!("token={}", "x".repeat(60));
        let address = "https://u:canary@id.example/a?code=canary#canary";
        assert_eq!(redacted(&format!("see {address} /{}", "y".repeat(60))), "see https://id.example/a […]");
        assert_eq!(
            redacted(&format!("refused\n{token} https://id.example/login")),
            "refused […] https://id.example/login"
        );
    }
}
