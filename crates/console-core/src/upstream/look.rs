//! What does an admin want, judged from outside with no credential at all?

use std::time::Duration;

use http::{Method, StatusCode, header};
use lol_html::{RewriteStrSettings, element, html_content::TextType, rewrite_str};
use reqwest::Response;
use url::Url;

use super::{Outcome, Reach, Unreachable, judge};
use crate::environment::Environment;

const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of a page, in bytes.
const MOST_READ: usize = 256 * 1024;
/// What is shown of a login page, in characters.
const MOST_SHOWN: usize = 300;
/// Mount prefixes that admins usually have.
const USUAL: [&str; 5] = ["/asyncmq", "/admin/asyncmq", "/dashboard", "/ops/asyncmq", ""];
/// What AsyncMQ's pages have in common (`asyncmq/contrib/dashboard`).
const OURS: &str = "asyncmq";

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The dashboard answers whoever asks.
    Open,
    /// A login form of the admin's own.
    LoginForm {
        /// The field of the user's name.
        user_field: String,
        /// The field of the password.
        password_field: String,
    },
    /// The gate sends to a login page without a form: it wants a token.
    Token {
        /// What that page says, as text.
        notice: String,
    },
    /// Something in front sends to another host.
    SentElsewhere {
        /// Where.
        host: String,
        /// The issuer there, when it is an `OpenID` provider.
        issuer: Option<String>,
    },
    /// Refused without saying what is wanted.
    Refused {
        /// The status.
        status: u16,
    },
    /// Nothing is mounted there.
    NotFound {
        /// Base URLs on the same host that would work.
        instead: Vec<String>,
    },
}

/// Looks at the environment's base URL: no credential is sent, nothing is changed.
///
/// # Errors
/// [`Unreachable`].
pub async fn look(reach: &Reach, environment: &Environment) -> Result<Look, Unreachable> {
    let url = environment.base_url.join("/");
    let response = get(reach, url.clone()).await?;
    match judge(environment, &Method::GET, &url, response.status(), response.headers()) {
        Outcome::GateRefused => login_page(reach, environment).await,
        Outcome::SentElsewhere { host } => {
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.and_then(|target| url.join(target).ok());
            let issuer = match target {
                Some(target) => issuer_at(reach, &target).await,
                None => None,
            };
            Ok(Look::SentElsewhere { host, issuer })
        }
        Outcome::NotFoundAtBase => Ok(Look::NotFound { instead: usual(reach, environment).await }),
        _ => match response.status() {
            status if status.is_success() => {
                let page = text(response).await?;
                if page.to_ascii_lowercase().contains(OURS) {
                    Ok(Look::Open)
                } else {
                    Ok(Look::NotFound { instead: usual(reach, environment).await })
                }
            }
            StatusCode::NOT_FOUND => Ok(Look::NotFound { instead: usual(reach, environment).await }),
            status => Ok(Look::Refused { status: status.as_u16() }),
        },
    }
}

async fn login_page(reach: &Reach, environment: &Environment) -> Result<Look, Unreachable> {
    let response = get(reach, environment.base_url.join(&environment.login_path)).await?;
    let page = text(response).await?;
    Ok(match form_of(&page) {
        Some((user_field, password_field)) => Look::LoginForm { user_field, password_field },
        None => Look::Token { notice: words_of(&page) },
    })
}

/// The names of the fields of a form with a password.
fn form_of(page: &str) -> Option<(String, String)> {
    let (mut user, mut password) = (None, None);
    let settings = RewriteStrSettings::new().append_element_content_handler(element!("input", |input| {
        let kind = input.get_attribute("type").unwrap_or_default().to_ascii_lowercase();
        if let Some(name) = input.get_attribute("name").filter(|name| !name.is_empty()) {
            match kind.as_str() {
                "password" => password = password.take().or(Some(name)),
                "" | "text" | "email" => user = user.take().or(Some(name)),
                _ => {}
            }
        }
        Ok(())
    }));
    rewrite_str(page, settings).ok()?;
    Some((user.unwrap_or_else(|| "username".into()), password?))
}

