use sea_orm::DbErr;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    origin::Origin,
    secret::OpaqueToken,
    store::{email_verification, mail_token, user},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfirmEmailError {
    #[error("the token is unknown, used or expired")]
    InvalidToken,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Redeems the token of a registration's mail, once: the account becomes usable, with the name and
/// password of that registration.
pub(crate) async fn confirm_email(
    context: &Context,
    token: &str,
    origin: &Origin,
) -> Result<(), ConfirmEmailError> {
    let token = OpaqueToken::parse(token).map_err(|_| ConfirmEmailError::InvalidToken)?;
    let now = context.now();
    let transaction = context.database.begin().await?;
    let verification =
        mail_token::take::<email_verification::Entity>(&transaction, token.hash(), now)
            .await?
            .ok_or(ConfirmEmailError::InvalidToken)?;
    let email_verification::Model {
        user_id,
        name,
        password_hash,
        ..
    } = verification;
    if !user::verify_email(&transaction, user_id, &name, &password_hash, now).await? {
        return Err(ConfirmEmailError::InvalidToken);
    }
    let event = Event::new(By::Anonymous, Action::EmailVerified, user_id.into(), origin);
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    Ok(())
}
