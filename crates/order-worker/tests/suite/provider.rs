//! The payment provider of a world: what it does, and what its books say.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::{Clock, OrderId, Role};
use messaging::RelayWaker;
use order_worker::reconcile::{Mode, Reconciled, Reconciliation};
use orders::{Discrepancy, Orders, audit::LedgerCharge};
use payment::{CreateIntent, CreateRefund, Intent, IntentStatus, ListIntents, RefundStatus};
use payment_double::Behaviour;
use testkit::http::Client;
use uuid::Uuid;

use crate::world::{PATIENCE, SECRET_KEY, World, someone, until};

#[derive(serde::Deserialize)]
struct LedgerView {
    intents: Vec<serde_json::Value>,
}

impl World {
    pub fn provider_behaves(&self, behaviour: Behaviour) {
        self.provider.set_behaviour(behaviour).unwrap();
    }

    /// Waits until the provider's books have as many payments for the order, answered or not.
    pub async fn provider_has(&self, order: OrderId, payments: usize) {
        let client = Client::new(self.provider.base_url()).with_bearer(SECRET_KEY);
        let path = format!("/double/ledger?order_id={order}");
        until("the provider has the payment", async || {
            let ledger: LedgerView = client.get(&path).await.json();
            ledger.intents.len() == payments
        })
        .await;
    }

    /// The intents of an order, as the provider lists them.
    pub async fn intents(&self, order: OrderId) -> Vec<Intent> {
        let mut intents = self.all_intents().await;
        intents.retain(|intent| intent.order_id == Some(order));
        intents
    }

    /// How often the order's money was given back.
    pub async fn refunds(&self, order: OrderId) -> usize {
        let mut refunds = 0;
        for intent in self.intents(order).await {
            let page = self.stripe(PATIENCE).list_refunds(&intent.id).await;
            refunds += page.unwrap().items.len();
        }
        refunds
    }

    /// Waits until the order's money, or some of it, was given back so often.
    pub async fn gives_back(&self, order: OrderId, times: usize) {
        until("the money is given back", async || {
            self.refunds(order).await == times
        })
        .await;
    }

    /// Waits until the provider has given the order's money back, answered or not.
    pub async fn provider_has_refunded(&self, order: OrderId) {
        let client = Client::new(self.provider.base_url()).with_bearer(SECRET_KEY);
        let path = format!("/double/ledger?order_id={order}");
        until("the provider has the refund", async || {
            let ledger: LedgerView = client.get(&path).await.json();
            ledger.intents[0]["refund"].is_object()
        })
        .await;
    }

    /// Waits until the bank has said what becomes of the order's debit.
    pub async fn bank_has_answered(&self, order: OrderId) {
        until("the bank has answered", async || {
            self.intents(order).await[0].status != IntentStatus::Processing
        })
        .await;
    }

    /// Charges an order behind the shop's back, with a key that nobody knows. Returns the
    /// payment's id.
    pub async fn charge_by_hand(&self, order: OrderId) -> String {
        let orders = self.orders(RelayWaker::default()).await;
        let admin = someone(Role::Admin);
        let total = orders.order(&admin, order).await.unwrap().unwrap().total;
        orders.database().close().await.unwrap();
        let request = CreateIntent {
            amount: total,
            payment_method: "pm_card_visa".to_owned(),
            order_id: order,
            idempotency_key: Uuid::now_v7().to_string(),
            traceparent: None,
        };
        let intent = self.stripe(PATIENCE).create_intent(&request).await;
        intent.unwrap().id
    }

    /// What there is to reconcile, and the sum.
    pub async fn reconcile(&self, orders: &Orders, mode: Mode) -> (Vec<Discrepancy>, Reconciled) {
        let provider = self.stripe(PATIENCE);
        let reconciliation = Reconciliation {
            orders,
            provider: Some(&provider),
            clock: Arc::new(self.clock.clone()),
            mode,
            since: None,
        };
        let mut found = Vec::new();
        let run = reconciliation
            .run(&mut |discrepancy| found.push(discrepancy.clone()))
            .await;
        (found, run.unwrap())
    }

    /// Waits until the order's refund, which had succeeded, has failed.
    pub async fn refund_has_failed(&self, order: OrderId) {
        let intent_id = self.intents(order).await[0].id.clone();
        until("the refund has failed", async || {
            let page = self.stripe(PATIENCE).list_refunds(&intent_id).await;
            page.unwrap().items[0].status == RefundStatus::Failed
        })
        .await;
    }

    /// As somebody does at the provider's own pages.
    pub async fn refund_by_hand(&self, order: OrderId) {
        let request = CreateRefund {
            intent_id: self.intents(order).await[0].id.clone(),
            idempotency_key: Uuid::now_v7().to_string(),
            traceparent: None,
        };
        self.stripe(PATIENCE).refund(&request).await.unwrap();
    }

    /// Every invariant holds, and the provider's books agree.
    pub async fn assert_audit_is_green(&self, orders: &Orders) {
        until("the outbox is drained and the audit green", async || {
            let findings = orders.audit().await.unwrap();
            findings.iter().all(|finding| finding.violations == 0)
        })
        .await;
        let refunds = self.stripe(PATIENCE).list_all_refunds(None).await.unwrap();
        assert!(!refunds.has_more);
        let refunded = |intent: &Intent| {
            let of_intent = |refund: &&payment::Refund| {
                refund.status == RefundStatus::Succeeded
                    && refund.intent_id.as_ref() == Some(&intent.id)
            };
            let refunds = refunds.items.iter().filter(of_intent);
            refunds.map(|refund| refund.amount.amount).sum()
        };
        let charged = self.all_intents().await.into_iter();
        let ledger: Vec<_> = charged
            .filter(|intent| intent.status == IntentStatus::Succeeded)
            .map(|intent| LedgerCharge {
                order_id: intent.order_id.unwrap(),
                amount: intent.amount_received,
                refunded: refunded(&intent),
            })
            .collect();
        let finding = orders.audit_ledger(&ledger).await.unwrap();
        assert_eq!(finding.violations, 0, "{finding:?} {ledger:?}");
    }

    async fn all_intents(&self) -> Vec<Intent> {
        let list = ListIntents {
            created_from: self.clock.now() - TimeDelta::days(30),
            created_before: None,
            starting_after: None,
            limit: 100,
        };
        let page = self.stripe(PATIENCE).list_intents(&list).await.unwrap();
        assert!(!page.has_more);
        page.items
    }
}
