//! A provider of OpenID Connect that does as it is told, wrong things above all.

use std::{
    collections::HashMap,
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::header::{AUTHORIZATION, LOCATION},
    web,
};
use auth::ExternalProviderConfig;
use aws_lc_rs::{
    digest, hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64},
};
use kernel::{Clock as _, ManualClock};
use reqwest::Url;
use serde_json::{Value, json};

pub const NAME: &str = "example";
const CLIENT_ID: &str = "plumbline";
pub const CLIENT_SECRET: &str = "canary-client-secret";
const LIFETIME: i64 = 300;

/// Runs until it is dropped.
pub struct TestProvider {
    pub issuer: String,
    state: Arc<Mutex<State>>,
    server: ServerHandle,
}

/// What it says and does. Change it with [`TestProvider::behave`].
pub struct State {
    pub metadata: Value,
    /// The claims of whoever logs in next.
    pub person: Value,
    /// Changes an ID token before it is signed.
    pub tamper: Tamper,
    /// Instead of the metadata.
    pub discovery: Discovery,
    /// How often each path was asked for.
    pub requests: HashMap<String, usize>,
    key: Arc<Ed25519KeyPair>,
    codes: usize,
    grants: HashMap<String, Grant>,
}

pub enum Discovery {
    Works,
    Fails,
    RedirectsTo(String),
    NeverAnswers,
    IsEndless,
}

pub type Tamper = fn(&mut IdToken);

pub struct IdToken {
    pub header: Value,
    pub claims: Value,
    pub signature: Signature,
}

#[derive(Clone, Copy)]
pub enum Signature {
    Own,
    OtherKey,
    /// HMAC-SHA256 with the client's secret.
    ClientSecret,
    Missing,
}

/// What a code stands for.
struct Grant {
    claims: Value,
    challenge: String,
    redirect_uri: String,
}

/// What the provider sends the browser back with.
#[derive(Clone, Debug)]
pub struct Sent {
    pub state: String,
    pub code: String,
    pub iss: Option<String>,
}

impl Sent {
    pub fn body(&self) -> Value {
        let mut body = json!({"state": self.state, "code": self.code});
        if let Some(issuer) = &self.iss {
            body["iss"] = json!(issuer);
        }
        body
    }
}

impl TestProvider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            metadata: metadata(&issuer),
            person: json!({
                "sub": "person-1", "email": "ada@example.com", "email_verified": true,
                "name": "Ada Lovelace",
            }),
            tamper: |_| {},
            discovery: Discovery::Works,
            requests: HashMap::new(),
            key: Arc::new(Ed25519KeyPair::generate().unwrap()),
            codes: 0,
            grants: HashMap::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let server = serve(listener, Arc::clone(&state));
        Self {
            issuer,
            state,
            server,
        }
    }

    /// The settings of a client of this provider.
    pub fn config(&self) -> ExternalProviderConfig {
        ExternalProviderConfig {
            name: NAME.to_owned(),
            display_name: "Example".to_owned(),
            issuer: self.issuer.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.into()),
            scopes: vec!["email".to_owned(), "profile".to_owned()],
            allow_private_network: true,
        }
    }

    pub fn behave(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
    }

    /// What the provider does once somebody has logged in there: it makes a code, and sends the
    /// browser back with it.
    pub fn authorize(&self, authorization_url: &Url, clock: &ManualClock) -> Sent {
        let query: HashMap<String, String> = authorization_url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["client_id"], CLIENT_ID);
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let now = clock.now();
        let mut state = self.state();
        let mut claims = state.person.clone();
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!(CLIENT_ID);
        claims["iat"] = json!(now.timestamp());
        claims["exp"] = json!(now.timestamp() + LIFETIME);
        claims["nonce"] = json!(query["nonce"]);
        state.codes += 1;
        let code = format!("code-{}", state.codes);
        let grant = Grant {
            claims,
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
        };
        state.grants.insert(code.clone(), grant);
        let says_issuer = "authorization_response_iss_parameter_supported";
        Sent {
            state: query["state"].clone(),
            code,
            iss: (state.metadata[says_issuer] == true).then(|| self.issuer.clone()),
        }
    }

    pub fn requests(&self, path: &str) -> usize {
        self.state().requests.get(path).copied().unwrap_or(0)
    }

    /// Signs with a new key from now on.
    pub fn rotate_key(&self) {
        self.state().key = Arc::new(Ed25519KeyPair::generate().unwrap());
    }

    pub async fn stop(&self) {
        self.server.stop(false).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        "authorization_response_iss_parameter_supported": true,
    })
}

