//! The user directory over gRPC, on loopback and in process.

use chrono::TimeDelta;
use kernel::{Role, UserId};
use service_kit::health::Readiness;
use tonic::{Code, Request, codegen::http, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use user_directory::{
    Directory, DirectoryError, MAX_IDS, MAX_MESSAGE,
    v1::{BatchGetUsersRequest, user_directory_client::UserDirectoryClient},
};
use uuid::Uuid;

use crate::harness::{EMAIL, GATEWAY, GATEWAY_SECRET, NAME, TestApp, eventually};

async fn channel(url: &str) -> Channel {
    Channel::from_shared(url.to_owned())
        .unwrap()
        .connect()
        .await
        .unwrap()
}

async fn id_of(app: &TestApp, email: &str) -> UserId {
    let token = app.token_of(email, Role::Customer).await;
    let me = app.me(&format!("Bearer {token}")).await.expect(200);
    me["id"].as_str().unwrap().parse().unwrap()
}

/// Calls with any `authorization`, past our own client, and says how it went.
async fn look_up(url: &str, authorization: Option<&str>, ids: Vec<String>) -> Code {
    let mut client = UserDirectoryClient::new(channel(url).await);
    let mut request = Request::new(BatchGetUsersRequest { ids });
    if let Some(authorization) = authorization {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", authorization.parse().unwrap());
    }
    let answer = client.batch_get_users(request).await;
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

async fn people_are_found_by_id(app: &TestApp, directory: Directory) {
    let ada = id_of(app, EMAIL).await;
    let disabled = id_of(app, "disabled@example.com").await;
    let gone = id_of(app, "gone@example.com").await;
    for (column, email) in [
        ("disabled_at", "disabled@example.com"),
        ("deleted_at", "gone@example.com"),
    ] {
        let update = format!("UPDATE users SET {column} = created_at WHERE email = '{email}'");
        app.store.execute(&update).await;
    }
    let nobody = Uuid::nil().into();
    let people = directory
        .people([ada, disabled, gone, nobody])
        .await
        .unwrap();
    assert_eq!(people.len(), 2, "who is unknown or has left is absent");
    assert_eq!(people[&ada].name, NAME);
    assert_eq!(people[&ada].email, EMAIL);
    assert_eq!(people[&disabled].email, "disabled@example.com");
}

#[actix_web::test]
async fn people_are_found_by_id_over_the_network() {
    let app = TestApp::start().await;
    let url = app.serve_grpc(Readiness::default());
    let tokens = app.service.service_tokens(GATEWAY, GATEWAY_SECRET);
    let directory = Directory::connect(&url.parse().unwrap(), tokens).unwrap();
    people_are_found_by_id(&app, directory).await;
    app.finish().await;
}

#[actix_web::test]
async fn people_are_found_by_id_in_process() {
    let app = TestApp::start().await;
    let tokens = app.service.service_tokens(GATEWAY, GATEWAY_SECRET);
    let directory = Directory::in_process(app.service.directory(), tokens);
    people_are_found_by_id(&app, directory).await;
    app.finish().await;
}

#[actix_web::test]
async fn the_directory_is_closed_to_all_but_its_own_programs() {
    let app = TestApp::start().await;
    let url = app.serve_grpc(Readiness::default());
    let admin = app.admin_token().await;
    let elsewhere = app
        .create_program(&admin, "elsewhere", "plumbline", &["users:look-up"])
        .await;
    let unscoped = app
        .create_program(
            &admin,
            "unscoped",
            user_directory::AUDIENCE,
            &["tokens:introspect"],
        )
        .await;
    let gateway = app.service_token((GATEWAY, GATEWAY_SECRET)).await;
    let elsewhere = app.service_token((&elsewhere.0, &elsewhere.1)).await;
    let unscoped = app.service_token((&unscoped.0, &unscoped.1)).await;
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let altered = format!("{}x", &gateway[..gateway.len() - 1]);
    for (who, authorization, code) in [
        ("nobody", None, Code::Unauthenticated),
        (
            "an empty header",
            Some(String::new()),
            Code::Unauthenticated,
        ),
        ("no token", bearer(""), Code::Unauthenticated),
        ("garbage", bearer("garbage"), Code::Unauthenticated),
        (
            "the secret itself",
            bearer(GATEWAY_SECRET),
            Code::Unauthenticated,
        ),
        (
            "another scheme",
            Some(format!("Basic {gateway}")),
            Code::Unauthenticated,
        ),
        ("an altered token", bearer(&altered), Code::Unauthenticated),
        ("an admin", bearer(&admin), Code::Unauthenticated),
        (
            "a program for another audience",
            bearer(&elsewhere),
            Code::Unauthenticated,
        ),
        (
            "a program without the scope",
            bearer(&unscoped),
            Code::PermissionDenied,
        ),
        ("the gateway", bearer(&gateway), Code::Ok),
    ] {
        let answered = look_up(&url, authorization.as_deref(), vec![]).await;
        assert_eq!(answered, code, "{who}");
    }
    app.clock.advance(TimeDelta::seconds(606));
    let expired = look_up(&url, bearer(&gateway).as_deref(), vec![]).await;
    assert_eq!(expired, Code::Unauthenticated);
    app.finish().await;
}

#[actix_web::test]
async fn a_call_is_bounded_and_says_what_is_wrong_with_it() {
    let app = TestApp::start().await;
    let url = app.serve_grpc(Readiness::default());
    let token = format!(
        "Bearer {}",
        app.service_token((GATEWAY, GATEWAY_SECRET)).await
    );
    let id = || Uuid::nil().to_string();
    for (what, ids, code) in [
        ("as many as allowed", vec![id(); MAX_IDS], Code::Ok),
        ("too many", vec![id(); MAX_IDS + 1], Code::InvalidArgument),
        (
            "no id",
            vec!["' OR 1=1 --".to_owned()],
            Code::InvalidArgument,
        ),
        ("an empty id", vec![String::new()], Code::InvalidArgument),
        ("too large", vec!["x".repeat(MAX_MESSAGE)], Code::OutOfRange),
    ] {
        let answered = look_up(&url, Some(&token), ids).await;
        assert_eq!(answered, code, "{what}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_method_that_is_not_in_the_table_is_refused() {
    let app = TestApp::start().await;
    let url = app.serve_grpc(Readiness::default());
    let token = app.service_token((GATEWAY, GATEWAY_SECRET)).await;
    for path in [
        "/plumbline.user_directory.v1.UserDirectory/DeleteUsers",
        "/plumbline.user_directory.v1.UserDirectory/batchgetusers",
        "/plumbline.user_directory.v2.UserDirectory/BatchGetUsers",
    ] {
        let mut client = tonic::client::Grpc::new(channel(&url).await);
        client.ready().await.unwrap();
        let mut request = Request::new(BatchGetUsersRequest::default());
        let metadata = request.metadata_mut();
        metadata.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let codec = tonic_prost::ProstCodec::<_, BatchGetUsersRequest>::default();
        let path = http::uri::PathAndQuery::from_static(path);
        let answer = client.unary(request, path, codec).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
    }
    app.finish().await;
}

#[actix_web::test]
async fn health_says_what_readiness_says() {
    let app = TestApp::start().await;
    let (turn, turned) = tokio::sync::watch::channel(true);
    let readiness = Readiness::default().check("database", move || {
        let is_there = *turned.borrow();
        async move {
            if is_there {
                Ok(())
            } else {
                Err("away".to_owned())
            }
        }
    });
    let url = app.serve_grpc(readiness);
    let channel = channel(&url).await;
    let becomes = async |wanted: ServingStatus| {
        for service in ["", "plumbline.user_directory.v1.UserDirectory"] {
            let asked = || async {
                let request = HealthCheckRequest {
                    service: service.to_owned(),
                };
                let answer = HealthClient::new(channel.clone())
                    .check(request)
                    .await
                    .ok()?;
                (answer.into_inner().status() == wanted).then_some(())
            };
            eventually("the status changes", asked).await;
        }
    };
    becomes(ServingStatus::Serving).await;
    turn.send(false).unwrap();
    becomes(ServingStatus::NotServing).await;
    turn.send(true).unwrap();
    becomes(ServingStatus::Serving).await;
    app.finish().await;
}

#[actix_web::test]
async fn a_disabled_program_gets_no_new_token() {
    let app = TestApp::start().await;
    app.store
        .execute("UPDATE service_accounts SET disabled_at = created_at")
        .await;
    let tokens = app.service.service_tokens(GATEWAY, GATEWAY_SECRET);
    let directory = Directory::in_process(app.service.directory(), tokens);
    let error = directory.people([Uuid::nil().into()]).await.unwrap_err();
    assert!(matches!(error, DirectoryError::Token(_)), "{error:?}");
    app.finish().await;
}
