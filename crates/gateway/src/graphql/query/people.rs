//! People.

use async_graphql::{ComplexObject, Context, Error, ID, InputObject, Object, SimpleObject};
use contracts::ErrorCode;
use kernel::{Role, UserId};
use service_kit::problem::chain;
use user_directory::{Directory, DirectoryError, Person};
use uuid::Uuid;

use super::page_arguments;
use crate::cursor::{Cursors, List};
use crate::graphql::access::ByTable;
use crate::graphql::failure::{caller, directory_failure, failure, listing_failure};
use crate::graphql::model::{AuditEvent, Connection, Customer, Edge, person};
use crate::listing::search_text;

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
        let person = person(context, self.user_id).await?;
        Ok(person.map(|person| person.name))
    }

    /// The e-mail address. Null, with an error, while the directory is away.
    async fn email(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        let person = person(context, self.user_id).await?;
        Ok(person.map(|person| person.email))
    }
}

/// Which lines of the audit log are wanted: those of which all that is given is true.
#[derive(InputObject, Default)]
struct AuditLogFilter {
    /// Who did it: the id of a user or service account.
    actor_id: Option<ID>,
    /// The id of whom or what it was done to.
    target_id: Option<ID>,
    /// For example `user.role-changed`.
    action: Option<String>,
}

impl AuditLogFilter {
    fn parse(self) -> Result<user_directory::AuditFilter, Error> {
        let actor_id = self.actor_id.map(|id| id.parse::<Uuid>()).transpose();
        let invalid = |_| failure(ErrorCode::Validation, "The \"actorId\" is a UUID.");
        Ok(user_directory::AuditFilter {
            actor_id: actor_id.map_err(invalid)?,
            target_id: self.target_id.map(|id| id.0),
            action: self.action,
        })
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

    /// The customers, the oldest account first. Give `first` or `last`, from 1 to 100.
    async fn customers(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "How the name or the e-mail address begins, in any case.")] search: Option<
            String,
        >,
    ) -> Result<Option<Connection<Edge<Customer>>>, Error> {
        let cursors = context.data::<Cursors>()?;
        let search = search_text(search).map_err(listing_failure)?;
        let arguments = page_arguments(first, after, last, before);
        let request = arguments
            .request(cursors, List::Customers)
            .map_err(listing_failure)?;
        let directory = context.data::<Directory>()?;
        let page = directory
            .list_people(search.as_deref(), Some(Role::Customer), request)
            .await;
        let page = page.map_err(|error| asked_in_vain(&error))?;
        Ok(Some(Connection::new(
            page,
            cursors,
            List::Customers,
            Person::key,
        )))
    }

    /// One customer; null if there is none with this id, or none any more.
    async fn customer(&self, context: &Context<'_>, id: ID) -> Result<Option<Customer>, Error> {
        let Ok(id) = id.parse::<UserId>() else {
            return Ok(None);
        };
        Ok(person(context, id).await?.map(Customer::from))
    }

    /// The audit log, the newest line first. Give `first` or `last`, from 1 to 100.
    async fn audit_log(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<AuditLogFilter>,
    ) -> Result<Option<Connection<Edge<AuditEvent>>>, Error> {
        let cursors = context.data::<Cursors>()?;
        let filter = filter.unwrap_or_default().parse()?;
        let arguments = page_arguments(first, after, last, before);
        let request = arguments
            .request(cursors, List::AuditLog)
            .map_err(listing_failure)?;
        let directory = context.data::<Directory>()?;
        let page = directory.list_audit_events(filter, request).await;
        let page = page.map_err(|error| asked_in_vain(&error))?;
        Ok(Some(Connection::new(
            page,
            cursors,
            List::AuditLog,
            user_directory::AuditEvent::key,
        )))
    }
}

fn asked_in_vain(error: &DirectoryError) -> Error {
    tracing::error!(cause = chain(error), "the user directory failed");
    directory_failure(error)
}
