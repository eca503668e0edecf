//! `plumbline keys`, beside a service that runs.

use crate::harness::{Server, Settings, run, setting};

/// The keys in a state, as `plumbline keys list` shows them.
async fn in_state(settings: &Settings, state: &str) -> Vec<String> {
    let listed = run(&["keys", "list"], settings).await.expect_code(0).stdout;
    let keys = listed.lines().skip(1).map(|line| {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        (words[0].clone(), words[2].clone())
    });
    keys.filter_map(|(kid, its)| (its == state).then_some(kid))
        .collect()
}

#[tokio::test]
async fn keys_are_listed_rotated_retired_and_re_encrypted_while_a_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server.start("/health/ready").await;
    let first = in_state(&settings, "current").await;
    let second = in_state(&settings, "next").await;
    assert_eq!((first.len(), second.len()), (1, 1));

    let hasty = run(&["keys", "rotate"], &settings).await.expect_code(1);
    assert!(hasty.stderr.contains("--now"), "{}", hasty.stderr);
    let rotated = run(&["keys", "rotate", "--now"], &settings).await;
    assert!(rotated.expect_code(0).stdout.contains(&second[0]));
    assert_eq!(in_state(&settings, "current").await, second);
    assert_eq!(in_state(&settings, "previous").await, first);

    let refused = run(&["keys", "retire", &second[0]], &settings).await;
    let refused = refused.expect_code(1).stderr;
    assert!(refused.contains("the current key"), "{refused}");
    let retired = run(&["keys", "retire", &first[0]], &settings).await;
    retired.expect_code(0);
    assert_eq!(in_state(&settings, "retired").await, first);

    let former = "dev:ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleS4";
    let key = |name: &str| format!("{name}:{}", "A".repeat(43));
    let mut changed = settings.clone();
    changed.push(setting("auth.encryption_key", key("k2")));
    let lost = run(&["keys", "re-encrypt"], &changed).await.expect_code(1);
    assert!(lost.stdout.contains("`dev`"), "{}", lost.stdout);
    changed.push(setting("auth.former_encryption_keys", former));
    let done = run(&["keys", "re-encrypt"], &changed).await.expect_code(0);
    assert!(done.stdout.contains("can be emptied"), "{}", done.stdout);
    server.stop().await;
}
