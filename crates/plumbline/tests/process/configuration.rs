//! What is wrong with the settings is told at once, all of it, with exit code 2.

use crate::harness::{Settings, run, setting};

const INVALID: i32 = 2;

/// What is said about each key; fails unless it is said with the exit code 2.
async fn refused(arguments: &[&str], settings: &Settings) -> String {
    let ended = run(arguments, settings).await.expect_code(INVALID);
    assert_eq!(ended.stdout, "");
    let heading = "the configuration is not valid:\n";
    let problems = ended.stderr.strip_prefix(heading);
    problems
        .unwrap_or_else(|| panic!("{}", ended.stderr))
        .to_owned()
}

#[tokio::test]
async fn all_mistakes_are_told_at_once_with_key_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plumbline.toml");
    std::fs::write(&file, "[server]\nprot = 80\n[demo]\nenabled = 'yes'\n").unwrap();
    let settings = vec![
        setting("server.colour", "red"),
        setting("server.port", "many"),
        setting("server.host", "localhost"),
        setting("worker.prefetch", 100_000),
        setting("auth.hash_memory_kib", 8),
        setting("auth.database_url", "mysql://localhost"),
        setting("orders.database_url", "postgres://"),
        setting("broker.url", "amqp//localhost"),
        setting("cache.url", "redis://"),
        setting("payment.url", "http://"),
        setting("mail.url", "localhost"),
        setting("server.public_url", "shop.example"),
        setting("auth.token_secret", "short"),
        setting("log.filter", "loud=very"),
    ];
    let problems = refused(&["--config", file.to_str().unwrap()], &settings).await;
    for line in [
        "server.prot: there is no such setting. See config.default.toml",
        "demo.enabled: it must be true or false. For example true.",
        "server.colour: there is no such setting.",
        "server.port: it must be a whole number. For example 8080.",
        "server.host: invalid IP address syntax. For example \"127.0.0.1\".",
        "worker.prefetch: invalid value: integer `100000`",
        "auth.hash_memory_kib: 8 is too little. Use at least 19456.",
        "auth.database_url: it is not an address of a known kind. It begins with one of sqlite:",
        "orders.database_url: it is not a URL with a host. For example postgres://host.example.",
        "broker.url: it is not an address of a known kind.",
        "cache.url: it is not a URL with a host.",
        "payment.url: it is not a URL with a host.",
        "mail.url: it is not an address of a known kind.",
        "server.public_url: it is not an address of a known kind.",
        "auth.token_secret: ",
        "log.filter: it is not a log filter. For example info,sqlx=warn.",
    ] {
        assert!(problems.contains(line), "{line} is not in:\n{problems}");
    }
    // These, and the six secrets of development that a broker other than `memory:` refuses.
    assert_eq!(problems.lines().count(), 16 + 6, "{problems}");
}

#[tokio::test]
async fn a_file_that_can_not_be_read_is_named() {
    let problems = refused(&["--config", "/absent/plumbline.toml"], &vec![]).await;
    assert!(
        problems.contains("/absent/plumbline.toml: No such file"),
        "{problems}"
    );
}

#[tokio::test]
async fn a_role_alone_refuses_what_lives_inside_a_process() {
    for role in ["auth", "gateway", "worker"] {
        let problems = refused(&[role], &vec![]).await;
        for key in [
            "auth.database_url",
            "orders.database_url",
            "broker.url",
            "cache.url",
            "mail.url",
            "payment.url",
        ] {
            let line = format!("  {key}: it would live inside this process");
            assert!(
                problems.contains(&line),
                "{role}: {line} is not in:\n{problems}"
            );
        }
    }
}

#[tokio::test]
async fn no_role_accepts_a_development_secret() {
    let settings = vec![
        setting("auth.database_url", "postgres://127.0.0.1:1/auth"),
        setting("orders.database_url", "postgres://127.0.0.1:1/orders"),
        setting("broker.url", "amqp://127.0.0.1:1"),
        setting("cache.url", "redis://127.0.0.1:1"),
        setting("mail.url", "smtp://127.0.0.1:1"),
        setting("payment.url", "http://127.0.0.1:1"),
        setting("auth.url", "http://127.0.0.1:1"),
        setting("auth.grpc_url", "http://127.0.0.1:1"),
    ];
    for role in [&["auth"][..], &["gateway"], &["worker"], &[]] {
        let problems = refused(role, &settings).await;
        for key in [
            "auth.encryption_key",
            "auth.token_secret",
            "gateway.cursor_secret",
            "gateway.client_secret",
            "worker.client_secret",
            "payment.secret_key",
            "payment.webhook_secrets",
        ] {
            let line = format!("  {key}: this is the development secret");
            assert!(
                problems.contains(&line),
                "{role:?}: {line} is not in:\n{problems}"
            );
        }
        assert_eq!(problems.lines().count(), 7, "{problems}");
    }
}
