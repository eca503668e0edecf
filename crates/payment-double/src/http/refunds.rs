use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::{Access, ApiError, Form, answer, call};
use crate::{double::Double, ledger::Intent, wire};

pub(super) async fn create(
    double: web::Data<Double>,
    access: web::Data<Access>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, ApiError> {
    let mut form = Form::parse(&body)?;
    let call = call(&request, &form)?;
    let intent_id = form.require("payment_intent")?;
    form.finish()?;
    let answered = double.create_refund(call, &intent_id)?;
    Ok(answer(&access, answered).await)
}

/// The refunds of one intent, the newest first, or of all of them: then the newest intent's first.
pub(super) async fn list(
    double: web::Data<Double>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut form = Form::parse(request.query_string().as_bytes())?;
    let intent_id = form.take("payment_intent");
    let starting_after = form.take("starting_after");
    let limit = form.take_number("limit", (1, 100))?.unwrap_or(10);
    form.finish()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (page, has_more) = double.with_ledger(|ledger| match &intent_id {
        None => page(ledger.intents(), starting_after.as_deref(), limit),
        Some(id) => match ledger.intent(id) {
            Some(intent) => page([intent].into_iter(), starting_after.as_deref(), limit),
            None => Err(ApiError::missing("payment_intent", id)),
        },
    })?;
    Ok(HttpResponse::Ok().json(wire::list("/v1/refunds", &page, has_more)))
}

/// The refunds among these intents, and whether there are more.
fn page<'a>(
    intents: impl Iterator<Item = &'a Intent>,
    starting_after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Value>, bool), ApiError> {
    let mut refunds =
        intents.flat_map(|intent| intent.refunds().map(move |refund| (intent, refund)));
    if let Some(last) = starting_after
        && !refunds.any(|(_, refund)| refund.id == last)
    {
        return Err(ApiError::parameter(
            "resource_missing",
            "starting_after",
            format!("No such refund: '{last}'"),
        ));
    }
    let page = refunds.by_ref().take(limit);
    let page = page.map(|(intent, refund)| wire::refund(intent, refund));
    let page = page.collect();
    Ok((page, refunds.next().is_some()))
}
