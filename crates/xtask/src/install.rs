//! Installs missing programs with apt, where that is possible without asking anybody.

use std::process::{Command, Stdio};

use testkit::services::Program;

use crate::command::{Failure, succeed};

/// Debian starts a server when it is installed, unless policy-rc.d (invoke-rc.d(8)) says 101.
/// Nobody asked for a server of the system, so it says so for as long as this takes.
const SCRIPT: &str = r#"
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
apt-get update -q
apt-get install -y -q --no-install-recommends "$@"
"#;

/// Makes sure that `programs` are there, and says what it does.
///
/// # Errors
/// When some are missing and can't be installed: the failure says what to install by hand.
pub async fn ensure(programs: &[Program]) -> Result<(), Failure> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let not_installed = |why: &str| Failure::NotInstalled {
        programs: missing.clone(),
        why: why.to_owned(),
    };
    let packages: Vec<_> = missing
        .iter()
        .map(|program| program.debian_package())
        .collect();
    let mut shell = privileged_shell().map_err(not_installed)?;
    eprintln!("+ apt-get install {}", packages.join(" "));
    shell.args(["-c", SCRIPT, "install"]).args(&packages);
    if succeed(&mut shell).await.is_err() {
        return Err(not_installed("apt-get could not install them, see above"));
    }
    match self::missing(programs) {
        missing if missing.is_empty() => Ok(()),
        programs => Err(Failure::NotInstalled {
            programs,
            why: "apt-get succeeded, and they are still not found".to_owned(),
        }),
    }
}

fn missing(programs: &[Program]) -> Vec<Program> {
    let is_missing = |program: &Program| program.find().is_none();
    programs.iter().copied().filter(is_missing).collect()
}

/// A shell that may install packages, or why there is none.
fn privileged_shell() -> Result<Command, &'static str> {
    if !answers("apt-get", &["--version"]) {
        return Err("there is no apt-get here");
    }
    if answers("sh", &["-c", r#"[ "$(id -u)" = 0 ]"#]) {
        return Ok(Command::new("sh"));
    }
    if !answers("sudo", &["-n", "true"]) {
        return Err("apt-get needs root, and sudo a password");
    }
    let mut command = Command::new("sudo");
    command.args(["-n", "sh"]);
    Ok(command)
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
