//! How does an HTML body travel: decoded, looked at, rewritten?

use std::sync::Arc;

use bytes::Bytes;
use encoding_rs::Encoding;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, header};

use super::{
    BoxError, HtmlStream,
    coding::{self, chain, peek},
    document::Document,
    media::{Media, begins_like_html, byte_order_mark, is_superset_of_ascii},
    site::Site,
};

/// They describe bytes that the dashboard does not get: RFC 9110 §8.6, §8.4, §14.3 (a 206 would count in other bytes),
/// RFC 9530 and what came before it.
const OF_THE_BYTES: [HeaderName; 7] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::ACCEPT_RANGES,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// See [`super::Rewriter::html_body`].
pub(super) fn rewrite<S, E>(site: &Arc<Site>, headers: &mut HeaderMap, body: S) -> Result<HtmlStream, S>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let media = Media::of(headers);
    let Some(codings) = coding::of(headers).filter(|_| media != Media::Other) else {
        return Err(body);
    };
    for name in OF_THE_BYTES {
        headers.remove(name);
    }
    let content = coding::decode(Box::pin(body.map_err(Into::into)), &codings);
    Ok(Box::pin(stream::once(begin(Arc::clone(site), content, media)).flatten()))
}

/// Decides by the content's first bytes what the headers left open. A byte order mark outweighs every other word on
/// the charset (HTML, "determining the character encoding").
async fn begin(site: Arc<Site>, content: HtmlStream, media: Media) -> HtmlStream {
    let (head, content) = match media {
        Media::Html(_) => (Bytes::new(), content),
        _ => peek(content, begins_like_html).await,
    };
    if media == Media::Unnamed && begins_like_html(&head) != Some(true) {
        return chain(head, content);
    }
    let (head, content) = peek(chain(head, content), byte_order_mark).await;
    let charset = match (byte_order_mark(&head).flatten(), media) {
        (Some(charset), _) | (None, Media::Html(Some(charset))) => Some(charset),
        _ => None,
    };
    if charset.is_none_or(is_superset_of_ascii) {
        splice(chain(head, content), &site, charset)
    } else {
        chain(head, content)
    }
}

fn splice(content: HtmlStream, site: &Arc<Site>, charset: Option<&'static Encoding>) -> HtmlStream {
    let document = Some(Document::new(site, charset));
    Box::pin(stream::try_unfold((content, document), |(mut content, document)| async move {
        let Some(mut document) = document else { return Ok(None) };
        while let Some(chunk) = content.try_next().await? {
            let out = document.feed(chunk);
            if !out.is_empty() {
                return Ok(Some((out, (content, Some(document)))));
            }
        }
        let rest = document.finish();
        Ok((!rest.is_empty()).then_some((rest, (content, None))))
    }))
}
