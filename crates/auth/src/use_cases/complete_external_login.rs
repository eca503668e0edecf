//! Log-in at a provider, and the linking of an identity there. A person is recognised by issuer and
//! subject alone; an address only decides, once, to which account a new identity belongs.

use kernel::{Role, UserId};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::json;
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event},
    authentication::{Method, Methods},
    context::Context,
    external::{Callback, ExternalPerson, LoginSecrets, ProviderError},
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    secret::{OpaqueToken, UnsealError},
    store::{
        external_identity, external_login,
        user::{self, NewUser},
    },
    use_cases::{
        begin_session::BeginSessionError,
        finish_log_in::{LoggedIn, finish_log_in},
    },
};

/// What the provider sent the browser back with.
pub(crate) struct ProviderResponse {
    pub state: String,
    pub callback: Callback,
}

pub(crate) enum CompletedLogin {
    LoggedIn(LoggedIn),
    Linked(external_identity::Model),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CompleteExternalLoginError {
    #[error("the log-in is unknown, used, expired, or another browser's")]
    UnknownLogin,
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("the provider has not verified the person's address")]
    EmailUnverified,
    #[error("an account has the person's address, and has not verified it")]
    AccountExists,
    #[error("the identity belongs to another account")]
    IdentityTaken,
    #[error("the account is disabled")]
    AccountDisabled,
    #[error("the log-in's secrets can't be opened")]
    Unseal(#[from] UnsealError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
    #[error(transparent)]
    Begin(#[from] BeginSessionError),
}

pub(crate) async fn complete_external_login(
    context: &Context,
    browser: &OpaqueToken,
    response: ProviderResponse,
    origin: &Origin,
) -> Result<CompletedLogin, CompleteExternalLoginError> {
    let (login, secrets) = take_login(context, browser, &response.state).await?;
    let provider = context
        .external_providers
        .get(&login.provider)
        .ok_or(CompleteExternalLoginError::UnknownLogin)?;
    let person = provider.complete(response.callback, &secrets).await?;

    let transaction = context.database.begin().await?;
    let arrival = Arrival {
        context,
        transaction: &transaction,
        provider: &login.provider,
        person: &person,
        origin,
    };
    let completed = match login.user_id {
        Some(user_id) => CompletedLogin::Linked(arrival.link_to(user_id.into()).await?),
        None => {
            let user = arrival.account().await?;
            let methods = Methods::one(Method::External);
            let logged_in = finish_log_in(context, &transaction, &user, methods, origin).await?;
            CompletedLogin::LoggedIn(logged_in)
        }
    };
    transaction.commit().await?;
    context.relay.wake();
    Ok(completed)
}

/// Before anything is asked of the provider, and outside the transaction that follows: whatever
/// comes of it, this state is never accepted again.
async fn take_login(
    context: &Context,
    browser: &OpaqueToken,
    state: &str,
) -> Result<(external_login::Model, LoginSecrets), CompleteExternalLoginError> {
    let state = OpaqueToken::parse(state).map_err(|_| CompleteExternalLoginError::UnknownLogin)?;
    let (writer, now) = (context.database.writer(), context.now());
    let login = external_login::take(writer, state.hash(), browser.hash(), now)
        .await?
        .ok_or(CompleteExternalLoginError::UnknownLogin)?;
    let secrets = LoginSecrets::open(state, &context.keyring, &login.secrets)?;
    Ok((login, secrets))
}

/// Somebody who comes from a provider, and whose account is looked for.
struct Arrival<'a> {
    context: &'a Context,
    transaction: &'a DatabaseTransaction,
    provider: &'a str,
    person: &'a ExternalPerson,
    origin: &'a Origin,
}

impl Arrival<'_> {
    /// The account that the identity opens; it is linked or created if there is none yet.
    async fn account(&self) -> Result<user::Model, CompleteExternalLoginError> {
        if let Some((_, owner)) = self.identity().await? {
            return self.hold(owner.user_id()).await;
        }
        let email = self
            .person
            .verified_email
            .as_ref()
            .ok_or(CompleteExternalLoginError::EmailUnverified)?;
        let now = self.context.now();
        let local_part = email.as_str().split('@').next().unwrap_or_default();
        let name = self
            .person
            .name
            .as_ref()
            .map_or(local_part, |name| name.as_str());
        let new_user = NewUser {
            id: UserId::generate(now),
            email,
            name,
            role: Role::Customer,
            password_hash: None,
            email_verified_at: Some(now),
        };
        let is_new = user::insert_if_absent(self.transaction, new_user, now).await?;
        let database = &self.context.database;
        let found = user::find_by_email_for_update(database, self.transaction, email).await?;
        let user = usable(found.ok_or(CompleteExternalLoginError::AccountExists)?)?;
        // Who registered the address without ever confirming it may be anybody, and has chosen the
        // account's password.
        if user.email_verified_at.is_none() {
            return Err(CompleteExternalLoginError::AccountExists);
        }
        if is_new {
            let by = By::Person(user.user_id());
            let event = Event::new(by, Action::UserRegistered, user.user_id(), self.origin)
                .details(json!({"provider": self.provider}));
            audit::record(self.transaction, event, now).await?;
        }
        let (_, owner) = self.link(&user, !is_new).await?;
        self.hold(owner.user_id()).await
    }

