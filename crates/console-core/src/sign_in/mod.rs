//! How is a credential obtained? One file per method.

pub mod pasted_token;
