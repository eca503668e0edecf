//! What arrives at a mail server: RFC 5322 messages with two bodies that say the same.

use std::{collections::HashSet, time::Duration};

use chrono::DateTime;
use kernel::Clock as _;
use service_kit::mail::{Mailer, SmtpConfig, SmtpMailer};
use testkit::{
    mail::{CaughtMail, MailCatcher},
    ports::free_port,
};

use crate::harness::{EMAIL, Options, PASSWORD, Store, TestApp, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

fn mailing_to(url: &str) -> Options {
    let smtp = SmtpConfig {
        url: url.to_owned().into(),
        from: "Plumbline <shop@example.com>".to_owned(),
    };
    Options {
        mailer: Some(Mailer::Smtp(SmtpMailer::new(&smtp).unwrap())),
        ..Options::default()
    }
}

fn token_in(body: &str) -> &str {
    let (_, after) = body.split_once("with this token:").unwrap();
    let token = |word: &&str| word.len() == 43;
    after.split(['\n', '<', '>']).find(token).unwrap()
}

async fn register_and_catch(app: &TestApp, catcher: &MailCatcher) -> CaughtMail {
    app.register(EMAIL, PASSWORD).await.expect(202);
    catcher.mail_to(EMAIL, PATIENCE).await.unwrap()
}

#[actix_web::test]
async fn a_mail_has_a_text_and_an_html_body_with_the_same_token() {
    let catcher = MailCatcher::start().await.unwrap();
    let app = TestApp::start_with(mailing_to(&catcher.url())).await;
    let mail = register_and_catch(&app, &catcher).await;
    assert_eq!(mail.from, "shop@example.com");
    let content_type = mail.header("Content-Type").unwrap();
    assert!(content_type.starts_with("multipart/alternative"));
    let (text, html) = (
        mail.part("text/plain").unwrap(),
        mail.part("text/html").unwrap(),
    );
    let token = token_in(&text);
    assert_eq!(token_in(&html), token);
    let link = format!("{}/auth/confirm-email#token={token}", app.origin);
    assert!(text.contains(&link) && html.contains(&link));
    app.confirm(token).await.expect(204);
    app.finish().await;
}

#[actix_web::test]
async fn a_mail_says_when_it_was_written_and_that_a_program_did_it() {
    let catcher = MailCatcher::start().await.unwrap();
    let app = TestApp::start_with(mailing_to(&catcher.url())).await;
    let mail = register_and_catch(&app, &catcher).await;
    let event: uuid::Uuid = app.store.scalar("SELECT id FROM outbox").await;
    let message_id = format!("<{event}@example.com>");
    assert_eq!(mail.header("Message-ID"), Some(message_id.as_str()));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    let date = DateTime::parse_from_rfc2822(mail.header("Date").unwrap()).unwrap();
    assert!((app.clock.now() - date.to_utc()).num_seconds().abs() < 60);
    app.finish().await;
}

/// Sent and not recorded: the next attempt sends the same mail, which mail programs recognise.
#[actix_web::test]
async fn a_mail_that_is_sent_twice_is_the_same_mail() {
    let catcher = MailCatcher::start().await.unwrap();
    let app = TestApp::start_with(mailing_to(&catcher.url())).await;
    register_and_catch(&app, &catcher).await;
    let recorded = async || (app.store.count("inbox").await == 1).then_some(());
    eventually("the mail is recorded", recorded).await;
    let store = app.stop().await;
    store.execute("DELETE FROM inbox").await;

    let app = TestApp::start_on(store, mailing_to(&catcher.url())).await;
    let twice = async || {
        let mails = catcher.mails_to(EMAIL);
        (mails.len() == 2).then_some(mails)
    };
    let mails = eventually("the mail is sent again", twice).await;
    for header in ["Message-ID", "Date", "Subject"] {
        assert!(mails[0].header(header).is_some());
        assert_eq!(mails[0].header(header), mails[1].header(header));
    }
    let tokens = mails
        .iter()
        .map(|mail| token_in(&mail.part("text/plain").unwrap()).to_owned());
    assert_eq!(tokens.collect::<HashSet<_>>().len(), 1);
    app.finish().await;
}

#[actix_web::test]
async fn a_mail_waits_for_a_server_that_is_away() {
    let port = free_port().unwrap();
    let app = TestApp::start_with(mailing_to(&format!("smtp://127.0.0.1:{port}"))).await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    let query = "SELECT COUNT(*) FROM outbox WHERE published_at IS NOT NULL";
    let published = async || (app.store.scalar::<i64>(query).await == 1).then_some(());
    eventually("the request is published", published).await;
    let catcher = MailCatcher::start_at(port).await.unwrap();
    let mail = catcher.mail_to(EMAIL, PATIENCE).await.unwrap();
    app.confirm(token_in(&mail.part("text/plain").unwrap()))
        .await
        .expect(204);
    app.finish().await;
}

/// Neither a header nor a link: who registers another's address chooses the name.
#[actix_web::test]
async fn a_name_gets_nowhere_where_it_could_do_harm() {
    let catcher = MailCatcher::start().await.unwrap();
    let app = TestApp::start_with(mailing_to(&catcher.url())).await;
    for name in ["Ada\r\nBcc: all@example.com", "Ada\nX: y", "\u{0}"] {
        let body = serde_json::json!({"email": EMAIL, "password": PASSWORD, "name": name});
        app.post("/auth/v1/users", body)
            .await
            .expect_problem(422, "validation");
    }
    let name = "<b>Win</b> at http://evil.example";
    let body = serde_json::json!({"email": EMAIL, "password": PASSWORD, "name": name});
    app.post("/auth/v1/users", body).await.expect(202);
    let mail = catcher.mail_to(EMAIL, PATIENCE).await.unwrap();
    assert_eq!(mail.to, [EMAIL]);
    assert!(!mail.text.contains("evil.example"), "{}", mail.text);

    let text = mail.part("text/plain").unwrap();
    app.confirm(token_in(&text)).await.expect(204);
    app.register(EMAIL, PASSWORD).await.expect(202);
    let told = async || catcher.mails_to(EMAIL).into_iter().nth(1);
    let mail = eventually("the owner is told", told).await;
    let html = mail.part("text/html").unwrap();
    assert!(html.contains("&#60;b&#62;Win&#60;/b&#62;"), "{html}");
    app.finish().await;
}

#[actix_web::test]
async fn the_dev_mailbox_keeps_both_bodies() {
    let app = TestApp::start_on(Store::create().await, Options::default()).await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    let mail = app.mails(EMAIL, 1).await.remove(0);
    let token = mail.token.unwrap();
    assert_eq!(token_in(&mail.text), token);
    assert_eq!(token_in(&mail.html), token);
    app.finish().await;
}
