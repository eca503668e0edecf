//! Argon2id (RFC 9106), never weaker than OWASP's minimum.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

/// The cost of one hash. The default is the floor: OWASP Password Storage Cheat Sheet, Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for HashingParams {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum InvalidHashingParams {
    #[error("argon2id needs at least 19456 KiB of memory, 2 iterations and 1 lane")]
    BelowFloor,
    #[error("these argon2id parameters are not usable")]
    Unusable(#[source] argon2::Error),
    /// For example because there is not that much memory.
    #[error("a first hash with these argon2id parameters failed")]
    Trial(#[from] HashError),
}

/// Hashing itself failed: out of memory, or a stored hash that is not one.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashError(#[from] password_hash::Error);

/// Not `Debug`: its working memory is about passwords.
pub(crate) struct Hasher {
    params: Params,
    /// Working memory that no hash is using, 19 MiB each: as many as have been at work at once,
    /// which the pool bounds. Allocated afresh for each hash, it would be faulted in page by page
    /// and leave the heap in pieces.
    spare: Mutex<Vec<Vec<Block>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Mismatch,
    Match,
    /// It matches a hash that was made with other parameters than today's.
    MatchOutdated,
}

impl Hasher {
    pub(crate) fn new(params: HashingParams) -> Result<Self, InvalidHashingParams> {
        let floor = HashingParams::default();
        if params.memory_kib < floor.memory_kib
            || params.iterations < floor.iterations
            || params.parallelism < floor.parallelism
        {
            return Err(InvalidHashingParams::BelowFloor);
        }
        let params = Params::new(
            params.memory_kib,
            params.iterations,
            params.parallelism,
            Some(Params::DEFAULT_OUTPUT_LEN),
        )
        .map_err(InvalidHashingParams::Unusable)?;
        Ok(Self {
            params,
            spare: Mutex::default(),
        })
    }

    /// A PHC string with a random 16-byte salt and a 32-byte hash. Takes tens of milliseconds.
    pub(crate) fn hash(&self, password: &[u8]) -> Result<String, HashError> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let salt = Salt::generate();
        let hash = PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params)?,
            salt: Some(salt),
            hash: Some(self.derive(&argon2, password, &salt)?),
        };
        Ok(hash.to_string())
    }

    /// Takes as long as [`Self::hash`], with the cost that `stored` was made with.
    pub(crate) fn compare(&self, password: &[u8], stored: &str) -> Result<Comparison, HashError> {
        let stored = PasswordHash::new(stored).map_err(password_hash::Error::from)?;
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version = stored.version.map(Version::try_from).transpose();
        let version = version.map_err(password_hash::Error::from)?;
        let params = Params::try_from(&stored)?;
        let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), params);
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Ok(Comparison::Mismatch);
        };
        // `Output` compares in constant time.
        if self.derive(&argon2, password, salt)? != *expected {
            return Ok(Comparison::Mismatch);
        }
        Ok(if self.is_current(&stored) {
            Comparison::Match
        } else {
            Comparison::MatchOutdated
        })
    }

    fn derive(
        &self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Output, HashError> {
        let mut memory = self.spare().pop().unwrap_or_default();
        memory.resize(argon2.params().block_count(), Block::default());
        let length = argon2.params().output_len();
        let mut output = [0; Output::MAX_LENGTH];
        let output = output
            .get_mut(..length.unwrap_or(Params::DEFAULT_OUTPUT_LEN))
            .ok_or(password_hash::Error::OutputSize)?;
        let hashed = argon2.hash_password_into_with_memory(password, salt, output, &mut memory);
        self.spare().push(memory);
        hashed.map_err(password_hash::Error::from)?;
        Ok(Output::new(output).map_err(password_hash::Error::from)?)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_current(&self, stored: &PasswordHash) -> bool {
        stored.algorithm == argon2::ARGON2ID_IDENT
            && stored.version == Some(Version::V0x13.into())
            && Params::try_from(stored).is_ok_and(|params| params == self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(memory_kib: u32) -> Hasher {
        Hasher::new(HashingParams {
            memory_kib,
            ..HashingParams::default()
        })
        .unwrap()
    }

    #[test]
    fn parameters_below_the_floor_are_refused() {
        let floor = HashingParams::default();
        for params in [
            HashingParams {
                memory_kib: 19_455,
                ..floor
            },
            HashingParams {
                iterations: 1,
                ..floor
            },
            HashingParams {
                parallelism: 0,
                ..floor
            },
        ] {
            assert!(matches!(
                Hasher::new(params),
                Err(InvalidHashingParams::BelowFloor)
            ));
        }
    }

    #[test]
    fn a_hash_names_its_algorithm_and_cost_and_has_its_own_salt() {
        let hasher = hasher(19_456);
        let first = hasher.hash(b"correct horse").unwrap();
        assert!(
            first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{first}"
        );
        assert_ne!(first, hasher.hash(b"correct horse").unwrap());
    }

    #[test]
    fn a_match_says_whether_the_cost_is_outdated() {
        let old = hasher(19_456);
        let new = hasher(20_480);
        let stored = old.hash(b"correct horse").unwrap();
        assert_eq!(
            old.compare(b"correct horse", &stored).unwrap(),
            Comparison::Match
        );
        assert_eq!(
            new.compare(b"correct horse", &stored).unwrap(),
            Comparison::MatchOutdated
        );
        assert_eq!(
            new.compare(b"wrong", &stored).unwrap(),
            Comparison::Mismatch
        );
        assert!(new.compare(b"wrong", "plain text").is_err());
    }
}
