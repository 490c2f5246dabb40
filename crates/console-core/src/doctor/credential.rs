//! What does the admin make of the credential, and of the way it is carried?

use http::header;

use super::{
    examination::{Examination, advice_for},
    step::Found,
};
use crate::{
    session::{Attachment, Credential},
    sign_in::{attachment as settings, shown_address},
    upstream::Outcome,
};

/// As AsyncMQ's own backend wants it (`asyncmq/contrib/dashboard/admin/backends/jwt.py`).
fn usual() -> Attachment {
    Attachment { header_name: header::AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None }
}

/// Whether the admin takes the credential as this environment carries it, else whether it takes a token as usual.
pub(super) async fn attachment(examination: &mut Examination<'_>) -> Found {
    let subject = examination.subject;
    let Some(signed_in) = &subject.signed_in else { return Found::skipped(examination.no_credential()) };
    let carried = settings(&subject.environment);
    let how = match &signed_in.credential {
        Credential::Token(_) => in_words(&carried),
        Credential::Headers(headers) => {
            let names: Vec<_> = headers.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("as {}", names.join(", "))
        }
        Credential::Cookies(_) => "as the admin's own session cookie".into(),
        Credential::Nothing => return Found::skipped("This environment sends no credential."),
    };
    let outcome = match examination.page().await {
        None => return Found::failed("The credential cannot stand in a header.", "Sign in again."),
        Some(Err(why)) => return Found::unknown(why.detail.clone(), advice_for(why.kind)),
        Some(Ok(outcome)) => outcome,
    };
    match outcome {
        Outcome::Answered | Outcome::NotAllowed | Outcome::CrossOriginRejected if examination.is_open() => {
            Found::unknown(
                format!(
                    "The credential goes {how}. The admin lets anybody in: whether it is read cannot be told from here."
                ),
                "",
            )
        }
        Outcome::Answered | Outcome::NotAllowed | Outcome::CrossOriginRejected => {
            Found::well(format!("The admin reads the credential {how}."))
        }
        Outcome::GateRefused | Outcome::Unauthorized => {
            refused(examination, &signed_in.credential, &carried, &how).await
        }
        _ => Found::unknown(format!("The credential goes {how}. Something before the admin's gate answered."), ""),
    }
}

/// Whether a token that is refused passes where it is carried as usual. It stays inside the realm.
async fn refused(examination: &Examination<'_>, credential: &Credential, carried: &Attachment, how: &str) -> Found {
    let cannot_be_told = Found::unknown(
        format!("The credential goes {how}. Whether the refusal is about that cannot be told from here."),
        "",
    );
    // Where something in front wants that header for itself, it is not ours to fill.
    let is_taken = examination.subject.reach.extras().headers().iter().any(|(name, _)| *name == header::AUTHORIZATION);
    let can_be_tried = matches!(credential, Credential::Token(_)) && *carried != usual() && !is_taken;
    let Some(authorization) = examination.carried_by(&usual()).filter(|_| can_be_tried) else { return cannot_be_told };
    let usually = in_words(&usual());
    if let Ok(Outcome::Answered | Outcome::NotAllowed) = examination.page_for(&authorization).await {
        return Found::failed(
            format!("The admin does not read the token {how}; it reads it {usually}."),
            "Set the header to `Authorization` and the scheme to `Bearer` in the environment's settings, without a cookie.",
        );
    }
    Found::unknown(
        format!(
            "The admin refuses the token {how}, and {usually} as well. Which of header and token is wrong cannot be told from here."
        ),
        "",
    )
}

fn in_words(attachment: &Attachment) -> String {
    let scheme = if attachment.scheme.is_empty() { String::new() } else { format!("{} ", attachment.scheme) };
    if let Some(name) = &attachment.cookie_name {
        return format!("in the cookie `{name}`, as `{scheme}…`");
    }
    let is_usual = attachment.header_name == header::AUTHORIZATION;
    let name = if is_usual { "Authorization" } else { attachment.header_name.as_str() };
    format!("as `{name}: {scheme}…`")
}

/// What the admin makes of the credential.
pub(super) async fn accepted(examination: &mut Examination<'_>) -> Found {
    let open = examination.is_open();
    let outcome = match examination.page().await {
        None if open => return Found::well("The admin lets anybody in, without a credential."),
        None => return Found::stopped(examination.no_credential()),
        Some(Err(why)) => return Found::failed(why.detail.clone(), advice_for(why.kind)),
        Some(Ok(outcome)) => outcome,
    };
    let nothing = matches!(
        examination.subject.signed_in.as_ref().map(|signed_in| &signed_in.credential),
        Some(Credential::Nothing)
    );
    match outcome {
        Outcome::Answered if open => Found::well("The dashboard answers. The admin lets anybody in."),
        Outcome::Answered => Found::well("The dashboard answers."),
        Outcome::GateRefused | Outcome::Unauthorized if nothing => Found::failed(
            "The admin asks for a credential, and this environment has none.",
            "Choose a sign-in method in the environment's settings.",
        ),
        Outcome::GateRefused => Found::failed(
            "The admin's gate did not accept the credential. It does not say why.",
            "Look at the steps above: what failed, then what could not be told. Then sign in again.",
        ),
        Outcome::Unauthorized => Found::failed(
            "The credential was refused with 401, and not by AsyncMQ's gate.",
            "Find out what stands in front of the admin, and whether it wants a sign-in of its own.",
        ),
        Outcome::NotAllowed => Found::failed(
            "Signed in, but not allowed: no admin claim, or none of the roles that this admin requires.",
            "Show the claims to the admin's administrator, or switch the account.",
        ),
        Outcome::CrossOriginRejected => Found::failed(
            "The admin takes a page request for one from another site.",
            "Show this to the admin's administrator.",
        ),
        Outcome::SentElsewhere { host } => Found::failed(
            format!("Something in front sends to `{}`, with the credential, too.", shown_address(&host)),
            "Set what it asks for: extra headers, cookies or a client certificate in the environment's network settings.",
        ),
        Outcome::Forbidden | Outcome::NotFoundAtBase => Found::failed(
            "The first page is refused, and not by AsyncMQ's gate.",
            "Find out what stands in front of the admin.",
        ),
    }
}
