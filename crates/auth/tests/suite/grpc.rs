//! The user directory over gRPC, on loopback and in process.

use chrono::TimeDelta;
use kernel::{
    Role, UserId,
    page::{Direction, Key, PageRequest},
};
use service_kit::health::Readiness;
use tonic::{Code, Request, codegen::http, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use user_directory::{
    AuditFilter, Directory, DirectoryError, MAX_IDS, MAX_MESSAGE, Person,
    v1::{
        BatchGetUsersRequest, ListAuditEventsRequest, ListUsersRequest, Page,
        user_directory_client::UserDirectoryClient,
    },
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

/// A directory that a program with these scopes calls.
async fn directory_for(app: &TestApp, scopes: &[&str]) -> Directory {
    let admin = app.admin_token().await;
    let audience = user_directory::AUDIENCE;
    let (id, secret) = app.create_program(&admin, "lister", audience, scopes).await;
    let tokens = app.service.service_tokens(&id, &secret);
    Directory::in_process(app.service.directory(), tokens)
}

fn page(size: i64, direction: Direction, from: Option<Key>) -> PageRequest {
    PageRequest::new(size, direction, from).unwrap()
}

fn emails(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.email.as_str()).collect()
}

#[actix_web::test]
async fn people_are_listed_both_ways_and_who_has_left_is_not() {
    let app = TestApp::start().await;
    let addresses: Vec<_> = (0..7).map(|n| format!("c{n}@example.com")).collect();
    for address in &addresses {
        app.clock.advance(TimeDelta::seconds(1));
        app.seed(address, Role::Customer).await;
    }
    let directory = directory_for(&app, &["users:list"]).await;
    app.store
        .execute("UPDATE users SET deleted_at = created_at WHERE email = 'c3@example.com'")
        .await;
    app.store
        .execute("UPDATE users SET disabled_at = created_at WHERE email = 'c5@example.com'")
        .await;
    let customers = Some(Role::Customer);
    let list = async |request| directory.list_people(None, customers, request).await;

    let first = list(page(4, Direction::Forward, None)).await.unwrap();
    let expected = ["c0", "c1", "c2", "c4"].map(|name| format!("{name}@example.com"));
    assert_eq!(emails(&first.items), expected);
    assert!(first.has_next && !first.has_previous);
    let last = first.items[3].key();
    let second = list(page(4, Direction::Forward, Some(last))).await.unwrap();
    assert_eq!(emails(&second.items), ["c5@example.com", "c6@example.com"]);
    assert!(!second.has_next && second.has_previous);
    assert!(second.items[0].disabled_at.is_some() && second.items[0].email_verified);
    let back = page(2, Direction::Backward, Some(second.items[0].key()));
    let back = list(back).await.unwrap();
    assert_eq!(emails(&back.items), ["c2@example.com", "c4@example.com"]);
    assert!(back.has_next && back.has_previous);

    let everybody = page(100, Direction::Forward, None);
    let found = directory.list_people(Some("C6"), None, everybody).await;
    assert_eq!(emails(&found.unwrap().items), ["c6@example.com"]);
    let admins = directory.list_people(None, Some(Role::Admin), everybody);
    assert_eq!(admins.await.unwrap().items.len(), 1);
    app.finish().await;
}

#[actix_web::test]
async fn the_audit_log_is_listed_newest_first_and_filtered() {
    let app = TestApp::start().await;
    let ada = id_of(&app, EMAIL).await;
    let directory = directory_for(&app, &["audit:list"]).await;
    let log = async |filter, request| {
        let page = directory.list_audit_events(filter, request).await;
        page.unwrap().items
    };
    let all = log(AuditFilter::default(), page(100, Direction::Forward, None)).await;
    assert!(all.is_sorted_by(|newer, older| newer.id > older.id));
    let oldest = page(1, Direction::Backward, None);
    let oldest = log(AuditFilter::default(), oldest).await;
    assert_eq!(oldest[0], all[all.len() - 1]);
    let filter = AuditFilter {
        actor_id: Some(ada.as_uuid()),
        target_id: None,
        action: Some("session.created".to_owned()),
    };
    let found = log(filter, page(100, Direction::Forward, None)).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].details["amr"], serde_json::json!(["pwd"]));
    assert_eq!(found[0].target_kind, "session");
    app.finish().await;
}

#[actix_web::test]
async fn lists_have_a_scope_of_their_own_and_bounds() {
    let app = TestApp::start().await;
    let url = app.serve_grpc(Readiness::default());
    let admin = app.admin_token().await;
    let audience = user_directory::AUDIENCE;
    let both = ["users:list", "audit:list"];
    let lister = app.create_program(&admin, "lister", audience, &both).await;
    let lister = app.service_token((&lister.0, &lister.1)).await;
    let gateway = app.service_token((GATEWAY, GATEWAY_SECRET)).await;
    let call = async |token: &str, limit, from: Option<&str>| {
        let page = Some(Page {
            limit,
            from: from.map(str::to_owned),
            backward: false,
        });
        let mut client = UserDirectoryClient::new(channel(&url).await);
        let mut users = Request::new(ListUsersRequest {
            page: page.clone(),
            ..ListUsersRequest::default()
        });
        let mut events = Request::new(ListAuditEventsRequest {
            page,
            ..ListAuditEventsRequest::default()
        });
        let bearer: tonic::metadata::AsciiMetadataValue =
            format!("Bearer {token}").parse().unwrap();
        users.metadata_mut().insert("authorization", bearer.clone());
        events.metadata_mut().insert("authorization", bearer);
        let users = client.list_users(users).await;
        let events = client.list_audit_events(events).await;
        [
            users.map_or_else(|status| status.code(), |_| Code::Ok),
            events.map_or_else(|status| status.code(), |_| Code::Ok),
        ]
    };
    assert_eq!(call(&gateway, 1, None).await, [Code::PermissionDenied; 2]);
    for (limit, from, code) in [
        (1, None, Code::Ok),
        (101, None, Code::Ok),
        (0, None, Code::InvalidArgument),
        (102, None, Code::InvalidArgument),
        (1, Some("' OR 1=1 --"), Code::InvalidArgument),
    ] {
        let answered = call(&lister, limit, from).await;
        assert_eq!(answered, [code; 2], "{limit} {from:?}");
    }
    app.finish().await;
}
