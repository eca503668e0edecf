use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::USER_AGENT};
use service_kit::{
    client_address::ClientAddress, problem::Problem, request_telemetry::current_request_id,
};

/// Of a browser's description of itself, what is kept, in characters.
const MAX_DEVICE: usize = 200;

/// Where a request comes from, as sessions and the audit log keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub ip: Option<IpAddr>,
    /// The `User-Agent`, shortened.
    pub device: Option<String>,
    pub request_id: Option<String>,
}

impl FromRequest for Origin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let device = request.headers().get(USER_AGENT);
        let device = device.and_then(|device| device.to_str().ok());
        ready(Ok(Self {
            ip: Some(ClientAddress::of(request).0),
            device: device.map(|device| device.chars().take(MAX_DEVICE).collect()),
            request_id: current_request_id(),
        }))
    }
}
