//! What the mails say, one function a mail. To add one: a variant of [`super::MailRequest`], its
//! function here, and its arm in [`super::compose`].

use chrono::{DateTime, Utc};
use service_kit::mail::{Action, Letter};
use url::Url;

use crate::secret::OpaqueToken;

/// What every letter may mention.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub public_url: &'a Url,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Facts<'_> {
    /// For links: from the configuration, never from a request.
    fn site(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    fn when(&self) -> impl std::fmt::Display {
        self.at.format("%-d %B %Y at %H:%M UTC")
    }

    /// A letter to somebody whom we know, without an action.
    fn tell(&self, subject: &'static str, name: &str, happened: String, otherwise: &str) -> Letter {
        Letter {
            subject: subject.into(),
            name: Some(name.to_owned()),
            paragraphs: vec![happened],
            action: None,
            otherwise: otherwise.to_owned(),
            site: self.site().to_owned(),
        }
    }

    fn action(
        &self,
        instruction: &str,
        label: &'static str,
        page: &str,
        token: &OpaqueToken,
    ) -> Action {
        let token = token.expose();
        Action {
            instruction: instruction.to_owned(),
            label,
            link: format!("{}/auth/{page}#token={token}", self.site()),
            token,
        }
    }
}

pub(super) fn email_verification(facts: Facts<'_>, token: &OpaqueToken) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    let instruction = "To confirm it, open this page within 24 hours and press the button:";
    Letter {
        subject: "Confirm your e-mail address".into(),
        name: None,
        paragraphs: vec![format!(
            "On {when} someone, hopefully you, registered this address at Plumbline ({site})."
        )],
        action: Some(facts.action(instruction, "Confirm", "confirm-email", token)),
        otherwise: "If it was not you, ignore this mail: without the confirmation nobody can use \
                    the account."
            .to_owned(),
        site: site.to_owned(),
    }
}

pub(super) fn address_registered(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "You have an account already",
        name,
        format!(
            "On {when} someone, perhaps you, tried to register this address at Plumbline \
             ({site}). It has an account already: log in with the password that you chose then."
        ),
        "If it was not you, there is nothing to do: nothing was changed.",
    )
}

pub(super) fn external_identity_linked(facts: Facts<'_>, name: &str, provider: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "There is a new way to log in to your account",
        name,
        format!(
            "On {when} a log-in with {provider} was linked to your account at Plumbline ({site}): \
             from now on it opens the account, too."
        ),
        "If it was not you, remove this way to log in from your account, log out everywhere, and \
         choose a new password.",
    )
}

pub(super) fn mfa_enabled(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Two-step log-in is on",
        name,
        format!(
            "Since {when} a log-in to your account at Plumbline ({site}) asks for a code of your \
             authenticator app, too. Keep the recovery codes where you find them without your \
             phone."
        ),
        "If it was not you, somebody else was logged in to your account: please write to us.",
    )
}

pub(super) fn mfa_disabled(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Two-step log-in is off",
        name,
        format!(
            "Since {when} a log-in to your account at Plumbline ({site}) asks for no code any more."
        ),
        "If it was not you, log in, choose a new password, and switch it on again.",
    )
}

pub(super) fn passkey_added(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "A passkey was added",
        name,
        format!(
            "Since {when} a new passkey logs in to your account at Plumbline ({site}), without a \
             password."
        ),
        "If it was not you, log in, delete the passkey, and choose a new password.",
    )
}

pub(super) fn passkey_deleted(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "A passkey was deleted",
        name,
        format!(
            "Since {when} one of your passkeys opens your account at Plumbline ({site}) no more."
        ),
        "If it was not you, log in, choose a new password, and look at your passkeys.",
    )
}

pub(super) fn recovery_codes_renewed(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "You have new recovery codes",
        name,
        format!(
            "On {when} new recovery codes were made for your account at Plumbline ({site}). Those \
             of before work no more."
        ),
        "If it was not you, log in, choose a new password, and have new codes made.",
    )
}

