//! Programs that call auth: OAuth clients, and callers over gRPC.

use std::{net::TcpListener, sync::Arc};

use auth::{ClientSecret, ConfiguredServiceAccount, ServiceAccountSpec};
use kernel::Role;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::health::Readiness;

use super::{Answer, PASSWORD, TestApp};

/// The account that the configuration has.
pub const GATEWAY: &str = "gateway";
pub const GATEWAY_SECRET: &str = "Z2F0ZXdheS1zZWNyZXQtb2YtdGhlLXRlc3RzLTAwMDE";
pub const ADMIN: &str = "admin@example.com";

pub fn gateway() -> ConfiguredServiceAccount {
    let audience = user_directory::AUDIENCE;
    ConfiguredServiceAccount {
        spec: ServiceAccountSpec::parse(GATEWAY, audience, ["users:look-up"]).unwrap(),
        secret: ClientSecret::parse(GATEWAY_SECRET).unwrap(),
    }
}

impl TestApp {
    /// Posts a form, with HTTP Basic if there are credentials.
    pub async fn form(
        &self,
        path: &str,
        basic: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.post(self.url(path)).form(form);
        if let Some((id, secret)) = basic {
            request = request.basic_auth(id, Some(secret));
        }
        Answer::read(request.send().await.unwrap()).await
    }

    /// Asks for a token with these credentials.
    pub async fn ask_for_token(&self, credentials: (&str, &str), more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(more);
        self.form("/auth/oauth2/token", Some(credentials), &form)
            .await
    }

    /// A token of the program with these credentials.
    pub async fn service_token(&self, credentials: (&str, &str)) -> String {
        let answer = self.ask_for_token(credentials, &[]).await.expect(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Calls with an access token.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = self
            .client
            .request(method, self.url(path))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    /// A new user's access token.
    pub async fn token_of(&self, email: &str, role: Role) -> String {
        self.seed(email, role).await;
        let answer = self.log_in(email, PASSWORD).await.expect(201);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn admin_token(&self) -> String {
        self.token_of(ADMIN, Role::Admin).await
    }

    /// A new program's credentials.
    pub async fn create_program(
        &self,
        admin_token: &str,
        name: &str,
        audience: &str,
        scopes: &[&str],
    ) -> (String, String) {
        let body = json!({"name": name, "audience": audience, "scopes": scopes});
        let path = "/auth/v1/admin/service-accounts";
        let answer = self.call(Method::POST, path, admin_token, Some(body)).await;
        let secret = answer.expect(201)["client_secret"].clone();
        (name.to_owned(), secret.as_str().unwrap().to_owned())
    }

    /// Serves gRPC on loopback, and says where.
    pub fn serve_grpc(&self, readiness: Readiness) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = self
            .service
            .serve_grpc(listener, Arc::new(readiness), &self.shutdown);
        served.unwrap();
        url
    }
}
