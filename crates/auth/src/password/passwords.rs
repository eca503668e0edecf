use std::sync::Arc;

use super::{
    hasher::{Comparison, HashError, Hasher, HashingParams, InvalidHashingParams},
    pool::{HashPool, HashPoolConfig, PoolError},
};

/// Hashes and checks passwords within the pool's bounds.
#[derive(Clone)]
pub(crate) struct Passwords {
    hasher: Arc<Hasher>,
    pool: Arc<HashPool>,
    /// Compared against where there is no hash, so that an unknown account costs what a known
    /// one does. Made at start-up with the current parameters.
    dummy: Arc<str>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("no capacity to hash a password")]
    Saturated,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("the hashing task died")]
    Died,
}

impl From<PoolError> for PasswordError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Saturated => Self::Saturated,
            PoolError::Died => Self::Died,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    No,
    Yes,
    /// The password is right, and this hash of today's cost should replace the stored one.
    Rehashed(String),
}

impl Passwords {
    pub(crate) fn new(
        params: HashingParams,
        pool: HashPoolConfig,
    ) -> Result<Self, InvalidHashingParams> {
        let hasher = Hasher::new(params)?;
        let dummy = hasher.hash(b"nobody's password")?;
        Ok(Self {
            hasher: Arc::new(hasher),
            pool: Arc::new(HashPool::new(pool)),
            dummy: dummy.into(),
        })
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let hasher = Arc::clone(&self.hasher);
        let password = password.to_owned();
        let work = move || hasher.hash(password.as_bytes());
        Ok(self.pool.run(work).await??)
    }

    /// Compares with `stored`, or with the dummy hash if there is none; the dummy never matches.
    pub(crate) async fn verify(
        &self,
        password: &str,
        stored: Option<&str>,
    ) -> Result<Verified, PasswordError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.dummy).to_owned();
        let hasher = Arc::clone(&self.hasher);
        let password = password.to_owned();
        let work = move || match hasher.compare(password.as_bytes(), &stored)? {
            Comparison::MatchOutdated if known => {
                Ok(Verified::Rehashed(hasher.hash(password.as_bytes())?))
            }
            Comparison::Match if known => Ok(Verified::Yes),
            Comparison::Match | Comparison::MatchOutdated | Comparison::Mismatch => {
                Ok::<_, HashError>(Verified::No)
            }
        };
        Ok(self.pool.run(work).await??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_dummy_is_compared_and_never_matches() {
        let passwords =
            Passwords::new(HashingParams::default(), HashPoolConfig::default()).unwrap();
        for password in ["", "nobody's password"] {
            assert_eq!(
                passwords.verify(password, None).await.unwrap(),
                Verified::No
            );
        }
    }

    #[tokio::test]
    async fn an_outdated_hash_comes_back_renewed() {
        let pool = HashPoolConfig::default();
        let old = Passwords::new(HashingParams::default(), pool).unwrap();
        let costlier = HashingParams {
            iterations: 3,
            ..HashingParams::default()
        };
        let new = Passwords::new(costlier, pool).unwrap();
        let stored = old.hash("correct horse").await.unwrap();
        let Verified::Rehashed(renewed) = new.verify("correct horse", Some(&stored)).await.unwrap()
        else {
            panic!("not rehashed");
        };
        let again = new.verify("correct horse", Some(&renewed)).await.unwrap();
        assert_eq!(again, Verified::Yes);
    }
}
