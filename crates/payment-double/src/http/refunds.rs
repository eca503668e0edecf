use actix_web::{HttpRequest, HttpResponse, web};

use super::{Access, ApiError, Form, answer, call};
use crate::{double::Double, wire};

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

/// The refunds of one intent, of which the double makes one at most.
pub(super) async fn list(
    double: web::Data<Double>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut form = Form::parse(request.query_string().as_bytes())?;
    let intent_id = form.require("payment_intent")?;
    form.take_number("limit", (1, 100))?;
    form.finish()?;
    let refunds = double.with_ledger(|ledger| {
        let intent = ledger.intent(&intent_id)?;
        let refund = intent.refund.as_ref();
        Some(Vec::from_iter(
            refund.map(|refund| wire::refund(intent, refund)),
        ))
    });
    match refunds {
        Some(refunds) => Ok(HttpResponse::Ok().json(wire::list("/v1/refunds", &refunds, false))),
        None => Err(ApiError::missing("payment_intent", &intent_id)),
    }
}
