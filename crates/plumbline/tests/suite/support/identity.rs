//! Everybody who may call: nobody in particular, people of every role, programs, and those whose
//! session has ended or whose log-in is long ago.

use contracts::ErrorCode;
use kernel::{Permission, Role};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use testkit::{
    http::{Client, Response, send},
    statement::own,
};
use uuid::Uuid;

use super::{Customer, PASSWORD, System, eventually, place::DEMO_PASSWORD};

const API_KEYS: &str = "/auth/v1/me/api-keys";
const ADMIN: &str = "admin@example.com";
const SUPPORT: &str = "support@example.com";
const CUSTOMER: &str = "customer@example.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Anonymous,
    Customer,
    OtherCustomer,
    Support,
    Admin,
    /// An admin who logged in an hour ago.
    StaleAdmin,
    /// An admin whose session was ended.
    RevokedAdmin,
    /// A key of the admin's, with every permission that a key can have.
    ApiKey,
    /// With every permission that a service can have.
    ServiceAccount,
}

impl Identity {
    pub const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::Customer,
        Self::OtherCustomer,
        Self::Support,
        Self::Admin,
        Self::StaleAdmin,
        Self::RevokedAdmin,
        Self::ApiKey,
        Self::ServiceAccount,
    ];

    /// Whether the caller proves by a token who it is.
    pub fn is_known(self) -> bool {
        !matches!(self, Self::Anonymous | Self::RevokedAdmin)
    }

    /// Whether the caller is a person who logged in a moment ago.
    pub fn is_recent(self) -> bool {
        matches!(
            self,
            Self::Customer | Self::OtherCustomer | Self::Support | Self::Admin
        )
    }

    /// What the matrix says.
    pub fn may(self, permission: Permission) -> bool {
        match self {
            Self::Anonymous | Self::RevokedAdmin => false,
            Self::Customer | Self::OtherCustomer => Role::Customer.grants(permission),
            Self::Support => Role::Support.grants(permission),
            Self::Admin | Self::StaleAdmin => Role::Admin.grants(permission),
            Self::ApiKey => Role::Admin.grants(permission) && permission.is_delegable(),
            Self::ServiceAccount => Role::Service.grants(permission),
        }
    }
}

