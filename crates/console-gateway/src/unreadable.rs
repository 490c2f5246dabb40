//! Did an answer come that is not HTTP? That is the fault of one page, and no outage: the admin is there.

use std::{error::Error, io};

use http::StatusCode;

/// An answer came, and cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Its head is no head, or longer than any that is taken.
    Head,
    /// Its body is not divided as it says.
    Body,
    /// It switches to a protocol that nobody asked for (RFC 9110 §15.2.2): the gateway never sends `Upgrade`.
    Switching,
}

impl Unreadable {
    /// What a client's error says about the answer; `None`: none came, or it broke off.
    pub(crate) fn of(error: &reqwest::Error) -> Option<Self> {
        // Whatever failed while connecting was not said by the admin.
        if error.is_connect() {
            return None;
        }
        let mut next = error.source();
        while let Some(error) = next {
            if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
                return Some(Self::Head);
            }
            // What hyper says of chunks that are none. TLS uses another kind for what it cannot read.
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidInput) {
                return Some(Self::Body);
            }
            next = error.source();
        }
        None
    }

    /// The same of a status.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        (status == StatusCode::SWITCHING_PROTOCOLS).then_some(Self::Switching)
    }

    /// For a person.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::Head => "its head is not HTTP, or far too long",
            Self::Body => "its body is not divided into chunks as it says",
            Self::Switching => "it switches to a protocol that nobody asked for",
        }
    }
}
