//! What every change of a second factor or a passkey ends with: its owner is told, and whoever else
//! is logged in no longer is.

use kernel::Actor;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    store::session::Which,
    use_cases::revoke_sessions::end_sessions,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialChangeError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

pub(super) struct CredentialChange<'a> {
    pub actor: &'a Actor,
    pub action: Action,
    pub mail: MailRequest,
    pub origin: &'a Origin,
}

impl CredentialChange<'_> {
    /// Commits it with a line in the audit log and a mail to the owner, and ends the owner's other
    /// sessions: somebody else may have one.
    pub(super) async fn commit(
        self,
        context: &Context,
        transaction: DatabaseTransaction,
    ) -> Result<(), CredentialChangeError> {
        let (user_id, now) = (self.actor.user_id, context.now());
        let event = Event::new(By::from(self.actor), self.action, user_id, self.origin);
        audit::record(&transaction, event, now).await?;
        request_mail(&transaction, user_id.as_uuid(), self.mail, now).await?;
        let others = self.actor.session_id().map_or(Which::All, Which::AllBut);
        let ended = end_sessions(&transaction, user_id, others, now).await?;
        transaction.commit().await?;
        ended.announce(context).await;
        context.relay.wake();
        Ok(())
    }
}
