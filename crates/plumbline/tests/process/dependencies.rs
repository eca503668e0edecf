//! A database or broker that is not there at the start.

use testkit::{ports, process::Signal, readiness};

use crate::harness::{Distributed, PATIENCE, Server, own_secrets, run, services, setting};

#[tokio::test]
async fn a_database_that_is_away_is_waited_for_and_then_named() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", ports::free_port().unwrap());
    let url = format!("postgres://plumbline:hunter2@{address}/orders");
    let settings = vec![setting("orders.database_url", url)];
    let mut server = Server::new("plumbline", &["--ephemeral"], &settings, folder.path());
    server
        .start_until_it_says("PostgreSQL is not there yet")
        .await;
    // A client is refused rather than left hanging.
    assert!(!readiness::tcp(server.port()).await);
    assert_eq!(server.ended(PATIENCE).await, Some(1));
    let output = server.output();
    let message = format!(
        "plumbline: can't connect to the orders database: no PostgreSQL answers at {address}: "
    );
    assert!(output.contains(&message), "{output}");
    assert!(output.contains("Connection refused"), "{output}");
    assert!(!output.contains("hunter2"), "{output}");
}

#[tokio::test]
async fn a_signal_ends_the_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free_port().unwrap();
    let url = format!("postgres://127.0.0.1:{port}/orders");
    let settings = vec![
        setting("storage.data_dir", folder.path().display()),
        setting("orders.database_url", url),
    ];
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server
        .start_until_it_says("PostgreSQL is not there yet")
        .await;
    server.signal(Signal::INT);
    assert_eq!(server.ended(PATIENCE).await, Some(0));
    assert!(!server.output().contains("can't connect"));
}

#[tokio::test]
async fn a_broker_that_is_away_is_waited_for_and_then_named() {
    let address = format!("127.0.0.1:{}", ports::free_port().unwrap());
    let mut settings = own_secrets();
    settings.push(setting("server.port", 0));
    settings.push(setting(
        "broker.url",
        format!("amqp://plumbline:hunter2@{address}"),
    ));
    let ended = run(&["--ephemeral"], &settings).await.expect_code(1);
    let message = format!("plumbline: can't connect to the broker at {address}: ");
    assert!(ended.stderr.contains(&message), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_role_asks_for_the_migration_of_its_database() {
    let Some(urls) = services("a role before its migrations") else {
        return;
    };
    let distributed = Distributed::new(&urls).await;
    let mut settings = distributed.settings.clone();
    settings.push(setting("payment.url", "https://payment.example"));
    settings.push(setting("auth.url", "http://127.0.0.1:1"));
    settings.push(setting("auth.grpc_url", "http://127.0.0.1:1"));
    for (role, context) in [
        ("auth", "auth"),
        ("gateway", "orders"),
        ("worker", "orders"),
    ] {
        let ended = run(&[role], &settings).await.expect_code(1);
        let message = format!("plumbline: the {context} database lacks ");
        assert!(ended.stderr.contains(&message), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("run `plumbline migrate up`"),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_not_waited_for() {
    let Some(urls) = services("a role without its database") else {
        return;
    };
    let (server, _) = urls.postgres.rsplit_once('/').unwrap();
    let settings = vec![
        setting("server.port", 0),
        setting("orders.database_url", format!("{server}/there_is_none")),
    ];
    let ended = run(&["--ephemeral"], &settings).await.expect_code(1);
    assert!(
        ended
            .stderr
            .contains("database \"there_is_none\" does not exist"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("not there yet"), "{}", ended.stderr);
}
