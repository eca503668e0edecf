//! The ledger's file: one JSON [`Change`] a line, only ever appended to.
//!
//! A line is written before its change is answered. It then survives the death of the process, but,
//! since it isn't synced, not that of the machine: a double's money needs no more.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use crate::ledger::{Change, Ledger};

/// Longer than any line that is ever written; a longer one is not a journal's.
const MAX_LINE_BYTES: u64 = 256 * 1024;

/// A journal with fewer superfluous lines than this isn't worth rewriting.
const MIN_SUPERFLUOUS_LINES: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal {} can't be used", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the journal {} is in use by another process", .0.display())]
    InUse(PathBuf),
    #[error("line {line} of the journal {} can't be read: move the file away to start anew", .path.display())]
    Corrupt {
        path: PathBuf,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
}

#[derive(Debug)]
pub(crate) struct Journal {
    /// `None` after a failure that may have left half a line at the end.
    file: Option<File>,
    /// Up to the end of the last whole line.
    length: u64,
}

impl Journal {
    /// Opens the file, made if need be, and replays it into an empty ledger. What a kill left of a last line is cut off:
    /// its change was never answered.
    pub fn open(path: &Path, mut ledger: Ledger) -> Result<(Self, Ledger), JournalError> {
        let io_error = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(io_error)?;
        lock(&file, path)?;
        let replayed = replay(&file, path, &mut ledger)?;
        file.set_len(replayed.length).map_err(io_error)?;
        if replayed.lines > 2 * ledger.snapshot_len() + MIN_SUPERFLUOUS_LINES {
            let journal = rewrite(path, &ledger).map_err(io_error)?;
            return Ok((journal, ledger));
        }
        let journal = Self {
            file: Some(file),
            length: replayed.length,
        };
        Ok((journal, ledger))
    }

    pub fn append(&mut self, change: &Change) -> io::Result<()> {
        let line = line(change)?;
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if let Err(error) = file.write_all(&line) {
            // Half a line would make one with the next: cut it off, or write no more.
            if file.set_len(self.length).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

struct Replayed {
    lines: usize,
    length: u64,
}

fn replay(file: &File, path: &Path, ledger: &mut Ledger) -> Result<Replayed, JournalError> {
    let mut reader = BufReader::new(file);
    let mut replayed = Replayed {
        lines: 0,
        length: 0,
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(|source| JournalError::Io {
                path: path.to_owned(),
                source,
            })?;
        let is_torn = line.last() != Some(&b'\n');
        if is_torn && (read as u64) < MAX_LINE_BYTES {
            return Ok(replayed);
        }
        let change = serde_json::from_slice(&line).map_err(|source| JournalError::Corrupt {
            path: path.to_owned(),
            line: replayed.lines + 1,
            source,
        })?;
        ledger.apply(change);
        replayed.lines += 1;
        replayed.length += read as u64;
    }
}

/// Replaces the file by the shortest one with the same ledger.
fn rewrite(path: &Path, ledger: &Ledger) -> io::Result<Journal> {
    let mut temporary = path.to_owned().into_os_string();
    temporary.push(".new");
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&temporary)?;
    // Only who holds the lock on the journal comes here, so this one is free.
    file.lock()?;
    file.set_len(0)?;
    let mut writer = BufWriter::new(file);
    for change in ledger.snapshot() {
        writer.write_all(&line(&change)?)?;
    }
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    // The rename must not overtake the contents.
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    let length = file.metadata()?.len();
    Ok(Journal {
        file: Some(file),
        length,
    })
}

fn line(change: &Change) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(change)?;
    line.push(b'\n');
    Ok(line)
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::InUse(path.to_owned()),
        TryLockError::Error(source) => JournalError::Io {
            path: path.to_owned(),
            source,
        },
    })
}
