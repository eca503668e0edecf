//! The executable, running or run to its end.

use std::{path::Path, process::Command, time::Duration};

use testkit::{
    ports,
    process::{ServerProcess, Signal},
    readiness,
};
use tokio::time::timeout;

/// The longest that a test waits for a process, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Variables of the environment that override `config.default.toml`.
pub type Settings = Vec<(String, String)>;

/// `server.port` as the variable `PLUMBLINE__SERVER__PORT`.
pub fn setting(key: &str, value: impl ToString) -> (String, String) {
    let name = format!("PLUMBLINE__{}", key.to_uppercase().replace('.', "__"));
    (name, value.to_string())
}

/// The executable with these settings, and none that our own environment may have.
fn plumbline(arguments: &[&str], settings: &Settings) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLUMBLINE__") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(settings.iter().cloned());
    command
}

/// How a command ended.
pub struct Ended {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Fails, showing what the command said, unless it ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "{stdout}\n{stderr}");
        self
    }
}

/// Runs a command that ends by itself.
pub async fn run(arguments: &[&str], settings: &Settings) -> Ended {
    let mut command = tokio::process::Command::from(plumbline(arguments, settings));
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await;
    let output = output.expect("it never ends").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Asks again and again until the answer is yes.
pub async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let asking = async { while !is_so().await {} };
    let answer = timeout(PATIENCE, asking).await;
    assert!(answer.is_ok(), "{what} never happens");
}

/// A process that serves HTTP on a port of its own, the same over restarts.
pub struct Server {
    port: u16,
    process: ServerProcess,
}

impl Server {
    /// Not started yet. What it writes is appended to `<name>.log` in `folder`.
    pub fn new(name: &str, arguments: &[&str], settings: &Settings, folder: &Path) -> Self {
        let port = ports::free_port().unwrap();
        Self::on_port(port, name, arguments, settings, folder)
    }

    pub fn on_port(
        port: u16,
        name: &str,
        arguments: &[&str],
        settings: &Settings,
        folder: &Path,
    ) -> Self {
        let mut command = plumbline(arguments, settings);
        command.envs([setting("server.port", port)]);
        let process = ServerProcess::new(name, command, folder.join(format!("{name}.log")));
        Self { port, process }
    }

    /// `plumbline payment-double`, which listens where `--bind` says.
    pub fn payment_double(webhook_url: &str, settings: &Settings, folder: &Path) -> Self {
        let port = ports::free_port().unwrap();
        let bind = format!("127.0.0.1:{port}");
        let arguments = [
            "payment-double",
            "--bind",
            &bind,
            "--webhook-url",
            webhook_url,
        ];
        let command = plumbline(&arguments, settings);
        let process = ServerProcess::new("double", command, folder.join("double.log"));
        Self { port, process }
    }

    /// Starts it, stopping it first if it runs, and waits until `path` answers 200.
    pub async fn start(&mut self, path: &str) {
        let port = self.port;
        let answers = async || readiness::http(port, path).await;
        self.process.start(PATIENCE, answers).await.unwrap();
    }

    /// Starts it and waits until it has written `words` once more.
    pub async fn start_until_it_says(&mut self, words: &str) {
        let log = self.process.log().to_owned();
        let count =
            move || std::fs::read_to_string(&log).map_or(0, |log| log.matches(words).count());
        let before = count();
        self.process
            .start(PATIENCE, async || count() > before)
            .await
            .unwrap();
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that it has written since its first start.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.process.log()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// The exit code, when it has ended by itself or because of a signal.
    pub async fn ended(&mut self, patience: Duration) -> Option<i32> {
        self.process.ended(patience).await.unwrap().code()
    }

    /// Stops it in good order.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended(PATIENCE).await, Some(0), "{}", self.output());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
