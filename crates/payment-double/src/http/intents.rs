use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::{Access, ApiError, Form, answer, call};
use crate::{
    TestToken,
    double::{Double, NewIntent},
    ledger::{Intent, Ledger},
    wire,
};

/// Stripe's limits.
const MAX_AMOUNT: i64 = 99_999_999;
const MAX_METADATA: usize = 50;
const MAX_METADATA_VALUE_LENGTH: usize = 500;

pub(super) async fn create(
    double: web::Data<Double>,
    access: web::Data<Access>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, ApiError> {
    let form = Form::parse(&body)?;
    let call = call(&request, &form)?;
    let answered = double.create_intent(call, new_intent(form)?)?;
    Ok(answer(&access, answered).await)
}

pub(super) async fn retrieve(
    double: web::Data<Double>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let intent = double.with_ledger(|ledger| ledger.intent(&id).map(wire::intent));
    match intent {
        Some(intent) => Ok(HttpResponse::Ok().json(intent)),
        None => Err(ApiError::missing("payment_intent", &id)),
    }
}

pub(super) async fn list(
    double: web::Data<Double>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let list = List::parse(Form::parse(request.query_string().as_bytes())?)?;
    let (page, has_more) = double.with_ledger(|ledger| list.page(ledger))?;
    Ok(HttpResponse::Ok().json(wire::list("/v1/payment_intents", &page, has_more)))
}

fn new_intent(mut form: Form) -> Result<NewIntent, ApiError> {
    let amount = form.require_number("amount", (1, MAX_AMOUNT))?;
    let currency = form.require("currency")?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let message = format!("Invalid currency: {currency}");
        return Err(ApiError::parameter(
            "parameter_invalid",
            "currency",
            message,
        ));
    }
    let token = form.require("payment_method")?;
    let Some(payment_method) = TestToken::parse(&token) else {
        let message = format!("No such PaymentMethod: '{token}'");
        return Err(ApiError::parameter(
            "resource_missing",
            "payment_method",
            message,
        ));
    };
    // An intent is made and confirmed in one call, or not at all.
    if form.require("confirm")? != "true" {
        return Err(ApiError::parameter(
            "parameter_invalid",
            "confirm",
            "The payment double confirms every intent at once",
        ));
    }
    form.take_constant("automatic_payment_methods[enabled]", "true")?;
    form.take_constant("automatic_payment_methods[allow_redirects]", "never")?;
    form.take_constant("error_on_requires_action", "true")?;
    let metadata = form.take_map("metadata");
    let is_too_long = |value: &String| value.len() > MAX_METADATA_VALUE_LENGTH;
    if metadata.len() > MAX_METADATA || metadata.values().any(is_too_long) {
        return Err(ApiError::parameter(
            "parameter_invalid",
            "metadata",
            "Metadata takes 50 values of 500 characters",
        ));
    }
    form.finish()?;
    Ok(NewIntent {
        amount,
        currency,
        payment_method,
        metadata,
    })
}

struct List {
    created_from: i64,
    created_before: i64,
    starting_after: Option<String>,
    limit: usize,
}

impl List {
    fn parse(mut form: Form) -> Result<Self, ApiError> {
        let created_from = form.take_number("created[gte]", (i64::MIN, i64::MAX))?;
        let created_before = form.take_number("created[lt]", (i64::MIN, i64::MAX))?;
        let starting_after = form.take("starting_after");
        let limit = form.take_number("limit", (1, 100))?.unwrap_or(10);
        form.finish()?;
        Ok(Self {
            created_from: created_from.unwrap_or(i64::MIN),
            created_before: created_before.unwrap_or(i64::MAX),
            starting_after,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }

    /// The intents and whether there are more.
    fn page(&self, ledger: &Ledger) -> Result<(Vec<Value>, bool), ApiError> {
        match &self.starting_after {
            None => Ok(self.fill(ledger.intents())),
            Some(before) => match ledger.intents_before(before) {
                Some(intents) => Ok(self.fill(intents)),
                None => Err(ApiError::parameter(
                    "resource_missing",
                    "starting_after",
                    format!("No such payment_intent: '{before}'"),
                )),
            },
        }
    }

    fn fill<'a>(&self, intents: impl Iterator<Item = &'a Intent>) -> (Vec<Value>, bool) {
        let mut matching = intents
            .filter(|intent| (self.created_from..self.created_before).contains(&intent.created));
        let page = matching
            .by_ref()
            .take(self.limit)
            .map(wire::intent)
            .collect();
        (page, matching.next().is_some())
    }
}
