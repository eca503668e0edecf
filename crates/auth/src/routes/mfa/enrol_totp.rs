use actix_web::{HttpResponse, web};
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use crate::{
    context::Context,
    routes::secret_answer,
    use_cases::mfa::{Enrolment, enrol_totp},
};

/// The same key three times. Shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct EnrolmentAnswer {
    /// Base32, to be typed in.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// Opens the app on the same device.
    #[schema(
        example = "otpauth://totp/Plumbline:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Plumbline"
    )]
    otpauth_uri: String,
    /// A QR code of the URI: an SVG element with a text alternative.
    #[schema(example = "<svg role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">…</svg>")]
    qr_svg: String,
}

impl From<Enrolment> for EnrolmentAnswer {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            secret: enrolment.secret,
            otpauth_uri: enrolment.uri,
            qr_svg: enrolment.qr_svg,
        }
    }
}

/// Set up an authenticator app.
///
/// Makes a key for an app (RFC 6238: SHA-1, six digits, 30 seconds), in place of one that was not
/// confirmed. Nothing asks for its codes before one was given to
/// `POST /auth/v1/me/mfa/totp/confirm`. Needs a proof of identity within the last five minutes.
#[utoipa::path(
    post,
    path = "/auth/v1/me/mfa/totp",
    operation_id = "enrolTotp",
    tag = "mfa",
    security(("bearer" = [])),
    responses(
        (status = 201, description = "To be confirmed", body = EnrolmentAnswer),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`mfa-already-enabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let enrolment = enrol_totp(&context, caller.actor()).await?;
    let answer = EnrolmentAnswer::from(enrolment);
    Ok(secret_answer(HttpResponse::Created(), &answer))
}
