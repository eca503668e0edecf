//! The edge proxy before the gateways: nginx with the configuration that is deployed, in which
//! only addresses and folders are others.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use testkit::process::ServerProcess;
use testkit::{ports, readiness};

use crate::command::Failure;
use crate::load::launcher::url;
use crate::load::system::System;
use crate::workspace;

const PROGRAM: &str = "nginx";
/// Under the workspace's root.
const CONFIGURATION: &str = "deploy/edge/nginx.conf";
const PATIENCE: Duration = Duration::from_secs(10);

/// A running edge. It ends with this value.
#[derive(Debug)]
pub struct Edge {
    port: u16,
    process: ServerProcess,
    _folder: TempDir,
}

/// Whether there is an nginx on this machine.
pub fn is_installed() -> bool {
    let mut version = Command::new(PROGRAM);
    version
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

impl Edge {
    /// Starts it before the system's auth and gateways, and waits until it passes a request on.
    ///
    /// # Errors
    /// When nginx refuses the configuration, or no gateway is ready.
    pub async fn start(system: &System) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("plumbline-edge-")
            .tempdir()?;
        // Its workers are not root, if it is.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
        let port = ports::free_port()?;
        let deployed = std::fs::read_to_string(workspace::root().join(CONFIGURATION))?;
        let configuration = adapted(
            &deployed,
            folder.path(),
            port,
            &address(&system.auth_url),
            &system.gateway_urls(),
        )?;
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration)?;
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(&file).arg("-p").arg(folder.path());
        command.args(["-e", "stderr", "-g", "daemon off;"]);
        let log = workspace::metadata()?
            .target_directory
            .join("drill/logs/edge.log");
        let mut process = ServerProcess::new(PROGRAM, command, log);
        let ready = async || readiness::http(port, "/health/ready").await;
        process.start(PATIENCE, ready).await?;
        Ok(Self {
            port,
            process,
            _folder: folder,
        })
    }

    pub fn url(&self) -> String {
        url(self.port)
    }

    /// # Errors
    /// When it can't be waited for.
    pub async fn stop(mut self) -> Result<(), Failure> {
        Ok(self.process.stop().await?)
    }
}

/// `host:port` of an origin.
fn address(origin: &str) -> String {
    origin.trim_start_matches("http://").to_owned()
}

/// The deployed configuration for this machine. What is replaced must be there, so that a change of
/// the file is noticed.
fn adapted(
    deployed: &str,
    folder: &Path,
    port: u16,
    auth: &str,
    gateways: &[String],
) -> Result<String, Failure> {
    // Names need Docker's resolver; `resolve` itself needs nginx 1.27.3.
    const REPLICAS: &str = "resolve max_fails=0;";
    const REPLICA: &str = "max_fails=0;";
    let folder = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("    {name}_temp_path {folder}/{name};\n"));
    let gateways = gateways.iter().map(|gateway| address(gateway));
    let gateways: Vec<_> = gateways
        .map(|at| format!("server {at} {REPLICA}"))
        .collect();
    let changes = [
        ("pid /run/nginx.pid;", format!("pid {folder}/nginx.pid;")),
        ("http {\n", format!("http {{\n{}", temporary.concat())),
        (
            "access_log /dev/stdout json;",
            format!("access_log {folder}/access.log json;"),
        ),
        ("resolver 127.0.0.11 valid=2s ipv6=off;", String::new()),
        (
            &format!("server auth:8080 {REPLICAS}"),
            format!("server {auth} {REPLICA}"),
        ),
        (
            &format!("server gateway:8080 {REPLICAS}"),
            gateways.join("\n        "),
        ),
        ("listen 8080;", format!("listen 127.0.0.1:{port};")),
    ];
    changes
        .into_iter()
        .try_fold(deployed.to_owned(), |text, (from, to)| {
            if text.matches(from).count() == 1 {
                Ok(text.replace(from, &to))
            } else {
                Err(Failure::Drill(format!(
                    "{CONFIGURATION} does not have `{from}` once"
                )))
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deployed_configuration_is_the_one_that_is_drilled() {
        let deployed = std::fs::read_to_string(workspace::root().join(CONFIGURATION)).unwrap();
        let gateways = [url(1), url(2)];
        let text = adapted(&deployed, Path::new("/here"), 9, "127.0.0.1:3", &gateways).unwrap();
        for part in [
            "server 127.0.0.1:1 max_fails=0;",
            "server 127.0.0.1:2 max_fails=0;",
            "server 127.0.0.1:3 max_fails=0;",
            "listen 127.0.0.1:9;",
            "proxy_temp_path /here/proxy;",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains(":8080"), "{text}");
        assert!(adapted("", Path::new("/here"), 9, "a", &gateways).is_err());
    }
}
