use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
    web,
};
use contracts::ErrorCode;
use serde::{Deserialize, Serialize};

use super::Mail;
use crate::{
    problem::Problem,
    routes::{Access, RouteTable},
};

/// The oldest mails make room for new ones.
const CAPACITY: usize = 1000;

/// Keeps mails instead of sending them. Clones share the mails.
#[derive(Clone, Debug, Default)]
pub struct DevMailbox(Arc<Mutex<VecDeque<Mail>>>);

impl DevMailbox {
    pub(super) fn keep(&self, mail: Mail) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() == CAPACITY {
            mails.pop_back();
        }
        mails.push_front(mail);
    }

    /// The mails to an address, or all; newest first.
    #[must_use]
    pub fn mails(&self, to: Option<&str>) -> Vec<Mail> {
        let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let addressed = |mail: &&Mail| to.is_none_or(|to| mail.to.as_str() == to);
        mails.iter().filter(addressed).cloned().collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    to: Option<String>,
}

#[derive(Serialize)]
struct Mails {
    mails: Vec<Mail>,
}

/// `GET /dev/mailbox[?to=address]`. Mount it in the embedded mode only: it shows tokens.
#[must_use]
pub fn dev_mailbox_routes() -> RouteTable {
    RouteTable::new("/dev").get("/mailbox", Access::Public, list_dev_mails)
}

async fn list_dev_mails(
    mailbox: web::Data<DevMailbox>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = web::Query::<Query>::from_query(request.query_string())
        .map_err(|error| Problem::new(ErrorCode::MalformedRequest).detail(error.to_string()))?;
    let to = query.to.as_ref().map(|to| to.trim().to_lowercase());
    let mails = mailbox.mails(to.as_deref());
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(Mails { mails }))
}

#[cfg(test)]
mod tests {
    use actix_web::{App, test};
    use chrono::DateTime;
    use kernel::Email;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            id: Uuid::nil(),
            to: Email::parse(to).unwrap(),
            subject: subject.to_owned(),
            text: "Hello".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            token: None,
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[actix_web::test]
    async fn mails_are_listed_by_address_newest_first() {
        let mailbox = DevMailbox::default();
        mailbox.keep(mail("ada@example.com", "first"));
        mailbox.keep(mail("bob@example.com", "other"));
        mailbox.keep(mail("ada@example.com", "second"));
        let routes = dev_mailbox_routes().app_data(web::Data::new(mailbox));
        let app = App::new().configure(|config| routes.configure(config));
        let app = test::init_service(app).await;

        let request = test::TestRequest::get().uri("/dev/mailbox?to=Ada@example.com");
        let body: Value = test::call_and_read_body_json(&app, request.to_request()).await;
        assert_eq!(body["mails"][0]["subject"], "second");
        assert_eq!(body["mails"][1]["subject"], "first");
        assert!(body["mails"][2].is_null());

        let request = test::TestRequest::get().uri("/dev/mailbox?from=x");
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 400);
    }

    #[actix_web::test]
    async fn the_mailbox_is_bounded() {
        let mailbox = DevMailbox::default();
        for number in 0..=CAPACITY {
            mailbox.keep(mail("ada@example.com", &number.to_string()));
        }
        let mails = mailbox.mails(None);
        assert_eq!(mails.len(), CAPACITY);
        assert_eq!(mails.last().unwrap().subject, "1");
    }
}
