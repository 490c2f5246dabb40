//! The command that looks at an address before anything is known about it.

use console_core::{
    environment::{EnvironmentDraft, EnvironmentId},
    realm::BaseUrl,
    secrets::Secrets,
    upstream::{Look, Reach, look},
};
use console_ipc::LookReport;

use crate::{sign_in::Answer, words, workspace::Workspace};

impl Workspace {
    /// What an admin looks like from outside. Sends no credential and changes nothing.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn environment_look(&self, base_url: &str, allow_plain_http: bool) -> Answer<LookReport> {
        let invalid = |message: String| LookReport::Invalid { message: words::sentence(&message) };
        let base_url = match BaseUrl::parse(base_url, allow_plain_http) {
            Ok(base_url) => base_url,
            Err(error) => return Ok(invalid(error.to_string())),
        };
        let host = base_url.as_url().host_str().unwrap_or_default().to_owned();
        let draft = EnvironmentDraft {
            name: host.clone(),
            tag: "LOOK".into(),
            base_url: base_url.to_string(),
            allow_plain_http,
            ..EnvironmentDraft::default()
        };
        let (Ok(checked), Ok(id)) = (draft.check(), EnvironmentId::random()) else {
            return Ok(invalid("this address cannot be looked at".into()));
        };
        let environment = checked.into_environment(id);
        let reach = match Reach::new(&environment, &Secrets::default()) {
            Ok(reach) => reach,
            Err(error) => return Ok(LookReport::Unreachable { problem: words::advised(&error) }),
        };
        Ok(match look(&reach, &environment).await {
            Ok(Look::Open) => LookReport::Open,
            Ok(Look::LoginForm { user_field, password_field }) => LookReport::LoginForm { user_field, password_field },
            Ok(Look::Token { notice }) => LookReport::Token { notice },
            Ok(Look::SentElsewhere { host, issuer }) => LookReport::SentElsewhere { host, issuer },
            Ok(Look::Refused { status }) => LookReport::Refused { status },
            Ok(Look::NotFound { instead }) => LookReport::NotFound { instead },
            Err(why) => LookReport::Unreachable { problem: words::unreachable(&why, &host) },
        })
    }
}
