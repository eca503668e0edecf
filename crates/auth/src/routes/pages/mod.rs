//! Where the links of mails lead: pages whose button posts the token, which stands in the link's
//! fragment. Opening one consumes nothing, so that mail scanners do no harm.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, HeaderValue},
};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'none'; \
     frame-ancestors 'none'; base-uri 'none'",
);

pub(super) async fn confirm_email() -> HttpResponse {
    page(include_str!("confirm_email.html"))
}

pub(super) async fn confirm_email_script() -> HttpResponse {
    script(include_str!("confirm_email.js"))
}

pub(super) async fn confirm_email_change() -> HttpResponse {
    page(include_str!("confirm_email_change.html"))
}

pub(super) async fn confirm_email_change_script() -> HttpResponse {
    script(include_str!("confirm_email_change.js"))
}

pub(super) async fn reset_password() -> HttpResponse {
    page(include_str!("reset_password.html"))
}

pub(super) async fn reset_password_script() -> HttpResponse {
    script(include_str!("reset_password.js"))
}

fn page(html: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(html)
}

fn script(javascript: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(javascript)
}
