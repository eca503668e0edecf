//! The journal: what a process that dies at any point leaves behind for the next one.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use kernel::ManualClock;
use payment::IntentStatus;
use payment_double::{JournalError, StartError, TestToken};
use tempfile::TempDir;

use crate::support::{Provider, Receiver, refund};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("journal.jsonl")
    }

    /// The journal as `kill -9` would leave it at this moment.
    fn killed(&self) -> PathBuf {
        let copy = self.0.path().join("killed.jsonl");
        fs::copy(self.journal(), &copy).unwrap();
        copy
    }
}

fn append(journal: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(journal).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn refuses_to_start(journal: &Path) -> StartError {
    let clock = ManualClock::starting_now();
    let started = Provider::try_start(clock, |config| config.journal = Some(journal.to_owned()));
    match started {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_kill_loses_no_charge_no_refund_and_no_key() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |_| {});
    let requests =
        [TestToken::Visa, TestToken::Visa, TestToken::Visa].map(|token| before.intent(token));
    let mut intents = Vec::new();
    for request in &requests {
        intents.push(before.stripe.create_intent(request).await.unwrap());
    }
    let back = refund(&intents[0].id);
    let refunded = before.stripe.refund(&back).await.unwrap();

    let after = Provider::start_over(&folder.killed(), |_| {});
    for (request, intent) in requests.iter().zip(&intents) {
        let stripe = &after.stripe;
        assert_eq!(
            &stripe.retrieve_intent(&intent.id, None).await.unwrap(),
            intent
        );
        assert_eq!(&stripe.create_intent(request).await.unwrap(), intent);
        assert_eq!(after.charges_of(request.order_id).await.len(), 1);
    }
    assert_eq!(after.stripe.refund(&back).await.unwrap(), refunded);
}

#[tokio::test]
async fn a_kill_between_charge_and_answer_is_told_by_the_same_key() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |_| {});
    let request = before.intent(TestToken::TimeoutAfterCharge);
    before.charge_and_hang_up(&request).await;

    let after = Provider::start_over(&folder.killed(), |_| {});
    let charged = after.stripe.create_intent(&request).await.unwrap();
    assert_eq!(charged.status, IntentStatus::Succeeded);
    assert_eq!(after.charges_of(request.order_id).await.len(), 1);
}

#[tokio::test]
async fn an_undelivered_webhook_is_sent_after_the_restart() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |config| {
        config.webhook_url = Some("http://127.0.0.1:9/webhooks".parse().unwrap());
    });
    let request = before.intent(TestToken::Visa);
    let intent = before.stripe.create_intent(&request).await.unwrap();

    let mut receiver = Receiver::start();
    let after = Provider::start_over(&folder.killed(), |config| {
        config.webhook_url = Some(receiver.url.parse().unwrap());
    });
    let event = receiver.next().await.verified(&after.clock);
    assert_eq!(event.intent_id(), Some(intent.id.as_str()));
}

#[tokio::test]
async fn a_delivered_webhook_is_not_sent_after_the_restart() {
    let folder = Folder::new();
    let mut receiver = Receiver::start();
    let webhook_url = receiver.url.parse::<url::Url>().unwrap();
    let before = Provider::start_over(&folder.journal(), |config| {
        config.webhook_url = Some(webhook_url.clone());
    });
    let request = before.intent(TestToken::Visa);
    before.stripe.create_intent(&request).await.unwrap();
    receiver.next().await;
    before
        .until(async || before.webhook_counts().await["delivered"] == 1)
        .await;

    let after = Provider::start_over(&folder.killed(), |config| {
        config.webhook_url = Some(webhook_url);
    });
    assert_eq!(after.webhook_counts().await["pending"], 0);
}

#[tokio::test]
async fn a_bank_debit_settles_after_the_restart() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |config| {
        config.settle_after = Duration::from_secs(3_600);
    });
    let request = before.intent(TestToken::BankDebit);
    let intent = before.stripe.create_intent(&request).await.unwrap();
    let waiting = before
        .stripe
        .retrieve_intent(&intent.id, None)
        .await
        .unwrap();
    assert_eq!(waiting.status, IntentStatus::Processing);

    let mut receiver = Receiver::start();
    let after = Provider::start_over(&folder.killed(), |config| {
        config.webhook_url = Some(receiver.url.parse().unwrap());
    });
    let event = receiver.next().await.verified(&after.clock);
    assert_eq!(event.event_type, "payment_intent.succeeded");
    let settled = after
        .stripe
        .retrieve_intent(&intent.id, None)
        .await
        .unwrap();
    assert_eq!(settled.status, IntentStatus::Succeeded);
}

