//! What every REST request costs, and who pays: a middleware around all routes.

use actix_web::{
    HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header::AUTHORIZATION},
    middleware::Next,
};
use service_kit::{
    access_token::Authenticated,
    client_address::ClientAddress,
    problem::Problem,
    rate_limit::{Allowance, TooMany},
};

use crate::limits::Limits;

/// As much as the same would cost over GraphQL, roughly.
const ONE: u32 = 20;
const LIST: u32 = 200;
const CHANGE: u32 = 100;

/// Refuses callers who have used up what they may, and tells the others what is left.
pub(super) async fn meter(
    limits: Limits,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match pay(&limits, &request).await {
        Ok(allowance) => {
            let mut response = next.call(request).await?;
            for (name, value) in allowance.headers() {
                // One about a narrower quota is there already.
                if !response.headers().contains_key(&name) {
                    response.headers_mut().insert(name, value);
                }
            }
            Ok(response)
        }
        Err(too_many) => {
            let answer = HttpResponse::from_error(Problem::from(too_many));
            Ok(request.into_response(answer))
        }
    }
}

async fn pay(limits: &Limits, request: &ServiceRequest) -> Result<Allowance, TooMany> {
    let caller = if request.headers().contains_key(AUTHORIZATION) {
        // Whether a caller is needed, and why this one is none, the route says.
        Authenticated::of(request.request()).await.ok()
    } else {
        None
    };
    let payer = match &caller {
        Some(caller) => limits.user(&caller.0),
        None => limits.client(ClientAddress::of(request.request())),
    };
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    limits
        .spend(payer, cost(request.method(), request.path()))
        .await
}

fn cost(method: &Method, path: &str) -> u32 {
    let is_read = [Method::GET, Method::HEAD].contains(method);
    let depth = path.trim_end_matches('/').split('/').count();
    match (is_read, depth) {
        (false, _) => CHANGE,
        // `/v1/orders` has three parts, the first of them empty.
        (true, ..=3) => LIST,
        (true, _) => ONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_costs_more_than_one_and_a_change_more_than_a_look_at_one() {
        assert_eq!(cost(&Method::GET, "/v1/products"), LIST);
        assert_eq!(cost(&Method::HEAD, "/v1/orders/"), LIST);
        assert_eq!(cost(&Method::GET, "/v2/products/42"), ONE);
        assert_eq!(cost(&Method::POST, "/v1/orders"), CHANGE);
        assert_eq!(cost(&Method::POST, "/v1/orders/42/cancel"), CHANGE);
    }
}