type Shared = web::Data<Arc<Mutex<State>>>;

fn serve(listener: TcpListener, state: Arc<Mutex<State>>) -> ServerHandle {
    let app = move || {
        App::new()
            .app_data(web::Data::new(Arc::clone(&state)))
            .route("/.well-known/openid-configuration", web::get().to(discover))
            .route("/jwks", web::get().to(jwks))
            .route("/token", web::post().to(token))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    handle
}

fn count<'a>(state: &'a Shared, request: &HttpRequest) -> MutexGuard<'a, State> {
    let mut state = state.lock().unwrap();
    *state.requests.entry(request.path().to_owned()).or_default() += 1;
    state
}

async fn discover(state: Shared, request: HttpRequest) -> HttpResponse {
    {
        let state = count(&state, &request);
        match &state.discovery {
            Discovery::Works => return HttpResponse::Ok().json(&state.metadata),
            Discovery::Fails => return HttpResponse::InternalServerError().finish(),
            Discovery::RedirectsTo(target) => {
                let location = (LOCATION, target.as_str());
                return HttpResponse::Found().insert_header(location).finish();
            }
            Discovery::IsEndless => {
                let chunk = || Ok::<_, actix_web::Error>(web::Bytes::from_static(&[b' '; 4096]));
                return HttpResponse::Ok().streaming(futures_util::stream::repeat_with(chunk));
            }
            Discovery::NeverAnswers => {}
        }
    }
    std::future::pending().await
}

async fn jwks(state: Shared, request: HttpRequest) -> HttpResponse {
    let state = count(&state, &request);
    let x = BASE64.encode(state.key.public_key());
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid(&x), "x": x,
    });
    HttpResponse::Ok().json(json!({"keys": [key]}))
}

/// RFC 6749 §4.1.3 and RFC 7636 §4.6.
async fn token(
    state: Shared,
    request: HttpRequest,
    form: web::Form<HashMap<String, String>>,
) -> HttpResponse {
    let mut state = count(&state, &request);
    let expected = format!("{CLIENT_ID}:{CLIENT_SECRET}");
    let expected = format!("Basic {}", STANDARD.encode(expected));
    let authorization = request.headers().get(AUTHORIZATION);
    if authorization.is_none_or(|value| value.as_bytes() != expected.as_bytes()) {
        return HttpResponse::Unauthorized().json(json!({"error": "invalid_client"}));
    }
    let challenge = BASE64.encode(digest::digest(
        &digest::SHA256,
        form["code_verifier"].as_bytes(),
    ));
    let grant = state
        .grants
        .remove(&form["code"])
        .filter(|grant| grant.challenge == challenge)
        .filter(|grant| grant.redirect_uri == form["redirect_uri"]);
    let Some(grant) = grant else {
        return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    };
    let x = BASE64.encode(state.key.public_key());
    let mut id_token = IdToken {
        header: json!({"alg": "EdDSA", "kid": kid(&x)}),
        claims: grant.claims,
        signature: Signature::Own,
    };
    (state.tamper)(&mut id_token);
    HttpResponse::Ok().json(json!({
        "access_token": "access-token", "token_type": "Bearer", "expires_in": LIFETIME,
        "id_token": sign(&id_token, &state.key),
    }))
}

fn kid(public_key: &str) -> String {
    public_key[..8].to_owned()
}

fn sign(token: &IdToken, key: &Ed25519KeyPair) -> String {
    let part = |part: &Value| BASE64.encode(part.to_string());
    let signed = format!("{}.{}", part(&token.header), part(&token.claims));
    let bytes = signed.as_bytes();
    let signature = match token.signature {
        Signature::Own => key.sign(bytes).as_ref().to_vec(),
        Signature::OtherKey => {
            let other = Ed25519KeyPair::generate().unwrap();
            other.sign(bytes).as_ref().to_vec()
        }
        Signature::ClientSecret => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
            hmac::sign(&key, bytes).as_ref().to_vec()
        }
        Signature::Missing => Vec::new(),
    };
    format!("{signed}.{}", BASE64.encode(signature))
}
