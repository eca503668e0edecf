//! The gateway put together from its parts.

use std::sync::Arc;

use actix_web::{http::Method, web};
use kernel::SharedClock;
use messaging::Broker;
use orders::Orders;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use service_kit::{
    access_token::Verifier,
    api_docs,
    lifecycle::Shutdown,
    routes::{Access, DeclaredRoute},
};
use user_directory::Directory;

use crate::assets;
use crate::cursor::Cursors;
use crate::freshness;
use crate::graphql::Shop;
use crate::graphql::engine::{Engine, EngineConfig};
use crate::graphql::http::{self, Endpoint, HttpConfig};
use crate::graphql::websocket::{SocketConfig, Sockets};
use crate::hub::Hub;
use crate::limits::Limits;
use crate::order_news::OrderNews;
use crate::rest;
use crate::webhooks::{self, Webhooks};

const GRAPHQL: &str = "/graphql";

/// Every route of the gateway, and who may call it. Behind `/graphql` each field has an access of
/// its own: [`crate::declared_fields`].
#[must_use]
pub fn declared_routes() -> Vec<DeclaredRoute> {
    let graphql = [Method::GET, Method::POST].map(|method| DeclaredRoute {
        method,
        path: GRAPHQL.to_owned(),
        access: Access::Public,
    });
    let tables = [assets::routes(), api_docs::routes(""), webhooks::routes()];
    let declared = tables.iter().flat_map(|table| table.declared().to_vec());
    declared.chain(rest::declared()).chain(graphql).collect()
}

/// The settings of the gateway. What has a default keeps to the specification of the service.
pub struct GatewayConfig {
    /// Seals page cursors; the same on every replica.
    pub cursor_secret: SecretSlice<u8>,
    /// With which the payment provider signs webhooks; several while they are being changed.
    pub webhook_secrets: Vec<SecretString>,
    /// Whether clients may ask GraphQL for its schema.
    pub introspection: bool,
    /// Bounds of GraphQL documents and their execution.
    pub engine: EngineConfig,
    /// Bounds of GraphQL over HTTP.
    pub http: HttpConfig,
    /// Bounds of GraphQL over WebSocket.
    pub sockets: SocketConfig,
}

/// What the gateway works with.
pub struct GatewayDeps {
    /// The use-cases.
    pub orders: Orders,
    /// Tells of the transitions of orders.
    pub broker: Broker,
    /// Tells who calls.
    pub verifier: Verifier,
    /// Tells names.
    pub directory: Directory,
    /// How much callers may use.
    pub limits: Limits,
    /// Now.
    pub clock: SharedClock,
    /// Ends WebSocket connections.
    pub shutdown: Shutdown,
}

/// The gateway; clones share everything, so that each HTTP worker mounts one.
#[derive(Clone)]
pub struct Gateway {
    endpoint: web::Data<Endpoint<Shop>>,
    sockets: web::Data<Sockets<Shop>>,
    rest: rest::Context,
    webhooks: Webhooks,
    hub: Hub,
    orders: Orders,
    broker: Broker,
}

impl Gateway {
    /// Puts the gateway together.
    #[must_use]
    pub fn build(config: GatewayConfig, deps: GatewayDeps) -> Self {
        let GatewayDeps {
            orders,
            broker,
            verifier,
            directory,
            limits,
            clock,
            shutdown,
        } = deps;
        let cursors = Cursors::new(config.cursor_secret.expose_secret());
        let hub = Hub::default();
        let shop = Shop::new(
            orders.clone(),
            directory,
            verifier.revocations().clone(),
            OrderNews::new(hub.clone(), orders.clone()),
            cursors.clone(),
            limits.clone(),
            config.introspection,
        );
        let engine = Engine::new(shop, config.engine);
        let sockets = Sockets::new(
            engine.clone(),
            verifier.clone(),
            limits.clone(),
            Arc::clone(&clock),
            shutdown,
            config.sockets,
        );
        let endpoint = Endpoint {
            engine,
            verifier: verifier.clone(),
            limits: limits.clone(),
            http: config.http,
        };
        Self {
            endpoint: web::Data::new(endpoint),
            sockets: web::Data::new(sockets),
            rest: rest::Context {
                orders: orders.clone(),
                cursors,
                verifier,
                limits,
                in_flight: rest::InFlight::default(),
            },
            webhooks: Webhooks {
                orders: orders.clone(),
                clock,
                secrets: config.webhook_secrets,
            },
            hub,
            orders,
            broker,
        }
    }

    /// Mounts `/`, `/assets`, `/graphql`, `/v1`, `/docs`, `/openapi.json` and `/webhooks/stripe`.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        assets::routes().configure(config);
        config.configure(http::configure(
            GRAPHQL,
            self.endpoint.clone(),
            self.sockets.clone(),
        ));
        rest::configure(&self.rest, config);
        webhooks::configure(&self.webhooks, config);
    }

    /// Starts what hands order events to subscribers and what forgets changed products; both end
    /// with `shutdown`.
    pub fn spawn_background(&self, shutdown: &Shutdown) {
        let run = self.hub.clone().run(self.broker.clone(), shutdown.soft());
        shutdown.spawn("order events", run);
        let keep = freshness::keep(self.orders.clone(), self.broker.clone(), shutdown.soft());
        shutdown.spawn("changed products", keep);
    }
}