#[tokio::test]
async fn a_stopped_double_lets_go_of_its_journal() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |_| {});
    let request = before.intent(TestToken::Visa);
    let intent = before.stripe.create_intent(&request).await.unwrap();
    before.stop().await;

    let after = Provider::start_over(&folder.journal(), |_| {});
    assert_eq!(after.stripe.create_intent(&request).await.unwrap(), intent);
}

#[tokio::test]
async fn a_call_that_hangs_does_not_hold_up_the_stop() {
    let provider = Provider::start(|_| {});
    let stripe = provider.stripe.clone();
    let request = provider.intent(TestToken::TimeoutAfterCharge);
    let order_id = request.order_id;
    let call = tokio::spawn(async move { stripe.create_intent(&request).await });
    provider
        .until(async || !provider.charges_of(order_id).await.is_empty())
        .await;
    provider.stop().await;
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn half_a_last_line_is_cut_off() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |_| {});
    let request = before.intent(TestToken::Visa);
    let intent = before.stripe.create_intent(&request).await.unwrap();
    let journal = folder.killed();
    let whole = fs::read(&journal).unwrap();
    for length in [1, whole.len() / 2, whole.len() - 1] {
        fs::write(&journal, [&whole, &whole[..length]].concat()).unwrap();
        let after = Provider::start_over(&journal, |_| {});
        assert_eq!(after.stripe.create_intent(&request).await.unwrap(), intent);
        let other = after.intent(TestToken::Visa);
        after.stripe.create_intent(&other).await.unwrap();
        after.stop().await;

        let again = Provider::start_over(&journal, |_| {});
        assert_eq!(again.charges_of(other.order_id).await.len(), 1);
        again.stop().await;
    }
}

#[tokio::test]
async fn a_damaged_journal_is_refused_with_the_line() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |_| {});
    let request = before.intent(TestToken::Visa);
    before.stripe.create_intent(&request).await.unwrap();
    let journal = folder.killed();
    let whole = fs::read(&journal).unwrap();
    for damage in [
        "not JSON\n",
        "{\"unknown\":1}\n",
        "\n",
        &"x".repeat(300_000),
    ] {
        fs::write(&journal, &whole).unwrap();
        append(&journal, damage);
        let error = refuses_to_start(&journal);
        assert!(
            matches!(
                error,
                StartError::Journal(JournalError::Corrupt { line: 2, .. })
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_journal_has_one_user() {
    let folder = Folder::new();
    let _first = Provider::start_over(&folder.journal(), |_| {});
    let error = refuses_to_start(&folder.journal());
    assert!(
        matches!(error, StartError::Journal(JournalError::InUse(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_journal_that_can_not_be_opened_is_refused() {
    let folder = Folder::new();
    let error = refuses_to_start(&folder.0.path().join("missing").join("journal.jsonl"));
    assert!(
        matches!(error, StartError::Journal(JournalError::Io { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_journal_of_mostly_superfluous_lines_is_rewritten() {
    let folder = Folder::new();
    let before = Provider::start_over(&folder.journal(), |config| {
        config.webhook_url = Some("http://127.0.0.1:9/webhooks".parse().unwrap());
    });
    let request = before.intent(TestToken::Visa);
    let intent = before.stripe.create_intent(&request).await.unwrap();
    let back = refund(&intent.id);
    let refunded = before.stripe.refund(&back).await.unwrap();
    let journal = folder.killed();
    append(
        &journal,
        &"{\"closed_event\":\"evt_long_gone\"}\n".repeat(2_000),
    );

    // Rewritten at the first start, read back at the second.
    Provider::start_over(&journal, |_| {}).stop().await;
    assert_eq!(fs::read_to_string(&journal).unwrap().lines().count(), 4);
    let mut receiver = Receiver::start();
    let after = Provider::start_over(&journal, |config| {
        config.webhook_url = Some(receiver.url.parse().unwrap());
    });
    assert_eq!(after.stripe.create_intent(&request).await.unwrap(), intent);
    assert_eq!(after.stripe.refund(&back).await.unwrap(), refunded);
    for _ in 0..2 {
        let event = receiver.next().await.verified(&after.clock);
        assert_eq!(event.intent_id(), Some(intent.id.as_str()));
    }
}
