//! Does the provider know this client and its redirect URI?
//!
//! A provider that does not shows an error page in the browser and never sends the operator back (RFC 6749 §4.1.2.1):
//! the console would only see that nobody came. So while the operator is in the browser it asks the same by itself, with
//! `prompt=none` and without any cookie: a provider that knows both sends on, and that answer is thrown away.

use std::time::Duration;

use http::{StatusCode, header};
use url::Url;

use super::error::ProviderError;

const PATIENCE: Duration = Duration::from_secs(15);
/// What is read of an error page, in bytes.
const LARGEST_PAGE: usize = 64 * 1024;

/// What is wrong with the request, if the provider says so plainly. Anything else says nothing.
pub(crate) async fn refusal(
    client: &reqwest::Client,
    url: Url,
    client_id: &str,
    redirect_uri: &str,
) -> Option<ProviderError> {
    let request = client.get(url).header(header::ACCEPT, "text/html").timeout(PATIENCE);
    let mut response = request.send().await.ok()?;
    // RFC 6749 says no more than that it is an error page; a 403 or 429 is a firewall's.
    if response.status() != StatusCode::BAD_REQUEST {
        return None;
    }
    let mut page = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        page.extend_from_slice(&chunk[..chunk.len().min(LARGEST_PAGE - page.len())]);
        if page.len() == LARGEST_PAGE {
            break;
        }
    }
    meaning(&String::from_utf8_lossy(&page), client_id, redirect_uri)
}

/// The words of Keycloak, Okta, Auth0, `node-oidc-provider` and others.
fn meaning(page: &str, client_id: &str, redirect_uri: &str) -> Option<ProviderError> {
    // An error page may repeat the address that was asked for, and that holds these words as parameters.
    let page = page.to_lowercase().replace("redirect_uri=", "").replace("redirect_uri%3d", "");
    let says = |words: &[&str]| words.iter().any(|word| page.contains(word));
    if says(&["redirect_uri", "redirect uri", "redirect url", "callback url mismatch"]) {
        Some(ProviderError::RedirectUri { redirect_uri: redirect_uri.to_owned() })
    } else if says(&["invalid_client", "client is invalid", "client not found", "unknown client"]) {
        Some(ProviderError::UnknownClient { client_id: client_id.to_owned() })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{ProviderError, meaning};

    #[test]
    fn an_error_page_that_names_the_redirect_uri_or_the_client_is_understood_and_no_other() {
        let of = |page| meaning(page, "console", "http://127.0.0.1:1/callback");
        assert!(matches!(of("<p>Invalid parameter: redirect_uri"), Some(ProviderError::RedirectUri { .. })));
        assert!(matches!(of("<pre>error: invalid_client"), Some(ProviderError::UnknownClient { .. })));
        assert_eq!(of("<h1>Are you a robot?"), None);
        assert_eq!(of("blocked: /auth?client_id=console&amp;redirect_uri=http%3A%2F%2F127.0.0.1"), None);
    }
}
