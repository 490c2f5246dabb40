//! Between the core's types and the shell's.

use console_core::environment::{Accent, EnvironmentDraft, FieldError, Protection};
use console_ipc::{self as ipc, DraftReport, ProtectionView};

pub(crate) fn accent_view(accent: Accent) -> ipc::Accent {
    match accent {
        Accent::Red => ipc::Accent::Red,
        Accent::Orange => ipc::Accent::Orange,
        Accent::Amber => ipc::Accent::Amber,
        Accent::Green => ipc::Accent::Green,
        Accent::Teal => ipc::Accent::Teal,
        Accent::Blue => ipc::Accent::Blue,
        Accent::Violet => ipc::Accent::Violet,
        Accent::Pink => ipc::Accent::Pink,
        Accent::Slate => ipc::Accent::Slate,
    }
}

fn accent(accent: ipc::Accent) -> Accent {
    match accent {
        ipc::Accent::Red => Accent::Red,
        ipc::Accent::Orange => Accent::Orange,
        ipc::Accent::Amber => Accent::Amber,
        ipc::Accent::Green => Accent::Green,
        ipc::Accent::Teal => Accent::Teal,
        ipc::Accent::Blue => Accent::Blue,
        ipc::Accent::Violet => Accent::Violet,
        ipc::Accent::Pink => Accent::Pink,
        ipc::Accent::Slate => Accent::Slate,
    }
}

pub(crate) fn protection_view(protection: Protection) -> ProtectionView {
    match protection {
        Protection::Open => ProtectionView::Open,
        Protection::Locked => ProtectionView::Locked,
    }
}

pub(crate) fn protection(protection: ProtectionView) -> Protection {
    match protection {
        ProtectionView::Open => Protection::Open,
        ProtectionView::Locked => Protection::Locked,
    }
}

pub(crate) fn draft(draft: &ipc::EnvironmentDraft) -> EnvironmentDraft {
    EnvironmentDraft {
        name: draft.name.clone(),
        base_url: draft.base_url.clone(),
        tag: draft.tag.clone(),
        accent: accent(draft.accent),
        login_path: draft.login_path.clone(),
        header_name: draft.header_name.clone(),
        scheme: draft.scheme.clone(),
        cookie_name: draft.cookie_name.clone(),
        expected_issuer: draft.expected_issuer.clone(),
        expected_audience: draft.expected_audience.clone(),
        sign_in: draft.sign_in.clone(),
        network: draft.network.clone(),
        allow_token_copy: draft.allow_token_copy,
        allow_plain_http: draft.allow_plain_http,
        protection: protection(draft.protection),
    }
}

pub(crate) fn report(errors: &[FieldError]) -> DraftReport {
    DraftReport {
        errors: errors
            .iter()
            .map(|error| ipc::FieldError { field: error.field.to_string(), message: error.message.clone() })
            .collect(),
        base_url: None,
        moves_credential: false,
    }
}
