use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::Email;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{database_problem, password_problem};
use crate::{
    context::Context,
    display_name::DisplayName,
    origin::Origin,
    password::{NewPassword, PolicyContext},
    use_cases::register_user::{RegisterUserError, Registration, register_user},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterUserRequest {
    #[schema(format = "email", max_length = 254, example = "ada@example.com")]
    email: String,
    #[schema(
        format = "password",
        min_length = 15,
        max_length = 128,
        example = "correct horse battery staple"
    )]
    password: String,
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
}

impl RegisterUserRequest {
    /// Tells everything that is wrong at once.
    fn parse(self) -> Result<Registration, Problem> {
        let mut problem = Problem::new(ErrorCode::Validation);
        let email = Email::parse(&self.email);
        if let Err(error) = email {
            problem = problem.field("email", "invalid", error.to_string());
        }
        let name = DisplayName::parse(&self.name);
        if let Err(error) = name {
            problem = problem.field("name", "invalid", error.to_string());
        }
        let context = PolicyContext {
            email: &self.email,
            name: &self.name,
            second_factor: false,
        };
        let password = NewPassword::parse(self.password, context);
        if let Err(violation) = password {
            problem = problem.field("password", violation.code(), violation.to_string());
        }
        match (email, name, password) {
            (Ok(email), Ok(name), Ok(password)) => Ok(Registration {
                email,
                name,
                password,
            }),
            _ => Err(problem),
        }
    }
}

impl From<RegisterUserError> for Problem {
    fn from(error: RegisterUserError) -> Self {
        match error {
            RegisterUserError::Password(error) => password_problem(error),
            RegisterUserError::Database(error) => database_problem(error),
            RegisterUserError::Mail(error) => Self::internal(error),
        }
    }
}

/// Register.
///
/// The answer does not tell whether the address has an account. A mail to it does: it has the
/// token that confirms the address, or says that there is an account already.
#[utoipa::path(
    post,
    path = "/auth/v1/users",
    operation_id = "registerUser",
    tag = "users",
    request_body = RegisterUserRequest,
    responses(
        (status = 202, description = "A mail is on its way", body = inline(super::Nothing)),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`hash-capacity` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    Json(request): Json<RegisterUserRequest>,
) -> Result<HttpResponse, Problem> {
    register_user(&context, request.parse()?, &origin).await?;
    Ok(super::secret_answer(
        HttpResponse::Accepted(),
        &super::Nothing {},
    ))
}
