use async_graphql::{ID, Interface};

use super::{Order, Product};

/// Something with an id of its own (<https://relay.dev/graphql/objectidentification.htm>).
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Unlike that of any other node."))]
pub(in crate::graphql) enum Node {
    Product(Product),
    Order(Order),
}
