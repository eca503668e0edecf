//! Who orders, and what there is to buy.

use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Answer, Request};
use crate::command::Failure;
use crate::load::system::System;

pub const CUSTOMERS: usize = 3;
const PASSWORD: &str = "plumb lines hang straight";
/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of a token in a mail.
const TOKEN_LENGTH: usize = 43;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Customer {
    pub email: String,
    pub token: String,
}

/// New accounts, confirmed with the token of their mail.
///
/// # Errors
/// When auth refuses, or no mail comes.
pub async fn register(system: &System) -> Result<Vec<String>, Failure> {
    let mut emails = Vec::new();
    for number in 1..=CUSTOMERS {
        let email = format!("drill-{number}@example.com");
        let user = json!({ "email": email, "password": PASSWORD, "name": "Drill" });
        let request = Request::post(&system.auth_url, "/auth/v1/users", &user);
        expect(202, "a registration", request.send().await?)?;
        let mail = system.mail.as_ref();
        let mail = mail.ok_or(Failure::Missing("a mail server"))?;
        let mail = mail.mail_to(&email, PATIENCE).await;
        let text = mail.ok_or(Failure::Missing("the mail of a registration"))?;
        let is_token = |line: &&str| {
            let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            line.len() == TOKEN_LENGTH && line.bytes().all(is_of_token)
        };
        let token = text.text.lines().map(str::trim).find(is_token);
        let token = token.ok_or(Failure::Missing("a token in the mail"))?;
        let path = "/auth/v1/email-verifications/confirm";
        let body = json!({ "token": token });
        let request = Request::post(&system.auth_url, path, &body);
        expect(204, "a confirmation", request.send().await?)?;
        emails.push(email);
    }
    Ok(emails)
}

/// A new session for each: an access token does not last for all drills.
///
/// # Errors
/// When auth refuses.
pub async fn log_in(system: &System, emails: &[String]) -> Result<Vec<Customer>, Failure> {
    let mut customers = Vec::new();
    for email in emails {
        let body = json!({ "email": email, "password": PASSWORD });
        let request = Request::post(&system.auth_url, "/auth/v1/sessions", &body);
        let session = expect(201, "a log-in", request.send().await?)?;
        customers.push(Customer {
            email: email.clone(),
            token: text(&session, "access_token")?,
        });
    }
    Ok(customers)
}

/// Products of which there is enough for everybody.
///
/// # Errors
/// When the gateway doesn't answer.
pub async fn products(system: &System) -> Result<Vec<String>, Failure> {
    let request = Request::get(&system.gateway_url, "/v1/products?first=20");
    let page = expect(200, "the products", request.send().await?)?;
    let items = page["items"].as_array().map(Vec::as_slice);
    let ids = items.unwrap_or_default().iter();
    ids.map(|item| text(item, "id")).collect()
}

/// The answer's body, if this is its status.
pub fn expect(status: u16, what: &'static str, answer: Answer) -> Result<Value, Failure> {
    if answer.status == status {
        return Ok(answer.body);
    }
    Err(Failure::Drill(format!(
        "{what}: {} {}",
        answer.status, answer.body
    )))
}

pub fn text(value: &Value, member: &'static str) -> Result<String, Failure> {
    let text = value[member].as_str();
    text.map(str::to_owned).ok_or(Failure::Missing(member))
}
