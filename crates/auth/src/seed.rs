use kernel::{Email, Role, UserId};
use sea_orm::DbErr;

use crate::{
    password::PasswordError,
    service::AuthService,
    store::user::{self, NewUser},
};

/// An account that exists from the start, verified: for the demo shop and for tests.
#[derive(Clone, Debug)]
pub struct DemoUser {
    pub email: Email,
    pub name: String,
    pub role: Role,
}

#[derive(Debug, thiserror::Error)]
#[error("the demo user {email} can't be created")]
pub struct SeedError {
    email: Email,
    source: SeedFailure,
}

#[derive(Debug, thiserror::Error)]
enum SeedFailure {
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Creates the users that don't exist yet, all with `password`, which the password policy does not
/// judge. Never outside demonstrations and tests.
pub async fn seed_demo_users(
    service: &AuthService,
    users: &[DemoUser],
    password: &str,
) -> Result<(), SeedError> {
    for demo_user in users {
        let seeded = seed(service, demo_user, password).await;
        seeded.map_err(|source| SeedError {
            email: demo_user.email.clone(),
            source,
        })?;
    }
    Ok(())
}

async fn seed(
    service: &AuthService,
    demo_user: &DemoUser,
    password: &str,
) -> Result<(), SeedFailure> {
    let context = service.context();
    let database = &context.database;
    let existing = user::find_by_email(database.reader(), &demo_user.email).await?;
    if existing.is_some() {
        return Ok(());
    }
    let password_hash = context.passwords.hash(password).await?;
    let now = context.now();
    let new_user = NewUser {
        id: UserId::generate(now),
        email: &demo_user.email,
        name: &demo_user.name,
        role: demo_user.role,
        password_hash: Some(&password_hash),
        email_verified_at: Some(now),
    };
    user::insert_if_absent(database.writer(), new_user, now).await?;
    Ok(())
}
