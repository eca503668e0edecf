//! Passkeys (W3C Web Authentication, level 3): this service as a relying party.
//!
//! The authenticator must verify its user, so that a passkey is two factors in one, and must store
//! the key itself, so that a log-in needs no name.

use kernel::UserId;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;
use webauthn_rs::prelude::{
    CreationChallengeResponse, CredentialID, DiscoverableAuthentication, Passkey,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    RequestChallengeResponse, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::ResidentKeyRequirement;

const NAME: &str = "Plumbline";

#[derive(Debug, thiserror::Error)]
pub(crate) enum PasskeyError {
    /// The specification knows no relying party on a bare IP address.
    #[error("passkeys need a public URL with a domain name")]
    Unavailable,
    #[error("the authenticator's answer is refused")]
    Refused(#[source] WebauthnError),
    #[error("the challenge can't be made")]
    Challenge(#[source] WebauthnError),
    #[error("what is stored of a passkey can't be read or written")]
    Stored(#[from] serde_json::Error),
}

/// Makes challenges and checks their answers.
#[derive(Clone, Debug)]
pub(crate) struct RelyingParty(Option<Webauthn>);

impl RelyingParty {
    /// Passkeys belong to the domain of the public URL.
    pub(crate) fn new(public_url: &Url) -> Self {
        let builder = public_url
            .domain()
            .and_then(|domain| WebauthnBuilder::new(domain, public_url).ok());
        Self(builder.and_then(|builder| builder.rp_name(NAME).build().ok()))
    }

    pub(crate) fn ask_to_register(
        &self,
        user_id: UserId,
        email: &str,
        name: &str,
        existing: Vec<CredentialID>,
    ) -> Result<(CreationChallengeResponse, Value), PasskeyError> {
        let (mut options, state) = self
            .webauthn()?
            .start_passkey_registration(user_id.as_uuid(), email, name, Some(existing))
            .map_err(PasskeyError::Challenge)?;
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        Ok((options, write(&state)?))
    }

    /// The new passkey's id, and the passkey for the table.
    pub(crate) fn register(
        &self,
        answer: &RegisterPublicKeyCredential,
        state: Value,
    ) -> Result<(Vec<u8>, Value), PasskeyError> {
        let state: PasskeyRegistration = read(state)?;
        let passkey = self
            .webauthn()?
            .finish_passkey_registration(answer, &state)
            .map_err(PasskeyError::Refused)?;
        Ok((passkey.cred_id().to_vec(), write(&passkey)?))
    }

    pub(crate) fn ask_to_log_in(&self) -> Result<(RequestChallengeResponse, Value), PasskeyError> {
        let (mut options, state) = self
            .webauthn()?
            .start_discoverable_authentication()
            .map_err(PasskeyError::Challenge)?;
        // The page decides how it asks.
        options.mediation = None;
        Ok((options, write(&state)?))
    }

    /// Whose passkey an answer claims to be from, and which.
    pub(crate) fn claimed<'a>(
        &self,
        answer: &'a PublicKeyCredential,
    ) -> Result<(UserId, &'a [u8]), PasskeyError> {
        let (user_id, credential_id): (Uuid, _) = self
            .webauthn()?
            .identify_discoverable_authentication(answer)
            .map_err(PasskeyError::Refused)?;
        Ok((user_id.into(), credential_id))
    }

    /// Verifies the answer, and returns the passkey with its new counter.
    pub(crate) fn log_in(
        &self,
        answer: &PublicKeyCredential,
        state: Value,
        passkey: Value,
    ) -> Result<Value, PasskeyError> {
        let state: DiscoverableAuthentication = read(state)?;
        let mut passkey: Passkey = read(passkey)?;
        let result = self
            .webauthn()?
            .finish_discoverable_authentication_v2(answer, state, &passkey)
            .map_err(PasskeyError::Refused)?;
        passkey.update_credential(&result);
        write(&passkey)
    }

    fn webauthn(&self) -> Result<&Webauthn, PasskeyError> {
        self.0.as_ref().ok_or(PasskeyError::Unavailable)
    }
}

fn write(value: &impl Serialize) -> Result<Value, PasskeyError> {
    Ok(serde_json::to_value(value)?)
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, PasskeyError> {
    Ok(serde_json::from_value(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relying_party(url: &str) -> RelyingParty {
        RelyingParty::new(&url.parse().unwrap())
    }

    #[test]
    fn a_bare_address_can_have_no_passkeys() {
        let asked = relying_party("http://127.0.0.1:8080").ask_to_log_in();
        assert!(matches!(asked, Err(PasskeyError::Unavailable)));
    }

    #[test]
    fn every_ceremony_asks_that_the_user_is_verified() {
        let shop = relying_party("http://localhost:8080");
        let (login, _) = shop.ask_to_log_in().unwrap();
        let login = serde_json::to_value(login).unwrap();
        assert_eq!(login["publicKey"]["userVerification"], "required");
        assert_eq!(login["publicKey"]["rpId"], "localhost");

        let ada = Uuid::nil().into();
        let (registration, _) = shop
            .ask_to_register(ada, "ada@example.com", "Ada", vec![])
            .unwrap();
        let registration = serde_json::to_value(registration).unwrap();
        let selection = &registration["publicKey"]["authenticatorSelection"];
        assert_eq!(selection["userVerification"], "required");
        assert_eq!(selection["residentKey"], "required");
    }
}
