//! People.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use kernel::UserId;
use user_directory::Person;

use crate::graphql::access::ByTable;
use crate::graphql::failure::{caller, people_failure};
use crate::graphql::loaders::Loaders;

#[derive(Default)]
pub(super) struct People;

/// The caller, as the access token tells, and the user directory.
#[derive(SimpleObject)]
#[graphql(complex)]
struct Me {
    #[graphql(skip)]
    user_id: UserId,
    /// The user's id.
    id: ID,
    /// What the user is, for example `customer`.
    roles: Vec<&'static str>,
}

#[ComplexObject]
impl Me {
    /// What the user wants to be called. Null, with an error, while the directory is away.
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        let person = self.person(context).await?;
        Ok(person.map(|person| person.name))
    }

    /// The e-mail address. Null, with an error, while the directory is away.
    async fn email(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        let person = self.person(context).await?;
        Ok(person.map(|person| person.email))
    }
}

impl Me {
    async fn person(&self, context: &Context<'_>) -> Result<Option<Person>, Error> {
        let people = &context.data::<Loaders>()?.people;
        let person = people.load(self.user_id, self.user_id).await;
        person.map_err(|error| people_failure(&error))
    }
}

#[Object(guard = "ByTable(\"Query\")")]
impl People {
    /// Who is asking.
    async fn me(&self, context: &Context<'_>) -> Result<Option<Me>, Error> {
        let actor = &caller(context)?.actor;
        let roles = actor.roles.iter().map(|role| role.as_str()).collect();
        Ok(Some(Me {
            user_id: actor.user_id,
            id: actor.user_id.to_string().into(),
            roles,
        }))
    }
}
