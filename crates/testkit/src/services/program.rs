//! Where the server programs are on this machine.

use std::path::{Path, PathBuf};

/// A program that tests need and Debian packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Postgres,
    Redis,
    RabbitMq,
    Chromium,
    Chromedriver,
}

impl Program {
    /// The servers of a distributed run.
    pub const SERVERS: [Self; 3] = [Self::Postgres, Self::Redis, Self::RabbitMq];
    /// What browser tests need.
    pub const BROWSER: [Self; 2] = [Self::Chromium, Self::Chromedriver];

    /// The program's file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis-server",
            Self::RabbitMq => "rabbitmq-server",
            Self::Chromium => "chromium",
            Self::Chromedriver => "chromedriver",
        }
    }

    /// The Debian package that brings it.
    #[must_use]
    pub fn debian_package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Redis => "redis-server",
            Self::RabbitMq => "rabbitmq-server",
            Self::Chromium => "chromium",
            Self::Chromedriver => "chromium-driver",
        }
    }

    /// Where it is: in the folders where Debian keeps what is not on `PATH`, then on `PATH`. Any
    /// Chromium will do.
    #[must_use]
    pub fn find(self) -> Option<PathBuf> {
        let aside = match self {
            Self::Postgres => newest_postgres(Path::new("/usr/lib/postgresql")),
            // The one on PATH is a wrapper that runs it as the user `rabbitmq` on system folders.
            Self::RabbitMq => Some(PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server")),
            Self::Redis | Self::Chromium | Self::Chromedriver => None,
        };
        let other_name = match self {
            Self::Chromium => Some("google-chrome"),
            Self::Postgres | Self::Redis | Self::RabbitMq | Self::Chromedriver => None,
        };
        aside
            .filter(|path| super::is_executable(path))
            .or_else(|| super::on_path(self.name()))
            .or_else(|| super::on_path(other_name?))
    }
}

/// `root` holds a folder a major version, each with `bin/postgres`.
fn newest_postgres(root: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(root).ok()?.filter_map(|entry| {
        let version: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let program = root.join(version.to_string()).join("bin/postgres");
        super::is_executable(&program).then_some((version, program))
    });
    versions.max().map(|(_, program)| program)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn install(program: &Path, mode: u32) {
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(program, "").unwrap();
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_newest_complete_postgresql_is_taken() {
        let root = tempfile::tempdir().unwrap();
        install(&root.path().join("9/bin/postgres"), 0o755);
        install(&root.path().join("15/bin/postgres"), 0o755);
        install(&root.path().join("17/bin/postgres"), 0o644); // only the client is installed
        install(&root.path().join("common/bin/postgres"), 0o755);
        assert_eq!(
            newest_postgres(root.path()),
            Some(root.path().join("15/bin/postgres"))
        );
    }

    #[test]
    fn no_postgresql_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(newest_postgres(root.path()), None);
        assert_eq!(newest_postgres(&root.path().join("absent")), None);
    }
}
