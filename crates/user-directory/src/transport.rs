//! How a call reaches the server.

use std::{
    error::Error,
    task::{Context, Poll},
};

use futures_util::{FutureExt as _, TryFutureExt as _};
use tonic::{
    body::Body,
    codegen::{BoxFuture, Service, http},
    service::Routes,
    transport::Channel,
};

#[derive(Clone)]
pub(crate) enum Transport {
    Network(Channel),
    /// The server's own services, called as functions.
    InProcess(Routes),
}

impl Service<http::Request<Body>> for Transport {
    type Response = http::Response<Body>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self {
            Self::Network(channel) => channel.poll_ready(context).map_err(Into::into),
            Self::InProcess(routes) => {
                Service::<http::Request<Body>>::poll_ready(routes, context).map_err(Into::into)
            }
        }
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match self {
            Self::Network(channel) => channel.call(request).err_into().boxed(),
            Self::InProcess(routes) => routes.call(request).err_into().boxed(),
        }
    }
}
