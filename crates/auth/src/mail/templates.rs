//! What the mails say. Plain text: nothing in it can be markup, a person's name included.

use url::Url;

use crate::secret::OpaqueToken;

pub(super) struct Text {
    pub subject: &'static str,
    pub text: String,
}

/// The token stands in the link's fragment, which browsers send to nobody; opening the link
/// consumes nothing, the page's button does.
pub(super) fn email_verification(public_url: &Url, name: &str, token: &OpaqueToken) -> Text {
    let origin = origin(public_url);
    let token = token.expose();
    Text {
        subject: "Confirm your e-mail address",
        text: format!(
            "Hello {name},\n\n\
             someone, hopefully you, registered this address at Plumbline ({origin}).\n\
             To confirm it, open this page within 24 hours and press the button:\n\n\
             {origin}/auth/confirm-email#token={token}\n\n\
             Or confirm it by hand, with this token:\n\n\
             {token}\n\n\
             If it was not you, ignore this mail: without the confirmation nobody can use the \
             account.\n"
        ),
    }
}

pub(super) fn address_registered(public_url: &Url, name: &str) -> Text {
    let origin = origin(public_url);
    Text {
        subject: "You have an account already",
        text: format!(
            "Hello {name},\n\n\
             someone, perhaps you, tried to register this address at Plumbline ({origin}).\n\
             It has an account already: log in with the password that you chose then.\n\n\
             If it was not you, there is nothing to do: nothing was changed.\n"
        ),
    }
}

pub(super) fn session_revoked(public_url: &Url, name: &str) -> Text {
    let origin = origin(public_url);
    Text {
        subject: "We ended one of your sessions",
        text: format!(
            "Hello {name},\n\n\
             one of your sessions at Plumbline ({origin}) was used from two places at once.\n\
             Someone may have copied it, so we ended it in both places. Please log in again.\n"
        ),
    }
}

fn origin(public_url: &Url) -> &str {
    public_url.as_str().trim_end_matches('/')
}
