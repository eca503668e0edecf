//! What the tests start from npm, installed into a folder beside the build's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::environment::NODE_MODULES;

use crate::command::{Failure, execute};
use crate::workspace;

/// Names what is wanted, with the integrity of each package.
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the packages unless the same are there already, and returns the variable that names
/// their folder. `None`, said on standard error, where there is no npm.
///
/// # Errors
/// When npm fails, or a file can't be written.
pub async fn ensure() -> Result<Option<(&'static str, String)>, Failure> {
    if !["node", "npm"].into_iter().all(answers) {
        eprintln!("LEFT OUT: tests that need Node.js: there is no node or no npm here");
        return Ok(None);
    }
    let wanted = workspace::root().join("crates/testkit/npm");
    let folder = workspace::metadata()?.target_directory.join("npm");
    let modules = folder.join("node_modules");
    // Written by npm when it has finished.
    let is_complete = modules.join(".package-lock.json").exists();
    if !is_complete || !same(&wanted, &folder)? {
        fs::create_dir_all(&folder).map_err(|source| file(&folder, source))?;
        for name in MANIFESTS {
            let from = wanted.join(name);
            fs::copy(&from, folder.join(name)).map_err(|source| file(&from, source))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        execute(npm.current_dir(&folder)).await?;
    }
    Ok(Some((NODE_MODULES, modules.display().to_string())))
}

/// Whether two folders have the same manifests.
fn same(wanted: &Path, installed: &Path) -> Result<bool, Failure> {
    for name in MANIFESTS {
        let path = wanted.join(name);
        let wanted = fs::read(&path).map_err(|source| file(&path, source))?;
        if fs::read(installed.join(name)).is_ok_and(|installed| installed == wanted) {
            continue;
        }
        return Ok(false);
    }
    Ok(true)
}

fn file(path: &Path, source: io::Error) -> Failure {
    let path = PathBuf::from(path);
    Failure::File { path, source }
}

fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_manifests_are_noticed() {
        let [wanted, installed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for name in MANIFESTS {
            fs::write(wanted.path().join(name), "{}").unwrap();
        }
        assert!(!same(wanted.path(), installed.path()).unwrap());
        for name in MANIFESTS {
            fs::write(installed.path().join(name), "{}").unwrap();
        }
        assert!(same(wanted.path(), installed.path()).unwrap());
        fs::write(wanted.path().join("package-lock.json"), "{ }").unwrap();
        assert!(!same(wanted.path(), installed.path()).unwrap());
    }
}
