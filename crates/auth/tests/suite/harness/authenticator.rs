use chrono::{DateTime, TimeDelta, Utc};
use kernel::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use super::{Answer, EMAIL, PASSWORD, TestApp, eventually};

/// A person's authenticator app, and the recovery codes beside it.
pub struct Authenticator {
    totp: Totp,
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    pub fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).unwrap();
        Self {
            totp: Builder::new().with_secret(secret).build().unwrap(),
            recovery_codes: Vec::new(),
        }
    }

    pub fn code_at(&self, time: DateTime<Utc>) -> String {
        let seconds = time.timestamp().try_into().unwrap();
        self.totp.generate(seconds).to_string()
    }

    /// Six digits that are no code of these minutes.
    pub fn wrong_code(&self, now: DateTime<Utc>) -> String {
        let near: Vec<_> = (-4..=4)
            .map(|steps| self.code_at(now + TimeDelta::seconds(30 * steps)))
            .collect();
        let mut codes = (0..).map(|number| format!("{number:06}"));
        codes.find(|code| !near.contains(code)).unwrap()
    }
}

impl TestApp {
    /// Waits for a mail that tells of a change. Mails are sent at least once, and again when the
    /// clock is moved meanwhile: how many there are says nothing.
    pub async fn told(&self, subject: &str) {
        let arrived = async || {
            let mails = self.mailbox.mails(Some(EMAIL));
            let arrived = mails.iter().any(|mail| mail.subject == subject);
            arrived.then_some(())
        };
        eventually(subject, arrived).await;
    }

    /// Sets an app up and leaves it unconfirmed.
    pub async fn enrol(&self, access_token: &str) -> Authenticator {
        let path = "/auth/v1/me/mfa/totp";
        let answer = self.call(Method::POST, path, access_token, None).await;
        Authenticator::new(answer.expect(201)["secret"].as_str().unwrap())
    }

    pub async fn confirm_totp(&self, access_token: &str, code: &str) -> Answer {
        let body = json!({"code": code});
        let path = "/auth/v1/me/mfa/totp/confirm";
        self.call(Method::POST, path, access_token, Some(body))
            .await
    }

    /// Sets an app up, confirms it, and waits for its next code.
    pub async fn enable_mfa(&self, access_token: &str) -> Authenticator {
        let mut app = self.enrol(access_token).await;
        let code = app.code_at(self.clock.now());
        let confirmed = self.confirm_totp(access_token, &code).await.expect(200);
        app.recovery_codes = strings(&confirmed["recovery_codes"]);
        self.clock.advance(TimeDelta::seconds(30));
        app
    }

    /// A seeded user with a second factor, and an access token of theirs.
    pub async fn seed_with_mfa(&self) -> (Authenticator, String) {
        let session = self.seed_and_log_in().await;
        let access_token = session["access_token"].as_str().unwrap().to_owned();
        (self.enable_mfa(&access_token).await, access_token)
    }

    /// The challenge of a log-in whose password was right.
    pub async fn challenge(&self) -> String {
        let answer = self.log_in(EMAIL, PASSWORD).await.expect(202);
        answer["challenge"].as_str().unwrap().to_owned()
    }

    pub async fn answer_with_code(&self, challenge: &str, code: &str) -> Answer {
        let body = json!({"challenge": challenge, "code": code});
        self.post("/auth/v1/sessions/mfa", body).await
    }

    pub async fn answer_with_recovery_code(&self, challenge: &str, code: &str) -> Answer {
        let body = json!({"challenge": challenge, "recovery_code": code});
        self.post("/auth/v1/sessions/mfa", body).await
    }

    pub async fn step_up(&self, access_token: &str, body: Value) -> Answer {
        let path = "/auth/v1/step-up";
        self.call(Method::POST, path, access_token, Some(body))
            .await
    }
}

pub fn strings(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}
