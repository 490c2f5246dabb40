//! What does an admin look like from outside?

use serde::Serialize;
use ts_rs::TS;

use crate::Problem;

/// What an admin looks like from outside, before anything is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "found", rename_all = "snake_case")]
#[ts(export)]
pub enum LookReport {
    /// The dashboard answers whoever asks.
    Open,
    /// The admin shows a login form of its own.
    LoginForm {
        /// The field of the user's name.
        user_field: String,
        /// The field of the password.
        password_field: String,
    },
    /// The admin wants a token.
    Token {
        /// What its login page says, shortened; it may name what it expects.
        notice: String,
    },
    /// Something in front sends to another host.
    SentElsewhere {
        /// Where.
        host: String,
        /// The issuer there, when it is an `OpenID` provider.
        issuer: Option<String>,
    },
    /// It answers, and refuses without saying what it wants: an access proxy, perhaps.
    Refused {
        /// The status.
        status: u16,
    },
    /// Nothing is mounted there.
    NotFound {
        /// Base URLs on the same host that would work.
        instead: Vec<String>,
    },
    /// It cannot be reached.
    Unreachable {
        /// Why.
        problem: Problem,
    },
    /// The address itself is wrong.
    Invalid {
        /// Why.
        message: String,
    },
}
