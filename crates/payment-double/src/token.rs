/// The payment methods that the double knows. The `pm_card_` and `pm_usBankAccount_` ones are
/// Stripe's own test tokens (<https://docs.stripe.com/testing>) and do the same there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestToken {
    /// `pm_card_visa`: charged at once.
    Visa,
    /// `pm_card_chargeDeclined`: refused with `generic_decline`.
    Declined,
    /// `pm_card_chargeDeclinedInsufficientFunds`: refused with `insufficient_funds`.
    InsufficientFunds,
    /// `pm_usBankAccount_success`: stays `processing`, then is charged.
    BankDebit,
    /// `pm_usBankAccount_accountClosed`: stays `processing`, then fails with `account_closed`.
    BankAccountClosed,
    /// `pm_card_refundFail`: charged at once; a refund is said to have succeeded, and fails then.
    RefundFails,
    /// `pm_card_pendingRefund`: charged at once; a refund stays `pending`, then succeeds.
    RefundPending,
    /// `pm_double_timeoutAfterCharge`: charged, and not answered.
    TimeoutAfterCharge,
    /// `pm_double_serverError`: every call answers 500 and charges nothing, which the caller can't
    /// know.
    ServerError,
    /// `pm_double_webhookDropped`: charged at once, its webhook never sent.
    WebhookDropped,
    /// `pm_double_webhookDuplicated`: charged at once, its webhook sent twice.
    WebhookDuplicated,
    /// `pm_double_webhookDelayed`: charged at once, its webhook sent after two seconds.
    WebhookDelayed,
}

/// Why an issuer refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
}

impl TestToken {
    pub const ALL: [Self; 12] = [
        Self::Visa,
        Self::Declined,
        Self::InsufficientFunds,
        Self::BankDebit,
        Self::BankAccountClosed,
        Self::RefundFails,
        Self::RefundPending,
        Self::TimeoutAfterCharge,
        Self::ServerError,
        Self::WebhookDropped,
        Self::WebhookDuplicated,
        Self::WebhookDelayed,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "pm_card_visa",
            Self::Declined => "pm_card_chargeDeclined",
            Self::InsufficientFunds => "pm_card_chargeDeclinedInsufficientFunds",
            Self::BankDebit => "pm_usBankAccount_success",
            Self::BankAccountClosed => "pm_usBankAccount_accountClosed",
            Self::RefundFails => "pm_card_refundFail",
            Self::RefundPending => "pm_card_pendingRefund",
            Self::TimeoutAfterCharge => "pm_double_timeoutAfterCharge",
            Self::ServerError => "pm_double_serverError",
            Self::WebhookDropped => "pm_double_webhookDropped",
            Self::WebhookDuplicated => "pm_double_webhookDuplicated",
            Self::WebhookDelayed => "pm_double_webhookDelayed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|token| token.as_str() == text)
    }

    /// Whether the answer is `processing` and the outcome follows.
    pub(crate) const fn settles_later(self) -> bool {
        matches!(self, Self::BankDebit | Self::BankAccountClosed)
    }

    /// The refusal that this token ends in, at once or when it settles.
    pub(crate) const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Declined => Some(Refusal {
                code: "card_declined",
                decline_code: Some("generic_decline"),
                message: "Your card was declined.",
            }),
            Self::InsufficientFunds => Some(Refusal {
                code: "card_declined",
                decline_code: Some("insufficient_funds"),
                message: "Your card has insufficient funds.",
            }),
            Self::BankAccountClosed => Some(Refusal {
                code: "account_closed",
                decline_code: None,
                message: "The customer's bank account has been closed.",
            }),
            Self::Visa
            | Self::BankDebit
            | Self::RefundFails
            | Self::RefundPending
            | Self::TimeoutAfterCharge
            | Self::ServerError
            | Self::WebhookDropped
            | Self::WebhookDuplicated
            | Self::WebhookDelayed => None,
        }
    }
}
