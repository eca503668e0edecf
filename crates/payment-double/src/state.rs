use std::io;

use serde::Serialize;

use crate::{
    Behaviour,
    journal::Journal,
    ledger::{Change, Ledger},
};

/// All that changes while the double runs.
pub(crate) struct State {
    pub ledger: Ledger,
    pub storage: Storage,
    pub behaviour: Behaviour,
    pub webhooks: WebhookCounts,
}

/// Where changes are written down.
pub(crate) enum Storage {
    Memory,
    Journal(Journal),
    /// Stopped: nothing changes any more.
    Closed,
}

/// What became of webhooks since the start.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct WebhookCounts {
    pub pending: usize,
    pub delivered: u64,
    pub given_up: u64,
    pub dropped: u64,
}

impl State {
    /// Writes the change down, then applies it. Blocks for one short write into the page cache.
    pub fn commit(&mut self, change: Change) -> io::Result<()> {
        match &mut self.storage {
            Storage::Memory => {}
            Storage::Journal(journal) => journal.append(&change)?,
            Storage::Closed => return Err(io::ErrorKind::NotConnected.into()),
        }
        self.ledger.apply(change);
        Ok(())
    }
}
