//! `plumbline audit`: the invariants of the orders and the provider's ledger, one line each.

use std::{collections::HashMap, fmt::Write};

use chrono::{DateTime, Utc};
use orders::audit::{Finding, LedgerCharge};
use payment::{IntentStatus, ListIntents, PaymentError, RefundStatus, Stripe};

use crate::{StartError, offline, settings::Settings};

const PAGE: u8 = 100;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("can't read the orders")]
    Orders(#[from] orders::OrderError),
    #[error("can't read the payment provider's ledger")]
    Ledger(#[from] PaymentError),
}

/// The report, and whether every invariant holds.
pub(crate) async fn run(settings: &Settings) -> Result<(String, bool), AuditFailed> {
    let orders = offline::orders(settings).await?;
    let mut findings = orders.audit().await?;
    findings.push(orders.audit_receipts(order_worker::CONSUMER).await?);
    let ledger = ledger(settings).await?;
    let mut report = String::new();
    match ledger {
        Some(charges) => findings.push(orders.audit_ledger(&charges).await?),
        None => {
            report += "  left out   the provider's ledger: the double inside another process can't be asked\n"
        }
    }
    for finding in &findings {
        let _ = writeln!(report, "{}", line(finding));
    }
    let green = findings.iter().all(|finding| finding.violations == 0);
    report += if green {
        "audit: green\n"
    } else {
        "audit: RED\n"
    };
    Ok((report, green))
}

fn line(finding: &Finding) -> String {
    let verdict = if finding.violations == 0 {
        "ok"
    } else {
        "BROKEN"
    };
    let Finding {
        invariant,
        checked,
        violations,
    } = finding;
    format!("  {verdict:<8} {violations:>6} of {checked:>8}   {invariant}")
}

/// Every charge in the provider's books; `None` where they can't be reached.
async fn ledger(settings: &Settings) -> Result<Option<Vec<LedgerCharge>>, AuditFailed> {
    let Some(provider) = offline::provider(settings)? else {
        return Ok(None);
    };
    let mut list = ListIntents {
        created_from: DateTime::<Utc>::UNIX_EPOCH,
        created_before: None,
        starting_after: None,
        limit: PAGE,
    };
    let refunded = refunded(&provider).await?;
    let mut charges = Vec::new();
    loop {
        let page = provider.list_intents(&list).await?;
        list.starting_after = page.items.last().map(|intent| intent.id.clone());
        charges.extend(page.items.into_iter().filter_map(|intent| {
            let order_id = intent.order_id?;
            let charge = LedgerCharge {
                order_id,
                amount: intent.amount_received,
                refunded: refunded.get(&intent.id).copied().unwrap_or_default(),
            };
            (intent.status == IntentStatus::Succeeded).then_some(charge)
        }));
        if !page.has_more {
            return Ok(Some(charges));
        }
    }
}

/// What was given back of each intent, in minor units.
async fn refunded(provider: &Stripe) -> Result<HashMap<String, i64>, PaymentError> {
    let mut refunded = HashMap::new();
    let mut last = None;
    loop {
        let page = provider.list_all_refunds(last.as_deref()).await?;
        last = page.items.last().map(|refund| refund.id.clone());
        for refund in page.items {
            if refund.status == RefundStatus::Succeeded
                && let Some(intent_id) = refund.intent_id
            {
                *refunded.entry(intent_id).or_default() += refund.amount.amount;
            }
        }
        if !page.has_more {
            return Ok(refunded);
        }
    }
}
