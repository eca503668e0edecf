use kernel::{Role, SessionId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The cookie in which a browser keeps the access token of its session, for the handshake of
/// WebSockets, to which pages can add no header. Nothing else takes it: other requests bring the
/// token themselves. A name with this prefix is accepted only with `Secure`, `Path=/` and no
/// `Domain`: no other host of the domain can set it (RFC 6265bis §4.1.3.2).
pub const ACCESS_TOKEN_COOKIE: &str = "__Host-plumbline_access";

/// The claims of an access token (RFC 9068), times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    pub iss: String,
    pub sub: UserId,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub jti: Uuid,
    pub client_id: String,
    /// The session; a service account has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    pub scope: String,
    pub roles: Vec<Role>,
    /// When the person last proved who they are (OpenID Connect Core §2).
    pub auth_time: i64,
    /// Authentication context class: how strong that proof was.
    pub acr: String,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
}
