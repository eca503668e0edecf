use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn server(script: &str, folder: &tempfile::TempDir) -> ServerProcess {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder.path());
    ServerProcess::new("example", command, folder.path().join("example.log"))
}

fn is_alive(process_id: u32) -> bool {
    Path::new("/proc").join(process_id.to_string()).exists()
}

#[tokio::test]
async fn a_server_starts_stops_and_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("started");
    let mut server = server("touch started; exec sleep 1000", &folder);
    for _ in 0..2 {
        server
            .start(PATIENCE, async || mark.exists())
            .await
            .unwrap();
        let id = server.id().unwrap();
        assert!(is_alive(id));
        server.stop().await.unwrap();
        assert!(!is_alive(id));
        assert_eq!(server.id(), None);
        std::fs::remove_file(&mark).unwrap();
    }
}

#[tokio::test]
async fn a_server_that_ends_while_starting_is_reported_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server("echo the port is taken >&2; exit 3", &folder);
    let error = server.start(PATIENCE, async || false).await.unwrap_err();
    assert!(matches!(error, ProcessError::EndedEarly { .. }));
    assert!(error.to_string().contains("the port is taken"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_never_ready_is_ended_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server("exec sleep 1000", &folder);
    let error = server
        .start(Duration::ZERO, async || false)
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::NotReady { .. }));
    assert_eq!(server.id(), None);
}

#[tokio::test]
async fn the_end_after_a_signal_is_waited_for_with_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ready");
    let mut server = server(
        "trap 'exit 3' TERM; touch ready; while :; do sleep 0.01; done",
        &folder,
    );
    server
        .start(PATIENCE, async || mark.exists())
        .await
        .unwrap();
    let error = server.ended(Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, ProcessError::StillRunning { .. }));
    server.signal(Signal::TERM);
    assert_eq!(server.ended(PATIENCE).await.unwrap().code(), Some(3));
}

#[tokio::test]
async fn a_missing_program_is_reported_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut server = ServerProcess::new("example", Command::new("/absent/program"), log);
    let error = server.start(PATIENCE, async || true).await.unwrap_err();
    assert!(
        error.to_string().starts_with("cannot start example"),
        "{error}"
    );
}

#[tokio::test]
async fn dropping_a_server_ends_it_and_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let child = folder.path().join("child");
    let mut server = server("sleep 1000 & echo $! > child; wait", &folder);
    let read_id = || {
        std::fs::read_to_string(&child)
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    };
    server
        .start(PATIENCE, async || read_id().is_some())
        .await
        .unwrap();
    let (parent, child) = (server.id().unwrap(), read_id().unwrap());
    drop(server);
    assert!(!is_alive(parent));
    wait_until_gone(child);
}

#[tokio::test]
async fn a_program_runs_to_its_end_with_its_status() {
    let status = run_to_end(Command::new("sh").args(["-c", "exit 3"])).await;
    assert_eq!(status.unwrap().code(), Some(3));
}

#[tokio::test]
async fn an_abandoned_program_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let id = folder.path().join("id");
    let read_id = || {
        std::fs::read_to_string(&id)
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    };
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > id; exec sleep 1000"]);
    let started = async {
        while read_id().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run_to_end(command.current_dir(folder.path())) => panic!("it ended on its own"),
        () = started => {}
    }
    assert!(!is_alive(read_id().unwrap()));
}

/// An orphan is reaped by init, a moment after it was killed.
fn wait_until_gone(process_id: u32) {
    let started = Instant::now();
    while is_alive(process_id) && !is_zombie(process_id) {
        assert!(
            started.elapsed() < PATIENCE,
            "process {process_id} is still there"
        );
        std::thread::yield_now();
    }
}

fn is_zombie(process_id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| stat.contains(") Z "))
}
