//! Trusted documents: an allow-list of what the clients that we ship send, by the hash of the text
//! ("document identifiers" of GraphQL over HTTP, appendix A, with the prefix `sha256:`).

use std::collections::HashMap;
use std::sync::Arc;

use super::answer::Rejection;
use super::code::Code;
use super::documents::DocumentHash;
use super::parameters::DocumentSource;

/// What the list of trusted documents is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Nothing: documents come as text.
    #[default]
    Off,
    /// Clients may send the id of a listed document in place of its text.
    Also,
    /// Nothing else is executed than what is listed, by its id or by the same text.
    Only,
}

/// The listed documents. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct TrustedDocuments {
    trust: Trust,
    texts: Arc<HashMap<DocumentHash, Box<str>>>,
}

impl TrustedDocuments {
    /// Lists these texts.
    pub fn new(trust: Trust, texts: impl IntoIterator<Item = String>) -> Self {
        let texts = texts.into_iter();
        let listed = texts.map(|text| (DocumentHash::of(&text), text.into_boxed_str()));
        Self {
            trust,
            texts: Arc::new(listed.collect()),
        }
    }

    /// The text that a request means, and its hash.
    pub(super) fn resolve<'d>(
        &'d self,
        source: &'d DocumentSource,
    ) -> Result<(DocumentHash, &'d str), Rejection> {
        match (source, self.trust) {
            (DocumentSource::Text(text), Trust::Off | Trust::Also) => {
                Ok((DocumentHash::of(text), text))
            }
            (DocumentSource::Text(text), Trust::Only) => {
                let hash = DocumentHash::of(text);
                if self.texts.contains_key(&hash) {
                    return Ok((hash, text));
                }
                let message = "Only documents that were registered are executed here.";
                Err(Rejection::refused(400, Code::DocumentNotTrusted, message))
            }
            (DocumentSource::Id(_), Trust::Off) => {
                let message = "Documents have no ids here: send the text.";
                Err(Rejection::refused(400, Code::DocumentNotFound, message))
            }
            (DocumentSource::Id(id), Trust::Also | Trust::Only) => {
                let hash = DocumentHash::parse(id);
                let found = hash.and_then(|hash| Some((hash, &**self.texts.get(&hash)?)));
                found.ok_or_else(|| {
                    let message = "No document is registered under this id.";
                    Rejection::refused(400, Code::DocumentNotFound, message)
                })
            }
        }
    }
}
