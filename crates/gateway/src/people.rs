//! Who somebody is, also for a moment after the user directory has gone away.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kernel::UserId;
use moka::future::Cache;
use service_kit::problem::chain;
use user_directory::{Directory, DirectoryError, Person};

/// A page must not wait longer for names.
const BUDGET: Duration = Duration::from_millis(500);
/// How many people are remembered, and for how long. It is looked at only while the directory is
/// away, so that nobody is called by a former name otherwise.
const MAX_REMEMBERED: u64 = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);

/// What is known of somebody: nothing now, if the directory is away and was not asked lately.
pub type Known = Result<Person, Arc<DirectoryError>>;

/// The user directory as names are read from it. Clones share what is remembered.
#[derive(Clone)]
pub struct People {
    directory: Directory,
    remembered: Cache<UserId, Person>,
}

impl People {
    /// Asks `directory`, with a shorter limit of time than its own.
    #[must_use]
    pub fn of(directory: &Directory) -> Self {
        Self {
            directory: directory.clone().with_deadline(BUDGET),
            remembered: Cache::builder()
                .max_capacity(MAX_REMEMBERED)
                .time_to_live(REMEMBERED_FOR)
                .build(),
        }
    }

    /// The people with these ids, by one call for up to 100 of them. Who is unknown or has left is
    /// absent.
    pub async fn by_ids(&self, ids: Vec<UserId>) -> HashMap<UserId, Known> {
        match self.directory.people(ids.iter().copied()).await {
            Ok(found) => self.learn(&ids, found).await,
            Err(error) => self.remember(ids, error).await,
        }
    }

    async fn learn(
        &self,
        ids: &[UserId],
        found: HashMap<UserId, Person>,
    ) -> HashMap<UserId, Known> {
        for id in ids {
            match found.get(id) {
                Some(person) => self.remembered.insert(*id, person.clone()).await,
                None => self.remembered.invalidate(id).await,
            }
        }
        let known = found.into_iter().map(|(id, person)| (id, Ok(person)));
        known.collect()
    }

    /// An error is logged here, once for all who asked.
    async fn remember(&self, ids: Vec<UserId>, error: DirectoryError) -> HashMap<UserId, Known> {
        let is_away = error.is_transient();
        if is_away {
            tracing::warn!(cause = chain(&error), "the user directory is away");
        } else {
            tracing::error!(cause = chain(&error), "the user directory failed");
        }
        let error = Arc::new(error);
        let mut known = HashMap::with_capacity(ids.len());
        for id in ids {
            let remembered = self.remembered.get(&id).await.filter(|_| is_away);
            known.insert(id, remembered.ok_or_else(|| Arc::clone(&error)));
        }
        known
    }
}
