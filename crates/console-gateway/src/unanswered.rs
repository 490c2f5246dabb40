//! What is known of a request that was sent, when what was heard is no whole answer? That is the fault of one page, and no
//! outage: the admin is there.

use std::{error::Error, io};

use http::StatusCode;

/// Something was heard, and it is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Its head is no head, or longer than any that is taken.
    Head,
    /// Its body is not divided as it says.
    Body,
    /// It switches to a protocol that nobody asked for (RFC 9110 §15.2.2): the gateway never sends `Upgrade`.
    Switching,
    /// The admin refused with this status, and broke its words off.
    BrokeOff(StatusCode),
    /// The page broke its upload off, so that there was nothing whole to answer.
    CutShort,
}

impl Unanswered {
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
}
