use async_graphql::{Context, ContextSelectionSet, Error, ID, Object, Value};
use kernel::{Permission, UserId};
use user_directory::Person;

use super::Timestamp;
use crate::graphql::access::{check_revocations, forbidden};
use crate::graphql::direct::Plain;
use crate::graphql::failure::{caller, directory_failure, internal_failure};
use crate::graphql::loaders::Loaders;

/// Somebody who orders.
pub(in crate::graphql) struct Customer {
    id: UserId,
    /// What the directory has told already.
    told: Option<Person>,
}

impl From<Person> for Customer {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            told: Some(person),
        }
    }
}

impl Customer {
    /// The one whose order it is: oneself, or anybody for whom may read accounts.
    pub(in crate::graphql) fn of_order(
        context: &Context<'_>,
        customer_id: UserId,
    ) -> Result<Self, Error> {
        let actor = &caller(context)?.actor;
        if actor.user_id != customer_id {
            if !actor.may(Permission::ReadUsers) {
                return Err(forbidden());
            }
            check_revocations(context, Permission::ReadUsers)?;
        }
        Ok(Self {
            id: customer_id,
            told: None,
        })
    }

    async fn person(&self, context: &Context<'_>) -> Result<Option<Person>, Error> {
        match &self.told {
            Some(person) => Ok(Some(person.clone())),
            None => person(context, self.id).await,
        }
    }
}

/// Who somebody is, from one call of the directory for all that one request asks about. `None`: who
/// has left.
pub(in crate::graphql) async fn person(
    context: &Context<'_>,
    id: UserId,
) -> Result<Option<Person>, Error> {
    let people = &context.data::<Loaders>()?.people;
    let known = people.load(id, id).await;
    let known = known.map_err(|error| internal_failure(&*error))?;
    known.transpose().map_err(|error| directory_failure(&error))
}

/// Somebody who orders. What is null without an error is so because the customer has left.
#[Object]
impl Customer {
    async fn id(&self) -> ID {
        self.id.to_string().into()
    }

    /// What the customer wants to be called. Null, with an error, while the directory is away.
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.person(context).await?.map(|person| person.name))
    }

    /// The e-mail address. Null, with an error, while the directory is away.
    async fn email(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.person(context).await?.map(|person| person.email))
    }

    /// Whether the customer has confirmed the address.
    async fn email_verified(&self, context: &Context<'_>) -> Result<Option<bool>, Error> {
        let person = self.person(context).await?;
        Ok(person.map(|person| person.email_verified))
    }

    /// Since when the customer can't log in.
    async fn disabled_at(&self, context: &Context<'_>) -> Result<Option<Timestamp>, Error> {
        let person = self.person(context).await?;
        Ok(person.and_then(|person| person.disabled_at.map(Timestamp::from)))
    }

    /// When the account was made.
    async fn created_at(&self, context: &Context<'_>) -> Result<Option<Timestamp>, Error> {
        let person = self.person(context).await?;
        Ok(person.map(|person| person.created_at.into()))
    }
}

impl Plain for Customer {
    fn plain(&self, field: &str, _below: &ContextSelectionSet<'_>) -> Option<Value> {
        match field {
            "id" => Some(Value::String(self.id.to_string())),
            _ => None,
        }
    }
}
