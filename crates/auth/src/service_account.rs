//! Service accounts: programs that call others in their own name, by the client credentials grant
//! of RFC 6749 §4.4.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kernel::{Permission, Role, Scope};
use uuid::Uuid;

use crate::{access_tokens::CLIENT_ID, secret::OpaqueToken, store::service_account::Model};

const MAX_NAME: usize = 64;
const MAX_AUDIENCE: usize = 128;
/// The `client_id` of tokens that are no program's.
const RESERVED: [&str; 2] = [CLIENT_ID, "api-key"];

/// What tells a service account from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountSpec {
    name: String,
    audience: String,
    scopes: BTreeSet<Permission>,
}

/// Why an account can't be like this; each names a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidServiceAccount {
    #[error(
        "a name has 2 to {MAX_NAME} lower-case letters, digits and hyphens, a letter first, and is \
         not one of ours"
    )]
    Name,
    #[error("an audience has 1 to {MAX_AUDIENCE} visible ASCII characters")]
    Audience,
    #[error("scopes are names of permissions that programs can have, at least one")]
    Scopes,
}

impl ServiceAccountSpec {
    /// The name becomes the `client_id`, so it has no character that a form would escape.
    pub fn parse<'a>(
        name: &str,
        audience: &str,
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidServiceAccount> {
        let is_name_byte =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(2..=MAX_NAME).contains(&name.len())
            || !name.starts_with(|first: char| first.is_ascii_lowercase())
            || !name.bytes().all(is_name_byte)
            || RESERVED.contains(&name)
        {
            return Err(InvalidServiceAccount::Name);
        }
        if !(1..=MAX_AUDIENCE).contains(&audience.len())
            || !audience.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(InvalidServiceAccount::Audience);
        }
        let scopes = scopes.into_iter().map(grantable);
        let scopes: BTreeSet<_> = scopes.collect::<Result<_, _>>()?;
        if scopes.is_empty() {
            return Err(InvalidServiceAccount::Scopes);
        }
        Ok(Self {
            name: name.to_owned(),
            audience: audience.to_owned(),
            scopes,
        })
    }

    pub(crate) fn into_row(self, secret: &OpaqueToken, now: DateTime<Utc>) -> Model {
        Model {
            id: kernel::UserId::generate(now).as_uuid(),
            name: self.name,
            secret_hash: secret.hash().into(),
            audience: self.audience,
            scopes: Scope::Only(self.scopes).to_string(),
            created_at: now,
            disabled_at: None,
        }
    }
}

fn grantable(name: &str) -> Result<Permission, InvalidServiceAccount> {
    let permission: Permission = name.parse().map_err(|_| InvalidServiceAccount::Scopes)?;
    if Role::Service.grants(permission) {
        Ok(permission)
    } else {
        Err(InvalidServiceAccount::Scopes)
    }
}

/// The secret of a service account that comes from the configuration: 32 bytes.
#[derive(Clone, Debug)]
pub struct ClientSecret(pub(crate) OpaqueToken);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client secret is 32 bytes in unpadded base64url")]
pub struct InvalidClientSecret;

impl ClientSecret {
    /// Reads unpadded base64url, as it stands in the configuration.
    pub fn parse(text: &str) -> Result<Self, InvalidClientSecret> {
        OpaqueToken::parse(text)
            .map(Self)
            .map_err(|_| InvalidClientSecret)
    }
}

/// An account that exists from the start.
#[derive(Clone, Debug)]
pub struct ConfiguredServiceAccount {
    pub spec: ServiceAccountSpec,
    pub secret: ClientSecret,
}

/// An account, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub id: Uuid,
    /// The `client_id`.
    pub name: String,
    pub audience: String,
    pub scopes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
}

impl From<Model> for ServiceAccount {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            audience: row.audience,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, audience: &str, scopes: &[&str]) -> Result<(), InvalidServiceAccount> {
        ServiceAccountSpec::parse(name, audience, scopes.iter().copied()).map(|_| ())
    }

    #[test]
    fn a_program_gets_what_programs_can_have_and_nothing_of_people() {
        let good = "users:look-up";
        assert_eq!(parse("gateway", "a:b", &[good]), Ok(()));
        for scopes in [
            &[][..],
            &["users:read"],
            &[good, "root"],
            &["plumbline"],
            &[""],
        ] {
            let refused = parse("gateway", "a:b", scopes);
            assert_eq!(refused, Err(InvalidServiceAccount::Scopes), "{scopes:?}");
        }
    }

    #[test]
    fn names_and_audiences_fit_into_headers_and_forms() {
        let long = "a".repeat(65);
        for name in [
            "",
            "a",
            "1a",
            "-a",
            "Ab",
            "a b",
            "a:b",
            "a+b",
            "ä1",
            "plumbline",
            &long,
        ] {
            let refused = parse(name, "a", &["users:look-up"]);
            assert_eq!(refused, Err(InvalidServiceAccount::Name), "{name}");
        }
        let long = "a".repeat(129);
        for audience in ["", "a b", "ä", "a\n", &long] {
            let refused = parse("ab", audience, &["users:look-up"]);
            assert_eq!(refused, Err(InvalidServiceAccount::Audience), "{audience}");
        }
    }
}