pub(super) fn recovery_code_used(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "One of your recovery codes was used",
        name,
        format!(
            "On {when} somebody, hopefully you, used one of your recovery codes at Plumbline \
             ({site}). It does not work a second time."
        ),
        "If it was not you, log in, choose a new password, and have new codes made.",
    )
}

pub(super) fn second_factor_locked(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Somebody is guessing the codes of your two-step log-in",
        name,
        format!(
            "On {when} somebody had given the right password of your account at Plumbline ({site}) \
             and then too many wrong codes. For a while we accept no code of your authenticator \
             app. Your recovery codes work all the same."
        ),
        "If it was not you, somebody knows your password: please choose a new one.",
    )
}

pub(super) fn password_reset(facts: Facts<'_>, name: &str, token: &OpaqueToken) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    let instruction = "To choose one, open this page within 30 minutes:";
    let happened = format!(
        "On {when} someone, hopefully you, asked for a new password for your account at Plumbline \
         ({site})."
    );
    let otherwise = "If it was not you, ignore this mail: your password stays as it is.";
    Letter {
        action: Some(facts.action(
            instruction,
            "Choose a new password",
            "reset-password",
            token,
        )),
        ..facts.tell("Choose a new password", name, happened, otherwise)
    }
}

pub(super) fn password_changed(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Your password was changed",
        name,
        format!(
            "On {when} the password of your account at Plumbline ({site}) was changed, and your \
             other sessions were ended. If it was you, there is nothing to do."
        ),
        "If it was not you, somebody knew your password or can read your mail: choose another \
         password for your mailbox, then ask Plumbline for a new one, too.",
    )
}

pub(super) fn email_change_requested(facts: Facts<'_>, name: &str, new_email: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Your e-mail address is about to be changed",
        name,
        format!(
            "On {when} someone who is logged in to your account at Plumbline ({site}) asked to \
             change its e-mail address to {new_email}. It changes when that address is confirmed."
        ),
        "If it was not you, change your password at once: that calls the change off and ends \
         every other session.",
    )
}

/// To an address that whoever wants it may not own: without their name.
pub(super) fn email_change(facts: Facts<'_>, token: &OpaqueToken) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    let instruction = "To confirm it, open this page within 24 hours and press the button:";
    Letter {
        subject: "Confirm your new e-mail address".into(),
        name: None,
        paragraphs: vec![format!(
            "On {when} someone, hopefully you, asked to use this address for an account at \
             Plumbline ({site})."
        )],
        action: Some(facts.action(instruction, "Confirm", "confirm-email-change", token)),
        otherwise: "If it was not you, ignore this mail: nothing changes without the confirmation."
            .to_owned(),
        site: site.to_owned(),
    }
}

pub(super) fn address_wanted(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "You have an account already",
        name,
        format!(
            "On {when} someone, perhaps you, tried to use this address for another account at \
             Plumbline ({site}). It belongs to yours: log in there, or delete that account first."
        ),
        "If it was not you, there is nothing to do: nothing was changed.",
    )
}

pub(super) fn email_changed(facts: Facts<'_>, name: &str, new_email: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Your e-mail address was changed",
        name,
        format!(
            "On {when} the e-mail address of your account at Plumbline ({site}) was changed to \
             {new_email}. This address does not belong to the account any more."
        ),
        "If it was not you, tell Plumbline's support at once.",
    )
}

pub(super) fn account_deleted(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "Your account was deleted",
        name,
        format!(
            "On {when} your account at Plumbline ({site}) was deleted by someone who was logged in \
             to it: its name, its address and every way to log in are gone."
        ),
        "If it was not you, tell Plumbline's support at once. You may register this address anew.",
    )
}

pub(super) fn session_revoked(facts: Facts<'_>, name: &str) -> Letter {
    let (site, when) = (facts.site(), facts.when());
    facts.tell(
        "We ended one of your sessions",
        name,
        format!(
            "On {when} one of your sessions at Plumbline ({site}) was used from two places at \
             once. Someone may have copied it, so we ended it in both places. Please log in again."
        ),
        "If you use Plumbline on one device only, choose a new password, too.",
    )
}