/// What a page says: its text without markup, shortened.
fn words_of(page: &str) -> String {
    let mut words = String::new();
    // Text of a script or a style is not what a page says.
    let settings = RewriteStrSettings::new().append_element_content_handler(lol_html::text!("body", |chunk| {
        if matches!(chunk.text_type(), TextType::Data | TextType::RCData) {
            words.push_str(chunk.as_str());
        }
        Ok(())
    }));
    if rewrite_str(page, settings).is_err() || words.trim().is_empty() {
        // A page without a body is text as it stands.
        words = page
            .chars()
            .scan(false, |inside, c| {
                let was = *inside;
                *inside = (was || c == '<') && c != '>';
                Some(if was || c == '<' { ' ' } else { c })
            })
            .collect();
    }
    let words: Vec<_> = words.split_whitespace().collect();
    let decoded = html_escape::decode_html_entities(&words.join(" ")).into_owned();
    decoded.chars().filter(|c| !c.is_control()).take(MOST_SHOWN).collect()
}

/// The issuer that a provider's sign-in page belongs to: its own discovery document, at the origin or above the path.
async fn issuer_at(reach: &Reach, target: &Url) -> Option<String> {
    let mut above: Vec<String> = vec![String::new()];
    for segment in target.path_segments().into_iter().flatten().filter(|segment| !segment.is_empty()).take(4) {
        let last = above.last().cloned().unwrap_or_default();
        above.push(format!("{last}/{segment}"));
    }
    for path in above {
        let mut url = target.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.set_path(&format!("{path}/.well-known/openid-configuration"));
        let Ok(response) = reach.provider().get(url).timeout(PATIENCE).send().await else { return None };
        if response.status().is_success()
            && let Ok(text) = text(response).await
            && let Ok(document) = serde_json::from_str::<serde_json::Value>(&text)
            && let Some(issuer) = document.get("issuer").and_then(serde_json::Value::as_str)
        {
            return Some(issuer.to_owned());
        }
    }
    None
}

/// Base URLs on this host, with a usual prefix, that something of AsyncMQ answers at.
async fn usual(reach: &Reach, environment: &Environment) -> Vec<String> {
    let mut found = Vec::new();
    for prefix in USUAL.into_iter().filter(|prefix| *prefix != environment.base_url.prefix()) {
        let mut base = environment.base_url.as_url().clone();
        base.set_path(prefix);
        let mut page = base.clone();
        page.set_path(&format!("{prefix}/"));
        let Ok(response) = get(reach, page.clone()).await else { return found };
        let there = Environment {
            base_url: match crate::realm::BaseUrl::parse(base.as_str(), true) {
                Ok(base_url) => base_url,
                Err(_) => continue,
            },
            ..environment.clone()
        };
        let answers = match judge(&there, &Method::GET, &page, response.status(), response.headers()) {
            // Without a prefix a login page is anybody's.
            Outcome::GateRefused => !prefix.is_empty(),
            Outcome::Answered if response.status().is_success() => {
                text(response).await.is_ok_and(|page| page.to_ascii_lowercase().contains(OURS))
            }
            _ => false,
        };
        if answers {
            found.push(there.base_url.to_string());
        }
    }
    found
}

async fn get(reach: &Reach, url: Url) -> Result<Response, Unreachable> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let request = reach.request(Method::GET, url).header(header::ACCEPT, "text/html").timeout(PATIENCE);
    request.send().await.map_err(|error| Unreachable::from_error(&error, &host))
}

async fn text(mut response: Response) -> Result<String, Unreachable> {
    let host = response.url().host_str().unwrap_or_default().to_owned();
    let mut body = Vec::new();
    while body.len() < MOST_READ
        && let Some(chunk) = response.chunk().await.map_err(|error| Unreachable::from_error(&error, &host))?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MOST_READ);
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{form_of, words_of};

    #[test]
    fn a_form_with_a_password_is_a_login_form_and_names_its_fields() {
        let page = "<form><input type=hidden name=next><input name=user><input type='password' name='pass'></form>";
        assert_eq!(form_of(page), Some(("user".into(), "pass".into())));
        assert_eq!(form_of("<p>This expects a token</p><input name=q>"), None);
    }

    #[test]
    fn a_notice_is_text_without_markup_and_scripts() {
        let page = "<html><head><title>x</title></head><body><script>evil()</script>Expects a <code>Bearer</code> &amp; more</body></html>";
        assert_eq!(words_of(page), "Expects a Bearer & more");
        assert_eq!(words_of("Needs <code>X</code> header."), "Needs X header.");
    }
}
