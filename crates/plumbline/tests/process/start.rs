//! Starting, and what is still there after a restart.

use std::net::TcpListener;

use serde_json::{Value, json};
use testkit::{http::Client, process::Signal};

use crate::harness::{DEMO_PASSWORD, PATIENCE, Server, Shop, eventually, log_in, run, setting};

const PASSWORD: &str = "plumb lines hang straight";

#[tokio::test]
async fn the_banner_names_addresses_modes_and_log_ins() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server.start_until_it_says("Stop       Ctrl-C").await;
    let output = server.output();
    let url = format!("http://localhost:{}", server.port());
    for words in [
        &format!("Console    {url}/"),
        &format!("GraphiQL   {url}/graphql"),
        &format!("{url}/docs and {url}/auth/docs"),
        "auth sqlite, orders sqlite, broker memory, cache memory",
        "customer@example.com, support@example.com, admin@example.com",
        DEMO_PASSWORD,
    ] {
        assert!(output.contains(words), "{words} is not in:\n{output}");
    }
    // What it names answers.
    let client = Client::new(server.url());
    for path in [
        "/",
        "/docs/",
        "/auth/docs/",
        "/dev/mailbox",
        "/metrics",
        "/health/ready",
    ] {
        let _ = client.get(path).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_taken_port_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let settings = vec![
        setting("storage.data_dir", data_dir.display()),
        setting("server.port", port),
    ];
    let ended = run(&[], &settings).await.expect_code(1);
    let message = format!(
        "plumbline: can't listen on 127.0.0.1:{port}: the port is taken; choose another with --port"
    );
    assert!(ended.stderr.contains(&message), "{}", ended.stderr);
    assert!(!data_dir.exists());

    let bind = format!("127.0.0.1:{port}");
    let double = run(&["payment-double", "--bind", &bind], &vec![]).await;
    let double = double.expect_code(1);
    assert!(double.stderr.contains(&bind), "{}", double.stderr);
}

#[tokio::test]
async fn ephemeral_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let count = || std::fs::read_dir(&temporary).unwrap().count();
    let settings = vec![("TMPDIR".to_owned(), temporary.display().to_string())];
    let mut server = Server::new("plumbline", &["--ephemeral"], &settings, folder.path());
    for signal in [Signal::INT, Signal::TERM] {
        server.start("/health/ready").await;
        assert_eq!(count(), 1);
        server.signal(signal);
        assert_eq!(server.ended(PATIENCE).await, Some(0));
        assert_eq!(count(), 0);
    }
}

#[tokio::test]
async fn users_sessions_and_orders_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server.start("/health/ready").await;
    let client = Client::new(server.url());
    let session = register(&client, "ada@example.com").await;
    let shop = Shop::open(&server.url(), &server.url()).await;
    let order_id = shop.place("before-the-restart", "pm_card_visa").await;
    let _ = shop.ends(std::slice::from_ref(&order_id)).await;

    server.stop().await;
    server.start("/health/ready").await;
    let _ = log_in(&client, "ada@example.com", PASSWORD).await;
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let answer = client.post("/auth/v1/tokens/refresh", &refresh).await;
    let refreshed: Value = answer.expect_status(200).json();
    // Signed by the key of before, and by that of now, which must be the same.
    for tokens in [&session, &refreshed] {
        let token = tokens["access_token"].as_str().unwrap();
        let me: Value = client.with_bearer(token).get("/auth/v1/me").await.json();
        assert_eq!(me["email"], "ada@example.com");
    }
    assert_eq!(shop.status(&order_id).await, "CONFIRMED");
}

/// A new user, confirmed with the token of the mail, and logged in.
async fn register(client: &Client, email: &str) -> Value {
    let user = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
    let _ = client
        .post("/auth/v1/users", &user)
        .await
        .expect_status(202);
    let path = format!("/dev/mailbox?to={email}");
    let token = async || {
        let mailbox: Value = client.get(&path).await.json();
        let token = mailbox["mails"][0]["token"].as_str();
        token.map(str::to_owned)
    };
    // The mail is sent after the answer.
    eventually("a mail", async || token().await.is_some()).await;
    let token = token().await;
    let confirmed = client
        .post(
            "/auth/v1/email-verifications/confirm",
            &json!({ "token": token }),
        )
        .await;
    let _ = confirmed.expect_status(204);
    log_in(client, email, PASSWORD).await
}
