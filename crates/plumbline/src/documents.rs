//! The published formats, generated from the code (`plumbline schema WHAT`).

use std::collections::BTreeMap;

use contracts::{DeclaredEvent, ErrorCode};

use crate::{asyncapi, resources, settings::DEFAULTS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Document {
    /// The GraphQL schema, as SDL.
    Graphql,
    /// The OpenAPI document of the ordering REST API.
    OpenapiOrders,
    /// The OpenAPI document of the auth REST API.
    OpenapiAuth,
    /// The JSON Schema of every event, as one object by type.
    Events,
    /// The AsyncAPI document: which events go where.
    Asyncapi,
    /// Every setting with its default.
    ConfigKeys,
    /// Every error code, as Markdown.
    Errors,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentFailed {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
}

pub(crate) fn render(document: Document) -> Result<String, DocumentFailed> {
    Ok(match document {
        Document::Graphql => gateway::schema_sdl(),
        Document::OpenapiOrders => gateway::openapi().to_pretty_json()? + "\n",
        Document::OpenapiAuth => auth::openapi().to_pretty_json()? + "\n",
        Document::Events => {
            let events = declared_events();
            let schemas = events
                .iter()
                .map(|event| (event.event_type, event.schema()));
            serde_json::to_string_pretty(&schemas.collect::<BTreeMap<_, _>>())? + "\n"
        }
        Document::Asyncapi => {
            let document = asyncapi::document(&declared_events(), &resources::queues());
            serde_json::to_string_pretty(&document)? + "\n"
        }
        Document::ConfigKeys => {
            let keys = service_kit::config::keys(&DEFAULTS.parse()?);
            keys.into_iter()
                .map(|(key, default)| format!("{key} = {default}\n"))
                .collect()
        }
        Document::Errors => errors(),
    })
}

/// The events of both contexts.
#[must_use]
pub fn declared_events() -> Vec<DeclaredEvent> {
    let mut events = contracts::declared_events();
    events.extend(auth::declared_events());
    events
}

fn errors() -> String {
    let mut text = "# Errors\n\n\
        Every code that a client can be answered with. REST sends it as `code` (and, after\n\
        `urn:plumbline:error:`, as `type`) of an RFC 9457 problem; GraphQL as `extensions.problem`\n\
        or as the code of a user error. Generated from `contracts::ErrorCode` by\n\
        `cargo xtask generate`.\n\n\
        | code | status | meaning |\n|---|---|---|\n"
        .to_owned();
    for code in ErrorCode::ALL {
        text += &format!(
            "| `{}` | {} | {} |\n",
            code.as_str(),
            code.status(),
            code.title()
        );
    }
    text
}
