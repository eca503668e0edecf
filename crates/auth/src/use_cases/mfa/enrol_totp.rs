use kernel::Actor;

use super::{MfaError, account};
use crate::{
    context::Context, qr_code, secret::SealedColumn, store::totp_credential, totp::TotpSecret,
};

const QR_CODE: &str = "QR code with the key for an authenticator app";

/// What a person gives to an authenticator app, in three forms. Shown once.
pub(crate) struct Enrolment {
    /// Base32.
    pub secret: String,
    pub uri: String,
    pub qr_svg: String,
}

/// Makes a secret for an app, in place of one that was not confirmed. Nothing asks for its codes
/// before [`super::confirm_totp`].
pub(crate) async fn enrol_totp(context: &Context, actor: &Actor) -> Result<Enrolment, MfaError> {
    let user = account(context, actor).await?;
    let secret = TotpSecret::random()?;
    let row = user.id.to_string();
    let place = SealedColumn::TotpSecret.of(&row);
    let sealed = context.keyring.seal(place, secret.expose())?;
    let (writer, now) = (context.database.writer(), context.now());
    if !totp_credential::enrol(writer, user.user_id(), sealed, now).await? {
        return Err(MfaError::AlreadyEnabled);
    }
    // Apps separate issuer and account by a colon.
    let uri = secret.uri(&user.email.replace(':', ""));
    let uri = uri.map_err(MfaError::Uri)?;
    Ok(Enrolment {
        secret: secret.to_base32(),
        qr_svg: qr_code::svg(&uri, QR_CODE)?,
        uri,
    })
}
