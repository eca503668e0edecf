//! How often anybody may try: by client, by account, and in total, before any work is done. Whether
//! an account exists makes no difference to any of it.

use std::{num::NonZeroU32, time::Duration};

use kernel::Email;
use serde::Deserialize;
use service_kit::{
    client_address::ClientAddress,
    rate_limit::{Backoff, BackoffPolicy, Quota, RateLimiter, Subjects, TooMany},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What is allowed in a minute, unless a name says otherwise. A client is an IPv4 address or an
/// IPv6 network of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Limits {
    pub log_ins_per_client: NonZeroU32,
    pub log_ins_per_account: NonZeroU32,
    /// Of everybody together.
    pub log_ins: NonZeroU32,
    /// From this failed log-in in a row on, an account waits, twice as long each time, up to a
    /// quarter of an hour.
    pub failed_log_ins: NonZeroU32,
    pub refreshes_per_client: NonZeroU32,
    /// Registrations and whatever else sends a mail to an address that anybody may name.
    pub mail_requests_per_client: NonZeroU32,
    /// Mails to one address in an hour; what is beyond is answered alike and not sent.
    pub mails_per_recipient: NonZeroU32,
    /// Whatever else changes something or presents a secret.
    pub other_requests_per_client: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        const fn limit(number: u32) -> NonZeroU32 {
            NonZeroU32::MIN.saturating_add(number - 1)
        }
        Self {
            log_ins_per_client: limit(60),
            log_ins_per_account: limit(20),
            log_ins: limit(3000),
            failed_log_ins: limit(5),
            refreshes_per_client: limit(600),
            mail_requests_per_client: limit(30),
            mails_per_recipient: limit(5),
            other_requests_per_client: limit(300),
        }
    }
}

impl Limits {
    /// Nothing is refused: for measurements, and for tests of something else.
    pub const NONE: Self = Self {
        log_ins_per_client: NonZeroU32::MAX,
        log_ins_per_account: NonZeroU32::MAX,
        log_ins: NonZeroU32::MAX,
        failed_log_ins: NonZeroU32::MAX,
        refreshes_per_client: NonZeroU32::MAX,
        mail_requests_per_client: NonZeroU32::MAX,
        mails_per_recipient: NonZeroU32::MAX,
        other_requests_per_client: NonZeroU32::MAX,
    };
}

/// What a request asks for, as far as its client's limits are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    LogIn,
    Refresh,
    MailRequest,
    Other,
}

pub(crate) struct Throttle {
    limiter: RateLimiter,
    failed_log_ins: Backoff,
    log_ins_per_client: Quota,
    log_ins_per_account: Quota,
    log_ins: Quota,
    refreshes_per_client: Quota,
    mail_requests_per_client: Quota,
    mails_per_recipient: Quota,
    other_requests_per_client: Quota,
}

impl Throttle {
    pub(crate) fn new(limits: Limits, subjects: Subjects) -> Self {
        let quota = |name, limit, per| Quota { name, limit, per };
        let policy = BackoffPolicy {
            threshold: limits.failed_log_ins,
            ..BackoffPolicy::new("failed-log-ins")
        };
        Self {
            limiter: RateLimiter::new(subjects.clone()),
            failed_log_ins: Backoff::new(subjects, policy),
            log_ins_per_client: quota("log-ins-per-client", limits.log_ins_per_client, MINUTE),
            log_ins_per_account: quota("log-ins-per-account", limits.log_ins_per_account, MINUTE),
            log_ins: quota("log-ins", limits.log_ins, MINUTE),
            refreshes_per_client: quota(
                "refreshes-per-client",
                limits.refreshes_per_client,
                MINUTE,
            ),
            mail_requests_per_client: quota(
                "mail-requests-per-client",
                limits.mail_requests_per_client,
                MINUTE,
            ),
            mails_per_recipient: quota("mails-per-recipient", limits.mails_per_recipient, HOUR),
            other_requests_per_client: quota(
                "other-requests-per-client",
                limits.other_requests_per_client,
                MINUTE,
            ),
        }
    }

    /// To be asked before a request is read.
    pub(crate) async fn request(&self, kind: Kind, client: ClientAddress) -> Result<(), TooMany> {
        let quota = match kind {
            Kind::LogIn => &self.log_ins_per_client,
            Kind::Refresh => &self.refreshes_per_client,
            Kind::MailRequest => &self.mail_requests_per_client,
            Kind::Other => &self.other_requests_per_client,
        };
        let customer = client.customer().to_string();
        let charges = [quota.charge(customer.as_bytes())];
        self.limiter.check(&charges).await
    }

    /// To be asked before a password is hashed.
    pub(crate) async fn log_in(&self, account: &Email) -> Result<(), TooMany> {
        let account = account.as_str().as_bytes();
        self.failed_log_ins.check(account).await?;
        let charges = [
            self.log_ins_per_account.charge(account),
            self.log_ins.charge(b""),
        ];
        self.limiter.check(&charges).await
    }

    /// The password was wrong, or there is no such account.
    pub(crate) async fn log_in_failed(&self, account: &Email) {
        self.failed_log_ins
            .failed(account.as_str().as_bytes())
            .await;
    }

    /// The password was right.
    pub(crate) async fn log_in_succeeded(&self, account: &Email) {
        self.failed_log_ins
            .succeeded(account.as_str().as_bytes())
            .await;
    }

    /// Whether one more mail may go to this address, whoever asks for it. If not, say nothing.
    pub(crate) async fn may_mail(&self, recipient: &Email) -> bool {
        let charge = self
            .mails_per_recipient
            .charge(recipient.as_str().as_bytes());
        self.limiter.check(&[charge]).await.is_ok()
    }
}
