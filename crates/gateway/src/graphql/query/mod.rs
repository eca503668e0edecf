//! What can be read, by subject.

mod catalogue;
mod orders;
mod people;

use async_graphql::MergedObject;

use crate::listing::PageArguments;

/// The root of all queries.
#[derive(MergedObject, Default)]
pub struct Query(people::People, catalogue::Catalogue, orders::OrderQueries);

fn page_arguments(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> PageArguments {
    PageArguments {
        first: first.map(i64::from),
        after,
        last: last.map(i64::from),
        before,
    }
}
