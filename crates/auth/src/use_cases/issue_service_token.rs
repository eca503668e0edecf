//! The client credentials grant (RFC 6749 §4.4): a program gets a token in its own name.

use std::collections::BTreeSet;

use kernel::{Permission, Scope};

use crate::{access_tokens::Program, context::Context, store::service_account::Model};

/// What a client may ask for: less than its account has, never more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Narrowing<'a> {
    /// RFC 6749 §3.3.
    pub scope: Option<&'a str>,
    /// The only one that an account has, or nothing.
    pub audience: Option<&'a str>,
}

pub(crate) struct ServiceToken {
    pub access_token: String,
    pub scope: Scope,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueServiceTokenError {
    #[error("the account does not have the scope")]
    Scope,
    #[error("the account is for another audience")]
    Audience,
    #[error("the access token can't be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

pub(crate) fn issue_service_token(
    context: &Context,
    account: &Model,
    narrowing: Narrowing<'_>,
) -> Result<ServiceToken, IssueServiceTokenError> {
    if narrowing
        .audience
        .is_some_and(|audience| audience != account.audience)
    {
        return Err(IssueServiceTokenError::Audience);
    }
    let scope = match narrowing.scope {
        Some(asked) => narrow(&account.scopes, asked)?,
        None => Scope::of_claim(&account.scopes),
    };
    let program = Program {
        id: account.id.into(),
        client_id: &account.name,
        audience: &account.audience,
        scope: &scope,
    };
    let access_token = context
        .access_tokens
        .issue_to_program(&program, context.now())?;
    Ok(ServiceToken {
        access_token,
        scope,
    })
}

fn narrow(has: &str, asked: &str) -> Result<Scope, IssueServiceTokenError> {
    let has: BTreeSet<&str> = has.split(' ').collect();
    let asked = asked.split(' ').map(|name| {
        let permission = name.parse::<Permission>().ok();
        permission.filter(|_| has.contains(name))
    });
    let asked: Option<BTreeSet<Permission>> = asked.collect();
    asked.map(Scope::Only).ok_or(IssueServiceTokenError::Scope)
}
