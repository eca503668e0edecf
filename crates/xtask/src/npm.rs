//! What comes from npm, installed into folders beside the build's.

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
    let modules = install("crates/testkit/npm", "npm", "tests that need Node.js").await?;
    Ok(modules.map(|modules| (NODE_MODULES, modules.display().to_string())))
}

/// Installs what the manifests of a folder of ours name into a folder of the build's, unless it is
/// there already, and returns its `node_modules`. `None`, said on standard error with what is
/// `left_out`, where there is no npm.
///
/// # Errors
/// When npm fails, or a file can't be written.
pub async fn install(
    manifests: &str,
    folder: &str,
    left_out: &str,
) -> Result<Option<PathBuf>, Failure> {
    if !["node", "npm"].into_iter().all(answers) {
        eprintln!("LEFT OUT: {left_out}: there is no node or no npm here");
        return Ok(None);
    }
    let wanted = workspace::root().join(manifests);
    let folder = workspace::metadata()?.target_directory.join(folder);
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
    Ok(Some(modules))
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