/// What a log-in gives.
pub struct Session {
    pub id: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl System {
    /// A token of this identity; none for nobody in particular.
    pub async fn token_of(&self, identity: Identity) -> Option<String> {
        let session = match identity {
            Identity::Anonymous => return None,
            Identity::Customer => self.log_in(CUSTOMER, DEMO_PASSWORD).await,
            Identity::OtherCustomer => {
                let eve = self.customer("eve").await;
                self.log_in(&eve.email, PASSWORD).await
            }
            Identity::Support => self.log_in(SUPPORT, DEMO_PASSWORD).await,
            Identity::Admin => self.log_in(ADMIN, DEMO_PASSWORD).await,
            Identity::StaleAdmin => self.stale_admin().await,
            Identity::RevokedAdmin => self.revoked_admin().await,
            Identity::ApiKey => return Some(self.api_key().await),
            Identity::ServiceAccount => return Some(self.service_token().await),
        };
        Some(session.access_token)
    }

    pub async fn admin(&self) -> Session {
        self.log_in(ADMIN, DEMO_PASSWORD).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Session {
        let credentials = json!({"email": email, "password": password});
        let answer = self.auth.post("/auth/v1/sessions", &credentials).await;
        Session::of(&answer.expect_status(201))
    }

    /// The client of the service that owns a path, without credentials.
    pub fn at(&self, path: &str) -> &Client {
        if path.starts_with("/auth") || path.starts_with("/.well-known") {
            &self.auth
        } else if path == "/metrics" {
            &self.metrics
        } else {
            &self.gateway
        }
    }

    /// Runs a statement that arranges a state to which the API has no way.
    pub async fn execute_in_auth(&self, sql: &str) {
        let database = self.auth_database().await;
        let statement = Statement::from_string(database.backend(), own(sql));
        database.writer().execute_raw(statement).await.unwrap();
        database.close().await.unwrap();
    }

    /// As if the person had logged in at a provider once.
    pub async fn external_identity_of(&self, person: &Customer) -> String {
        let columns = "provider, issuer, subject, email";
        let id = Uuid::now_v7().to_string();
        let values = format!("'walk', 'https://id.plumbline.test', '{id}', 'ada@plumbline.test'");
        self.insert_of("external_identities", person, &id, columns, &values)
            .await;
        id
    }

    /// As if the person had an authenticator.
    pub async fn passkey_of(&self, person: &Customer) -> String {
        let id = Uuid::now_v7().to_string();
        let credential_id = if System::is_distributed() {
            format!("decode('{}', 'hex')", id.replace('-', ""))
        } else {
            uuid_literal(&id)
        };
        let values = format!("{credential_id}, 'telephone', '{{}}'");
        let columns = "credential_id, name, credential";
        self.insert_of("passkeys", person, &id, columns, &values)
            .await;
        id
    }

    async fn insert_of(
        &self,
        table: &str,
        person: &Customer,
        id: &str,
        columns: &str,
        values: &str,
    ) {
        let profile: Value = person.auth.get("/auth/v1/me").await.json();
        let owner = uuid_literal(profile["id"].as_str().unwrap());
        let id = uuid_literal(id);
        self.execute_in_auth(&format!(
            "INSERT INTO {table} (id, user_id, created_at, {columns})
             VALUES ({id}, {owner}, '2026-01-01 00:00:00+00:00', {values})"
        ))
        .await;
    }

    /// Her session is as old as the database says, and her token comes from a refresh.
    async fn stale_admin(&self) -> Session {
        let session = self.admin().await;
        let hour_ago = "2020-01-01 00:00:00+00:00";
        let set = format!("UPDATE sessions SET authenticated_at = '{hour_ago}'");
        let id = uuid_literal(&session.id);
        self.execute_in_auth(&format!("{set} WHERE id = {id}"))
            .await;
        let body = json!({"refresh_token": session.refresh_token});
        let answer = self.auth.post("/auth/v1/tokens/refresh", &body).await;
        Session::of(&answer.expect_status(200))
    }

    async fn revoked_admin(&self) -> Session {
        let session = self.admin().await;
        let auth = self.auth.with_bearer(&session.access_token);
        let path = format!("/auth/v1/sessions/{}", session.id);
        let _ = auth.delete(&path).await.expect_status(204);
        let gateway = self.gateway.with_bearer(&session.access_token);
        eventually("the gateway refuses a revoked session", async || {
            let answer = gateway.get("/v1/orders?first=1").await;
            (answer.status == 401).then_some(())
        })
        .await;
        session
    }

    async fn api_key(&self) -> String {
        let auth = self.auth.with_bearer(&self.admin().await.access_token);
        let delegable = Permission::ALL.iter().filter(|it| it.is_delegable());
        let scopes: Vec<_> = delegable.map(|it| it.as_str()).collect();
        let expires_at = "2027-06-01T00:00:00Z";
        let body = json!({"name": "walk", "scopes": scopes, "expires_at": expires_at});
        let answer = auth.post(API_KEYS, &body).await;
        let key: Value = answer.expect_status(201).json();
        key["key"].as_str().unwrap().to_owned()
    }

    async fn service_token(&self) -> String {
        let auth = self.auth.with_bearer(&self.admin().await.access_token);
        let of_services = Permission::ALL
            .iter()
            .filter(|it| Role::Service.grants(**it));
        let scopes: Vec<_> = of_services.map(|it| it.as_str()).collect();
        let name = format!("walk-{}", Uuid::new_v4().simple());
        let body = json!({"name": name, "audience": "plumbline", "scopes": scopes});
        let answer = auth.post("/auth/v1/admin/service-accounts", &body).await;
        let account: Value = answer.expect_status(201).json();
        let credential = |name: &str| account[name].as_str().unwrap().to_owned();
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", credential("client_id")),
            ("client_secret", credential("client_secret")),
        ];
        let request = self.auth.request(Method::POST, "/auth/oauth2/token");
        let token: Value = send(request.form(&form)).await.expect_status(200).json();
        token["access_token"].as_str().unwrap().to_owned()
    }
}

impl Session {
    pub fn of(answer: &Response) -> Self {
        let session: Value = answer.json();
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        Self {
            id: text("session_id"),
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
        }
    }
}

/// SQLite keeps an id as a blob.
pub fn uuid_literal(id: &str) -> String {
    if System::is_distributed() {
        format!("'{id}'")
    } else {
        format!("x'{}'", id.replace('-', ""))
    }
}

/// How far a caller got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Unauthenticated,
    Forbidden,
    StepUp,
    /// To the handler, whatever it then says.
    Allowed,
}

impl Outcome {
    /// What a problem's code tells.
    pub fn of_code(code: &str) -> Self {
        let is_one_of = |codes: &[ErrorCode]| codes.iter().any(|it| it.as_str() == code);
        if is_one_of(&[ErrorCode::Unauthenticated, ErrorCode::InvalidToken]) {
            Self::Unauthenticated
        } else if is_one_of(&[ErrorCode::Forbidden]) {
            Self::Forbidden
        } else if is_one_of(&[ErrorCode::StepUpRequired]) {
            Self::StepUp
        } else {
            Self::Allowed
        }
    }
}
