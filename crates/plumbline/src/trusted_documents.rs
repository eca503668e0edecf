//! `plumbline trusted-documents`: the documents that clients may name by their id, one file each,
//! named by the SHA-256 of its text. To withdraw one, delete its file.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use gateway::graphql::{
    DocumentHash, Rejection, check_document,
    trusted::{Trust, TrustedDocuments},
};

use crate::settings::{self, Settings};

const EXTENSION: &str = "graphql";
/// They are kept in memory.
const MAX_DOCUMENTS: usize = 10_000;

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check documents against the schema and the limits, and register them. Prints their ids.
    Add {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show the id and the operations of each registered document.
    List,
}

#[derive(Debug, thiserror::Error)]
pub enum TrustedDocumentsFailed {
    #[error("can't read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("can't write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not executed by this gateway", .path.display())]
    Refused { path: PathBuf, source: Rejection },
    #[error("{} does not hold the document that its name says; register it anew", .path.display())]
    Altered { path: PathBuf },
    #[error("there are more than {MAX_DOCUMENTS} trusted documents")]
    TooMany,
}

/// What the command has to say.
pub(crate) fn run(
    settings: &Settings,
    command: &Command,
) -> Result<String, TrustedDocumentsFailed> {
    let graphql = &settings.gateway.graphql;
    let mut text = String::new();
    match command {
        Command::Add { files } => {
            for file in files {
                let id = add(graphql, file)?;
                let _ = writeln!(text, "{id}  {}", file.display());
            }
        }
        Command::List => {
            for document in read_all(graphql)? {
                let id = DocumentHash::of(&document);
                // The schema may have changed since it was registered.
                let operations = match check_document(&document, graphql.limits()) {
                    Ok(names) => names
                        .into_iter()
                        .map(|name| name.unwrap_or_else(|| "(anonymous)".to_owned()))
                        .collect::<Vec<_>>()
                        .join(", "),
                    Err(rejection) => format!("refused: {rejection}"),
                };
                let _ = writeln!(text, "{id}  {operations}");
            }
        }
    }
    Ok(text)
}

/// The registered documents, if they are for anything.
pub(crate) fn load(
    settings: &settings::Graphql,
) -> Result<TrustedDocuments, TrustedDocumentsFailed> {
    let trust = match settings.trusted_documents {
        settings::Trust::Off => return Ok(TrustedDocuments::default()),
        settings::Trust::Also => Trust::Also,
        settings::Trust::Only => Trust::Only,
    };
    Ok(TrustedDocuments::new(trust, read_all(settings)?))
}

fn add(settings: &settings::Graphql, file: &Path) -> Result<DocumentHash, TrustedDocumentsFailed> {
    let text = read(file)?;
    check_document(&text, settings.limits()).map_err(|source| TrustedDocumentsFailed::Refused {
        path: file.to_owned(),
        source,
    })?;
    let id = DocumentHash::of(&text);
    let folder = Path::new(&settings.trusted_documents_dir);
    let path = folder.join(file_name(id));
    let write = || {
        fs::create_dir_all(folder)?;
        // A gateway that starts meanwhile sees all of it or nothing.
        let unfinished = path.with_extension("new");
        fs::write(&unfinished, &text)?;
        fs::rename(&unfinished, &path)
    };
    match write() {
        Ok(()) => Ok(id),
        Err(source) => Err(TrustedDocumentsFailed::Write { path, source }),
    }
}

fn file_name(id: DocumentHash) -> String {
    let id = id.to_string();
    let digits = id.strip_prefix("sha256:").unwrap_or(&id);
    format!("{digits}.{EXTENSION}")
}

/// Every document, by id. A folder that is not there is empty.
fn read_all(settings: &settings::Graphql) -> Result<Vec<String>, TrustedDocumentsFailed> {
    let folder = Path::new(&settings.trusted_documents_dir);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            let path = folder.to_owned();
            return Err(TrustedDocumentsFailed::Read { path, source });
        }
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == EXTENSION)
        })
        .collect();
    if paths.len() > MAX_DOCUMENTS {
        return Err(TrustedDocumentsFailed::TooMany);
    }
    paths.sort();
    let documents = paths.into_iter().map(|path| {
        let text = read(&path)?;
        let name = file_name(DocumentHash::of(&text));
        if path.file_name().is_some_and(|found| found == name.as_str()) {
            Ok(text)
        } else {
            Err(TrustedDocumentsFailed::Altered { path })
        }
    });
    documents.collect()
}

fn read(path: &Path) -> Result<String, TrustedDocumentsFailed> {
    fs::read_to_string(path).map_err(|source| TrustedDocumentsFailed::Read {
        path: path.to_owned(),
        source,
    })
}
