macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// Every error a client can be answered with: one table of code, HTTP status and title.
        ///
        /// The code is stable: programs match on it. REST sends it as the `code` and `type` of a
        /// problem (RFC 9457), GraphQL as `extensions.problem` or as the code of a user error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $variant,)+ }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name, kebab-case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// A short sentence for people, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

error_codes! {
    // Requests
    MalformedJson = "malformed-json", 400, "The body is not well-formed JSON.";
    MalformedRequest = "malformed-request", 400, "The request is malformed.";
    Validation = "validation", 422, "Some fields are not valid.";
    NotFound = "not-found", 404, "There is nothing here.";
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here.";
    NotAcceptable = "not-acceptable", 406, "None of the accepted media types can be served.";
    PayloadTooLarge = "payload-too-large", 413, "The body is too large.";
    UnsupportedMediaType = "unsupported-media-type", 415, "The body's media type is not supported.";
    TooManyRequests = "too-many-requests", 429, "Too many requests.";
    // Identity
    Unauthenticated = "unauthenticated", 401, "Authentication is required.";
    InvalidToken = "invalid-token", 401, "The access token is not valid.";
    Forbidden = "forbidden", 403, "You may not do this.";
    InvalidCredentials = "invalid-credentials", 401, "The e-mail address or the password is wrong.";
    EmailUnverified = "email-unverified", 403, "The e-mail address has not been verified yet.";
    AccountDisabled = "account-disabled", 403, "The account is disabled.";
    HashCapacity = "hash-capacity", 503, "Too many log-ins at this moment.";
    InvalidMailToken = "invalid-mail-token", 400, "The link is not valid, was used, or has expired.";
    RefreshInvalid = "refresh-invalid", 401, "The refresh token is not valid.";
    StepUpRequired = "step-up-required", 401, "Please prove again who you are.";
    InvalidSecondFactor = "invalid-second-factor", 401, "The code is wrong, was used, or has expired.";
    InvalidChallenge = "invalid-challenge", 401, "The log-in has expired, or was tried too often. Please begin again.";
    SecondFactorLocked = "second-factor-locked", 429, "Too many wrong codes. Please wait.";
    MfaAlreadyEnabled = "mfa-already-enabled", 409, "A second factor is set up already.";
    MfaNotEnabled = "mfa-not-enabled", 409, "No second factor is set up.";
    SessionNotFound = "session-not-found", 404, "There is no such session.";
    ApiKeyNotFound = "api-key-not-found", 404, "There is no such API key.";
    TooManyApiKeys = "too-many-api-keys", 409, "There are too many API keys already.";
    CrossSiteRequest = "cross-site-request", 403, "The request comes from another site.";
    EmailTaken = "email-taken", 409, "The e-mail address has an account already.";
    UserNotFound = "user-not-found", 404, "There is no such user.";
    LastAdmin = "last-admin", 409, "The last admin can't be removed.";
    OwnAccount = "own-account", 403, "You may not do this to your own account.";
    ServiceAccountNotFound = "service-account-not-found", 404, "There is no such service account.";
    ServiceAccountExists = "service-account-exists", 409, "There is a service account of this name.";
    ExternalProviderNotFound = "external-provider-not-found", 404, "There is no such log-in provider.";
    ExternalProviderUnavailable = "external-provider-unavailable", 503, "The log-in provider does not answer. Please try again.";
    ExternalLoginFailed = "external-login-failed", 401, "The log-in at the provider failed.";
    ExternalEmailUnverified = "external-email-unverified", 403, "The provider has not verified the e-mail address.";
    ExternalAccountExists = "external-account-exists", 409, "The e-mail address has an account already. Log in, then link the provider.";
    ExternalIdentityTaken = "external-identity-taken", 409, "The identity belongs to another account.";
    ExternalIdentityNotFound = "external-identity-not-found", 404, "There is no such identity.";
    PasskeysUnavailable = "passkeys-unavailable", 409, "Passkeys need a public URL with a domain name.";
    PasskeyRefused = "passkey-refused", 401, "The passkey was not accepted.";
    PasskeyTaken = "passkey-taken", 409, "The passkey belongs to an account already.";
    PasskeyNotFound = "passkey-not-found", 404, "There is no such passkey.";
    TooManyPasskeys = "too-many-passkeys", 409, "There are too many passkeys already.";
    LastCredential = "last-credential", 409, "It is the only way to log in.";
    RefreshReused = "refresh-reused", 401, "The refresh token was used before: the session is revoked.";
    // Orders
    InvalidCursor = "invalid-cursor", 400, "The cursor is not one of ours.";
    InvalidPageSize = "invalid-page-size", 400, "A page has 1 to 100 rows.";
    IdempotencyKeyMissing = "idempotency-key-missing", 400, "The Idempotency-Key header is required.";
    IdempotencyKeyInvalid = "idempotency-key-invalid", 400, "The idempotency key has 1 to 255 visible ASCII characters.";
    IdempotencyKeyInFlight = "idempotency-key-in-flight", 409, "The first request with this idempotency key is not answered yet.";
    IdempotencyKeyReused = "idempotency-key-reused", 422, "The idempotency key was used with another body.";
    OrderNotFound = "order-not-found", 404, "There is no such order.";
    OrderNotCancellable = "order-not-cancellable", 409, "The order can't be cancelled any more.";
    OrderNotRefundable = "order-not-refundable", 409, "The order has no money to give back.";
    ProductNotFound = "product-not-found", 404, "There is no such product.";
    VersionConflict = "version-conflict", 409, "Somebody else has changed it meanwhile.";
    InsufficientStock = "insufficient-stock", 409, "There are not so many pieces.";
    // Webhooks
    WebhookSignatureInvalid = "webhook-signature-invalid", 400, "The webhook's signature is not valid.";
    // Ours
    Internal = "internal", 500, "Something went wrong on our side.";
    Unavailable = "unavailable", 503, "A dependency is away. Please try again.";
    Timeout = "timeout", 504, "The request took too long.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut seen = HashSet::new();
        for code in ErrorCode::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{name}"
            );
            assert!((400..600).contains(&code.status()), "{name}");
        }
    }
}
