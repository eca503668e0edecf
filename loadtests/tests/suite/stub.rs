//! A shop of one file: what the generator asks for, and switches to answer it badly.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, Json, Path, Payload, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, web};
use actix_ws::Message;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use url::Url;

pub const DEMO_EMAIL: &str = "customer@example.com";
pub const DEMO_PASSWORD: &str = "plumbline-demo-password";
const PRODUCTS: u64 = 30;

#[derive(Clone, Debug)]
pub struct Behaviour {
    /// After so many product lists every answer waits until the stall is over.
    pub stall: Option<(u64, Duration)>,
    /// From placing an order to its confirmation; none is never.
    pub confirm_after: Option<Duration>,
    /// Answer GraphQL with status 200 and `errors` beside the data.
    pub graphql_errors: bool,
    /// Refuse orders by `userErrors`.
    pub user_errors: bool,
    pub demo_user: bool,
    /// Of each product.
    pub stock: u64,
    /// So many subscribers are forgotten when an order is confirmed.
    pub forgotten: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            stall: None,
            confirm_after: Some(Duration::from_millis(5)),
            graphql_errors: false,
            user_errors: false,
            demo_user: true,
            stock: 1000,
            forgotten: 0,
        }
    }
}

pub struct Stub {
    url: Url,
    server: ServerHandle,
    pub state: Data<State>,
}

pub struct State {
    behaviour: Behaviour,
    product_lists: Mutex<u64>,
    stalled_until: Mutex<Option<Instant>>,
    orders: Mutex<HashMap<String, Instant>>,
    /// Refresh tokens that may be used; each once.
    refresh_tokens: Mutex<Vec<String>>,
    pub registered: Mutex<Vec<String>>,
    /// Who waits for orders.
    audience: Mutex<Vec<actix_ws::Session>>,
}

impl Stub {
    pub fn start(behaviour: Behaviour) -> Self {
        let state = Data::from(Arc::new(State {
            behaviour,
            product_lists: Mutex::default(),
            stalled_until: Mutex::default(),
            orders: Mutex::default(),
            refresh_tokens: Mutex::default(),
            registered: Mutex::default(),
            audience: Mutex::default(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let shared = state.clone();
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).configure(routes))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            url,
            server: handle,
            state,
        }
    }

    pub fn url(&self) -> Url {
        self.url.clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        // The command is sent at once; the future would only wait for it.
        drop(self.server.stop(false));
    }
}

impl State {
    async fn product_list_asked(&self) {
        if let Some((after, length)) = self.behaviour.stall {
            let mut lists = self.product_lists.lock().unwrap();
            *lists += 1;
            if *lists == after {
                *self.stalled_until.lock().unwrap() = Some(Instant::now() + length);
            }
        }
        let until = *self.stalled_until.lock().unwrap();
        if let Some(until) = until {
            tokio::time::sleep_until(until.into()).await;
        }
    }

    fn place_order(&self) -> Value {
        let id = uuid::Uuid::new_v4().to_string();
        self.orders
            .lock()
            .unwrap()
            .insert(id.clone(), Instant::now());
        json!({ "id": id, "number": "1", "status": "PLACED" })
    }

    /// Tells who waits for orders that one is confirmed.
    fn tell_audience(&self, id: &Value) {
        let now = SystemClock.now();
        let update = json!({ "myOrders": { "id": id, "status": "CONFIRMED", "updatedAt": now } });
        let message =
            json!({ "id": "orders", "type": "next", "payload": { "data": update } }).to_string();
        let audience = self.audience.lock().unwrap().clone();
        for mut session in audience.into_iter().skip(self.behaviour.forgotten) {
            let message = message.clone();
            actix_web::rt::spawn(async move { session.text(message).await });
        }
    }

    fn order_status(&self, id: &str) -> Option<&'static str> {
        let placed = *self.orders.lock().unwrap().get(id)?;
        match self.behaviour.confirm_after {
            Some(after) if placed.elapsed() >= after => Some("CONFIRMED"),
            _ => Some("PLACED"),
        }
    }

