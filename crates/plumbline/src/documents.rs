//! The published formats, generated from the code (`plumbline schema WHAT`).

use crate::settings::DEFAULTS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Document {
    /// The GraphQL schema, as SDL.
    Graphql,
    /// The OpenAPI document of the ordering REST API.
    OpenapiOrders,
    /// The OpenAPI document of the auth REST API.
    OpenapiAuth,
    /// Every setting with its default.
    ConfigKeys,
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
        Document::ConfigKeys => {
            let keys = service_kit::config::keys(&DEFAULTS.parse()?);
            keys.into_iter()
                .map(|(key, default)| format!("{key} = {default}\n"))
                .collect()
        }
    })
}
