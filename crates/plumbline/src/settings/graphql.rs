//! Bounds of GraphQL requests.

use gateway::graphql::guard::Limits;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Graphql {
    pub body_bytes: usize,
    pub characters: usize,
    pub tokens: usize,
    pub aliases: usize,
    pub directives: usize,
    pub root_fields: u64,
    pub depth: u64,
    pub introspection_depth: u64,
    pub introspection_lists: u64,
    pub nesting: usize,
    pub cost: u64,
    pub timeout_seconds: u64,
    pub remembered_tokens: usize,
    pub draft_statuses: bool,
    pub trusted_documents: Trust,
    pub trusted_documents_dir: String,
}

/// What the registered documents are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    Off,
    Also,
    Only,
}

impl Graphql {
    /// What a document may amount to.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            characters: self.characters,
            tokens: self.tokens,
            aliases: self.aliases,
            directives: self.directives,
            root_fields: self.root_fields,
            depth: self.depth,
            introspection_depth: self.introspection_depth,
            introspection_lists: self.introspection_lists,
            nesting: self.nesting,
            cost: self.cost,
        }
    }
}
