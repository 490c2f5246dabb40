//! stand-in
use bytes::Bytes; use futures_util::Stream; use http::HeaderMap; use url::Url;
/// x
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// x
pub type HtmlStream = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;
/// x
#[derive(Clone)] pub struct Rewriter;
impl Rewriter {
/// x
pub fn new(_b: &Url) -> Self { Self }
/// x
pub fn response_headers(&self, h: &mut HeaderMap) { for n in ["set-cookie","www-authenticate","transfer-encoding","connection"] { h.remove(n); } }
/// x
pub fn html_body<S, E>(&self, _h: &mut HeaderMap, body: S) -> Result<HtmlStream, S> where S: Stream<Item = Result<Bytes, E>> + Send + 'static, E: Into<BoxError> { Err(body) }
}
