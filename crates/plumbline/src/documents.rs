//! The published formats, generated from the code (`plumbline schema WHAT`).

use contracts::ErrorCode;

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
        Document::ConfigKeys => {
            let keys = service_kit::config::keys(&DEFAULTS.parse()?);
            keys.into_iter()
                .map(|(key, default)| format!("{key} = {default}\n"))
                .collect()
        }
        Document::Errors => errors(),
    })
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