    /// The identity's owner, held until the transaction ends. The account may have been disabled,
    /// and the identity taken from it, since it was found.
    async fn hold(&self, owner: UserId) -> Result<user::Model, CompleteExternalLoginError> {
        let database = &self.context.database;
        let held = user::find_for_update(database, self.transaction, owner).await?;
        let held = held.ok_or(CompleteExternalLoginError::UnknownLogin)?;
        let still = self.identity().await?;
        if still.is_none_or(|(_, now)| now.id != held.id) {
            return Err(CompleteExternalLoginError::UnknownLogin);
        }
        usable(held)
    }

    /// Links the identity to the account whose owner has begun it.
    async fn link_to(
        &self,
        user_id: UserId,
    ) -> Result<external_identity::Model, CompleteExternalLoginError> {
        let user = user::find(self.transaction, user_id)
            .await?
            .ok_or(CompleteExternalLoginError::UnknownLogin)?;
        let user = usable(user)?;
        let (identity, owner) = match self.identity().await? {
            Some(linked) => linked,
            None => self.link(&user, true).await?,
        };
        if owner.id == user.id {
            Ok(identity)
        } else {
            Err(CompleteExternalLoginError::IdentityTaken)
        }
    }

    async fn identity(&self) -> Result<Option<(external_identity::Model, user::Model)>, DbErr> {
        let ExternalPerson {
            issuer, subject, ..
        } = self.person;
        external_identity::find_by_subject(self.transaction, issuer, subject).await
    }

    /// Links the identity to `user`, unless somebody was faster: then it is that account's.
    async fn link(
        &self,
        user: &user::Model,
        tell: bool,
    ) -> Result<(external_identity::Model, user::Model), CompleteExternalLoginError> {
        let now = self.context.now();
        let person = self.person;
        let row = external_identity::Model {
            id: Uuid::new_v4(),
            user_id: user.id,
            provider: self.provider.to_owned(),
            issuer: person.issuer.clone(),
            subject: person.subject.clone(),
            email: person
                .verified_email
                .as_ref()
                .map(|email| email.as_str().to_owned()),
            created_at: now,
        };
        let identity_id = row.id;
        if !external_identity::insert_if_absent(self.transaction, row.clone()).await? {
            let linked = self.identity().await?;
            return linked.ok_or(CompleteExternalLoginError::IdentityTaken);
        }
        let by = By::Person(user.user_id());
        let event = Event::new(
            by,
            Action::ExternalIdentityLinked,
            user.user_id(),
            self.origin,
        )
        .details(json!({"provider": self.provider, "identity_id": identity_id}));
        audit::record(self.transaction, event, now).await?;
        if tell {
            let request = MailRequest::ExternalIdentityLinked { identity_id };
            request_mail(self.transaction, user.id, request, now).await?;
        }
        Ok((row, user.clone()))
    }
}

fn usable(user: user::Model) -> Result<user::Model, CompleteExternalLoginError> {
    if user.disabled_at.is_some() {
        return Err(CompleteExternalLoginError::AccountDisabled);
    }
    Ok(user)
}
