//! Mail is sent at least once, whatever stops in between; what can't be sent is set aside.

use bytes::Bytes;
use messaging::Message;
use uuid::Uuid;

use crate::harness::{EMAIL, Options, PASSWORD, TestApp, eventually};

#[actix_web::test]
async fn a_mail_requested_before_a_crash_is_sent_after_the_restart() {
    let options = Options {
        background: false,
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    assert!(app.mailbox.mails(None).is_empty());
    let store = app.stop().await;

    let app = TestApp::start_on(store, Options::default()).await;
    let token = app.mails(EMAIL, 1).await.remove(0).token.unwrap();
    app.confirm(&token).await.expect(204);
    app.finish().await;
}

#[actix_web::test]
async fn a_mail_that_was_sent_is_not_sent_again_after_a_restart() {
    let app = TestApp::start().await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    app.mails(EMAIL, 1).await;
    let recorded = async || (app.store.count("inbox").await == 1).then_some(());
    eventually("the mail is recorded", recorded).await;
    let store = app.stop().await;

    let app = TestApp::start_on(store, Options::default()).await;
    app.register("bob@example.com", PASSWORD).await.expect(202);
    app.mails("bob@example.com", 1).await;
    assert!(app.mailbox.mails(Some(EMAIL)).is_empty());
    app.finish().await;
}

#[actix_web::test]
async fn a_mail_request_that_is_none_is_set_aside() {
    let app = TestApp::start().await;
    let nonsense = Message {
        id: Uuid::new_v4(),
        event_type: "auth.mail.requested.v1".to_owned(),
        aggregate_id: Uuid::nil(),
        body: Bytes::from_static(b"{\"template\":\"lottery\"}"),
        traceparent: None,
    };
    for result in app.broker.publish(&[nonsense]).await {
        result.unwrap();
    }
    let dead = async || {
        let letters = app.broker.dead_letters("auth.mail", 10).await.unwrap();
        letters.into_iter().next()
    };
    let letter = eventually("the message is set aside", dead).await;
    assert!(
        letter.reason.contains("not a well-formed event"),
        "{}",
        letter.reason
    );
    app.finish_leaving_dead_letters().await;
}
