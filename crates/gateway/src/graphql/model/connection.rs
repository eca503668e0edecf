//! Relay connections (<https://relay.dev/graphql/connections.htm>).

use async_graphql::{ContainerType, ContextSelectionSet, SimpleObject, Value};
use kernel::page::Page;

use super::{AuditEvent, Customer, Order, Product};
use crate::cursor::{CursorKey, Cursors, List};
use crate::graphql::direct::{Direct, Plain};

/// A page of a list.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "ProductConnection", params("Edge<Product>")),
    concrete(name = "OrderConnection", params("Edge<Order>")),
    concrete(name = "CustomerConnection", params("Edge<Customer>")),
    concrete(name = "AuditEventConnection", params("Edge<AuditEvent>"))
)]
pub(in crate::graphql) struct Connection<E: Plain> {
    /// The rows, in the list's order.
    edges: Vec<Direct<E>>,
    /// What comes before and after.
    page_info: PageInfo,
}

/// A row of a page.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "ProductEdge", params(Product)),
    concrete(name = "OrderEdge", params(Order)),
    concrete(name = "CustomerEdge", params(Customer)),
    concrete(name = "AuditEventEdge", params(AuditEvent))
)]
pub(in crate::graphql) struct Edge<T: Plain> {
    /// Where the row stands, for `after` and `before`.
    cursor: String,
    /// The row.
    node: Direct<T>,
}

/// What comes before and after a page.
#[derive(SimpleObject)]
struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

impl<T: Plain> Plain for Edge<T>
where
    Edge<T>: ContainerType,
{
    fn plain(&self, field: &str, _below: &ContextSelectionSet<'_>) -> Option<Value> {
        match field {
            "cursor" => Some(Value::String(self.cursor.clone())),
            _ => None,
        }
    }
}

impl<T: Plain> Connection<Edge<T>>
where
    Edge<T>: Plain,
{
    /// Makes a connection of a page, with the cursor of each row.
    pub(in crate::graphql) fn new<R, K: CursorKey>(
        page: Page<R>,
        cursors: &Cursors,
        list: List,
        key: impl Fn(&R) -> K,
    ) -> Self
    where
        T: From<R>,
    {
        let Page {
            items,
            has_next,
            has_previous,
        } = page;
        let edges: Vec<Direct<Edge<T>>> = items
            .into_iter()
            .map(|row| {
                Direct(Edge {
                    cursor: cursors.encode(list, &key(&row)),
                    node: Direct(row.into()),
                })
            })
            .collect();
        let page_info = PageInfo {
            has_next_page: has_next,
            has_previous_page: has_previous,
            start_cursor: edges.first().map(|edge| edge.0.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.0.cursor.clone()),
        };
        Self { edges, page_info }
    }
}
