//! Who may ask for which field: one declarative table. A root field that is not in it is refused
//! to everybody, and so is a field of another object that is guarded by it.

use async_graphql::{Context, Error, Guard};
use contracts::ErrorCode;
use kernel::Permission;
use service_kit::revocation::RevocationList;

use super::failure::{caller, failure};

/// Whom a field lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldAccess {
    /// Anyone.
    Public,
    /// Who is granted this.
    Needs(Permission),
}

/// A field, as documents and tests want to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredField {
    pub object: &'static str,
    pub field: &'static str,
    pub access: FieldAccess,
}

const FIELDS: &[DeclaredField] = {
    use FieldAccess::{Needs, Public};
    &[
        field("Query", "me", Needs(Permission::ReadOwnProfile)),
        field("Query", "customers", Needs(Permission::ReadUsers)),
        field("Query", "customer", Needs(Permission::ReadUsers)),
        field("Query", "auditLog", Needs(Permission::ReadAuditLog)),
        field("Query", "products", Public),
        field("Query", "product", Public),
        // What it shows of an order is asked of the use-case.
        field("Query", "node", Public),
        field("Query", "orders", Needs(Permission::ReadOwnOrders)),
        field("Query", "order", Needs(Permission::ReadOwnOrders)),
        field("Query", "allOrders", Needs(Permission::ReadAnyOrder)),
        field("Mutation", "placeOrder", Needs(Permission::PlaceOrder)),
        field("Mutation", "cancelOrder", Needs(Permission::CancelOwnOrder)),
        field("Mutation", "refundOrder", Needs(Permission::RefundOrder)),
        field(
            "Mutation",
            "createProduct",
            Needs(Permission::ManageCatalogue),
        ),
        field(
            "Mutation",
            "updateProduct",
            Needs(Permission::ManageCatalogue),
        ),
        field(
            "Mutation",
            "adjustStock",
            Needs(Permission::ManageCatalogue),
        ),
        field(
            "Subscription",
            "orderUpdated",
            Needs(Permission::ReadOwnOrders),
        ),
        field("Subscription", "myOrders", Needs(Permission::ReadOwnOrders)),
        field("Subscription", "orderFeed", Needs(Permission::WatchOrders)),
    ]
};

/// Every field that is guarded: all root fields, and those that say so.
#[must_use]
pub const fn declared_fields() -> &'static [DeclaredField] {
    FIELDS
}

const fn field(object: &'static str, field: &'static str, access: FieldAccess) -> DeclaredField {
    DeclaredField {
        object,
        field,
        access,
    }
}

/// Enforces the table on the fields of this object: `#[Object(guard = "ByTable(\"Query\")")]`.
pub(super) struct ByTable(pub &'static str);

impl Guard for ByTable {
    async fn check(&self, context: &Context<'_>) -> Result<(), Error> {
        match access_of(self.0, context.field().name()) {
            Some(FieldAccess::Public) => Ok(()),
            Some(FieldAccess::Needs(permission)) => {
                if !caller(context)?.actor.may(permission) {
                    return Err(forbidden());
                }
                check_revocations(context, permission)
            }
            None => Err(forbidden()),
        }
    }
}

fn access_of(object: &str, field: &str) -> Option<FieldAccess> {
    FIELDS
        .iter()
        .find(|declared| declared.object == object && declared.field == field)
        .map(|declared| declared.access)
}

/// What is privileged is refused as long as nobody can tell whose session was revoked, as
/// [`service_kit::routes`] does over REST.
pub(super) fn check_revocations(
    context: &Context<'_>,
    permission: Permission,
) -> Result<(), Error> {
    if permission.is_privileged() && !context.data::<RevocationList>()?.is_current() {
        return Err(failure(
            ErrorCode::Unavailable,
            ErrorCode::Unavailable.title(),
        ));
    }
    Ok(())
}

pub(super) fn forbidden() -> Error {
    failure(ErrorCode::Forbidden, ErrorCode::Forbidden.title())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use async_graphql_parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    };

    use super::*;

    const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

    /// Every field of every object of the schema.
    fn fields_of_the_schema() -> BTreeSet<(String, String)> {
        let document = parse_schema(crate::schema_sdl()).unwrap();
        let mut fields = BTreeSet::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let TypeKind::Object(object) = definition.node.kind else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            let of_object = object.fields.into_iter();
            fields.extend(of_object.map(|field| (name.clone(), field.node.name.node.to_string())));
        }
        fields
    }

    #[test]
    fn every_root_field_is_in_the_table() {
        for (object, field) in fields_of_the_schema() {
            assert!(
                !ROOTS.contains(&object.as_str()) || access_of(&object, &field).is_some(),
                "{object}.{field} is not in graphql/access.rs: add who may ask for it"
            );
        }
    }

    #[test]
    fn every_field_of_the_table_is_in_the_schema_once() {
        let schema = fields_of_the_schema();
        let mut seen = BTreeSet::new();
        for DeclaredField { object, field, .. } in FIELDS {
            let name = ((*object).to_owned(), (*field).to_owned());
            assert!(schema.contains(&name), "there is no {object}.{field}");
            assert!(seen.insert(name), "{object}.{field} is there twice");
        }
    }

    struct Undeclared;

    #[Object(guard = "ByTable(\"Query\")")]
    impl Undeclared {
        async fn secret(&self) -> &'static str {
            "42"
        }
    }

    #[tokio::test]
    async fn a_field_that_is_not_in_the_table_is_refused() {
        let schema = Schema::new(Undeclared, EmptyMutation, EmptySubscription);
        let answer = schema.execute("{ secret }").await;
        assert_eq!(answer.errors[0].message, ErrorCode::Forbidden.title());
        assert_eq!(answer.data, async_graphql::Value::Null);
    }
}
