//! What comes from PyPI, in virtual environments beside the build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::environment::PYTHON;

use crate::command::{Failure, execute};
use crate::workspace;

/// Names what is wanted. A copy in the environment says that all of it is there.
const REQUIREMENTS: &str = "requirements.txt";

/// Installs the packages unless the same are there already, and returns the variable that names
/// their interpreter. `None`, said on standard error, where there is no Python that can make a
/// virtual environment.
///
/// # Errors
/// When pip fails, or a file can't be written.
pub async fn ensure() -> Result<Option<(&'static str, String)>, Failure> {
    let interpreter = install("crates/testkit/python", "python", "tests that need Python").await?;
    Ok(interpreter.map(|interpreter| (PYTHON, interpreter.display().to_string())))
}

/// Installs what the requirements in a folder of ours name into a folder of the build's, unless it
/// is there already, and returns its interpreter. `None`, said on standard error with what is
/// `left_out`, where there is no Python that can make a virtual environment.
///
/// # Errors
/// When pip fails, or a file can't be written.
pub async fn install(
    requirements: &str,
    folder: &str,
    left_out: &str,
) -> Result<Option<PathBuf>, Failure> {
    if !can_make_environments() {
        eprintln!("LEFT OUT: {left_out}: there is no python3 with venv here");
        return Ok(None);
    }
    let wanted = workspace::root().join(requirements).join(REQUIREMENTS);
    let folder = workspace::metadata()?.target_directory.join(folder);
    let interpreter = folder.join("bin/python");
    let installed = folder.join(REQUIREMENTS);
    let read = |path: &Path| fs::read(path);
    let requirements = read(&wanted).map_err(|source| file(&wanted, source))?;
    if !read(&installed).is_ok_and(|installed| installed == requirements) {
        let mut venv = Command::new("python3");
        execute(venv.args(["-m", "venv", "--clear"]).arg(&folder)).await?;
        let mut pip = Command::new(&interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"]);
        pip.args(["--disable-pip-version-check", "--requirement"]);
        execute(pip.arg(&wanted)).await?;
        fs::write(&installed, requirements).map_err(|source| file(&installed, source))?;
    }
    Ok(Some(interpreter))
}

/// Debian, for one, has a python3 without `ensurepip`, which `venv` needs.
fn can_make_environments() -> bool {
    let mut command = Command::new("python3");
    command.args(["-c", "import venv, ensurepip"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn file(path: &Path, source: std::io::Error) -> Failure {
    let path = PathBuf::from(path);
    Failure::File { path, source }
}