    fn new_session(&self) -> Value {
        let refresh_token = uuid::Uuid::new_v4().to_string();
        self.refresh_tokens
            .lock()
            .unwrap()
            .push(refresh_token.clone());
        json!({ "access_token": "token", "refresh_token": refresh_token, "token_type": "Bearer",
            "expires_in": 300, "session_id": "1" })
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/v1/products", web::get().to(list_products))
        .route("/v1/products/{id}", web::get().to(product))
        .route("/v1/orders", web::get().to(list_orders))
        .route("/v1/orders", web::post().to(place_order))
        .route("/v1/orders/{id}", web::get().to(order))
        .route("/graphql", web::post().to(graphql))
        .route("/graphql", web::get().to(subscriptions))
        .route("/auth/v1/sessions", web::post().to(log_in))
        .route("/auth/v1/tokens/refresh", web::post().to(refresh))
        .route("/auth/v1/users", web::post().to(register))
        .route(
            "/auth/v1/email-verifications/confirm",
            web::post().to(confirm_email),
        )
        .route("/health/live", web::get().to(HttpResponse::Ok))
        .route("/dev/mailbox", web::get().to(mailbox));
}

fn product_json(state: &State, id: &str) -> Value {
    json!({ "id": id, "name": format!("Kettle {id}"), "available": state.behaviour.stock })
}

async fn list_products(state: Data<State>) -> impl Responder {
    state.product_list_asked().await;
    let items: Vec<_> = (0..PRODUCTS)
        .map(|id| product_json(&state, &id.to_string()))
        .collect();
    web::Json(json!({ "items": items, "page": { "next": null, "previous": null } }))
}

async fn product(state: Data<State>, id: Path<String>) -> impl Responder {
    web::Json(product_json(&state, &id))
}

fn authorized(request: &HttpRequest) -> bool {
    request
        .headers()
        .get("authorization")
        .is_some_and(|value| value == "Bearer token")
}

async fn list_orders(request: HttpRequest) -> HttpResponse {
    if !authorized(&request) {
        return HttpResponse::Unauthorized().json(json!({ "code": "unauthenticated" }));
    }
    HttpResponse::Ok().json(json!({ "items": [], "page": { "next": null } }))
}

async fn place_order(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if !authorized(&request) || !request.headers().contains_key("idempotency-key") {
        return HttpResponse::BadRequest().finish();
    }
    HttpResponse::Created().json(state.place_order())
}

async fn order(state: Data<State>, id: Path<String>) -> HttpResponse {
    match state.order_status(&id) {
        Some(status) => HttpResponse::Ok().json(json!({ "id": *id, "status": status })),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn graphql(state: Data<State>, body: Json<Value>) -> impl Responder {
    let document = body["query"].as_str().unwrap_or_default();
    let data = if document.contains("placeOrder") {
        if state.behaviour.user_errors {
            let error = json!({ "code": "OUT_OF_STOCK", "message": "gone", "field": null });
            json!({ "placeOrder": { "order": null, "userErrors": [error] } })
        } else {
            let order = state.place_order();
            state.tell_audience(&order["id"]);
            json!({ "placeOrder": { "order": order, "userErrors": [] } })
        }
    } else if document.contains("product(") {
        json!({ "product": { "id": body["variables"]["id"] } })
    } else if document.contains("products(") {
        state.product_list_asked().await;
        json!({ "products": { "edges": [{ "cursor": "c" }] } })
    } else {
        json!({ "orders": { "edges": [] } })
    };
    let mut answer = json!({ "data": data });
    if state.behaviour.graphql_errors {
        let code = json!({ "code": "INTERNAL_SERVER_ERROR" });
        answer["errors"] = json!([{ "message": "a field failed", "extensions": code }]);
    }
    web::Json(answer)
}

async fn subscriptions(
    state: Data<State>,
    request: HttpRequest,
    body: Payload,
) -> actix_web::Result<HttpResponse> {
    let (mut response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    response.headers_mut().insert(
        actix_web::http::header::SEC_WEBSOCKET_PROTOCOL,
        actix_web::http::header::HeaderValue::from_static("graphql-transport-ws"),
    );
    actix_web::rt::spawn(async move {
        while let Some(Ok(Message::Text(text))) = messages.recv().await {
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("connection_init") => {
                    assert_eq!(message["payload"]["Authorization"], "Bearer token");
                    session
                        .text(json!({ "type": "connection_ack" }).to_string())
                        .await
                        .unwrap();
                }
                Some("subscribe") if message["id"] == "orders" => {
                    state.audience.lock().unwrap().push(session.clone());
                }
                Some("subscribe") if message["id"] == "probe" => {
                    let complete = json!({ "id": "probe", "type": "complete" });
                    session.text(complete.to_string()).await.unwrap();
                }
                Some("subscribe") => {
                    actix_web::rt::spawn(follow(state.clone(), session.clone(), message));
                }
                _ => {}
            }
        }
    });
    Ok(response)
}

/// The current state at once, then the newer one, then the end.
async fn follow(state: Data<State>, mut session: actix_ws::Session, subscribe: Value) {
    let order_id = subscribe["payload"]["variables"]["orderId"]
        .as_str()
        .unwrap()
        .to_owned();
    let next = |status: &str| {
        let update = json!({ "orderUpdated": { "id": order_id, "status": status } });
        json!({ "id": subscribe["id"], "type": "next", "payload": { "data": update } }).to_string()
    };
    let placed = state.orders.lock().unwrap()[&order_id];
    let _ = session
        .text(next(state.order_status(&order_id).unwrap()))
        .await;
    let Some(after) = state.behaviour.confirm_after else {
        return;
    };
    tokio::time::sleep_until((placed + after).into()).await;
    let _ = session.text(next("CONFIRMED")).await;
    let _ = session
        .text(json!({ "id": subscribe["id"], "type": "complete" }).to_string())
        .await;
}

async fn log_in(state: Data<State>, body: Json<Value>) -> HttpResponse {
    let demo = state.behaviour.demo_user && body["email"] == DEMO_EMAIL;
    let registered = state
        .registered
        .lock()
        .unwrap()
        .iter()
        .any(|email| body["email"] == **email);
    if !(demo || registered) {
        return HttpResponse::Unauthorized().json(json!({ "code": "invalid-credentials" }));
    }
    HttpResponse::Created().json(state.new_session())
}

async fn refresh(state: Data<State>, body: Json<Value>) -> HttpResponse {
    let used = {
        let mut tokens = state.refresh_tokens.lock().unwrap();
        let found = tokens
            .iter()
            .position(|token| body["refresh_token"] == **token);
        found.map(|index| tokens.swap_remove(index))
    };
    match used {
        Some(_) => HttpResponse::Ok().json(state.new_session()),
        None => HttpResponse::Unauthorized().json(json!({ "code": "refresh-token-reused" })),
    }
}

async fn register(body: Json<Value>) -> HttpResponse {
    let complete = ["email", "password", "name"]
        .iter()
        .all(|member| body[member].is_string());
    if complete {
        HttpResponse::Accepted().json(json!({}))
    } else {
        HttpResponse::BadRequest().into()
    }
}

async fn mailbox(query: Query<HashMap<String, String>>) -> impl Responder {
    let to = &query["to"];
    web::Json(json!({ "mails": [{ "to": to, "token": format!("token for {to}") }] }))
}

async fn confirm_email(state: Data<State>, body: Json<Value>) -> HttpResponse {
    match body["token"]
        .as_str()
        .and_then(|token| token.strip_prefix("token for "))
    {
        Some(email) => {
            state.registered.lock().unwrap().push(email.to_owned());
            HttpResponse::NoContent().finish()
        }
        None => HttpResponse::BadRequest().finish(),
    }
}
