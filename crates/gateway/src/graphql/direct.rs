//! Objects whose plain fields are answered at once.
//!
//! The library makes a future of each field of each object, on the heap, and drives them all
//! together. That is right for a field that waits for something. Most only read a value that is
//! there: for those, and for small objects inside, [`Direct`] asks the object itself. What it does
//! not answer goes the library's way, with guards and all.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection, SelectionSet, TypeCondition};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
};
use futures_util::future::join_all;

/// An object that can answer fields without waiting.
pub(super) trait Plain: ContainerType + Send + Sync {
    /// The value of a field that has neither guard nor arguments. `_below` is what is selected of
    /// it. `None`: ask the resolver.
    fn plain(&self, _field: &str, _below: &ContextSelectionSet<'_>) -> Option<Value> {
        None
    }
}

/// An object, resolved so.
pub(super) struct Direct<T>(pub(super) T);

impl<T: Plain> OutputType for Direct<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match fields::<T>(context) {
            Some(fields) => Ok(resolve(&self.0, context, fields).await),
            None => resolve_container(context, &self.0).await,
        }
    }
}

/// The value of an object inside another. `None` if a part of it has to be waited for.
pub(super) fn at_once<T: Plain>(object: &T, context: &ContextSelectionSet<'_>) -> Option<Value> {
    let fields = fields::<T>(context)?;
    let mut values = IndexMap::with_capacity(fields.len());
    for field in fields {
        values.insert(key(field), plain(object, context, field)?);
    }
    Some(Value::Object(values))
}

async fn resolve<'a, T: Plain>(
    object: &'a T,
    context: &ContextSelectionSet<'a>,
    fields: Vec<&'a Positioned<Field>>,
) -> Value {
    let mut values = IndexMap::with_capacity(fields.len());
    let mut waiting = Vec::new();
    for field in fields {
        let value = plain(object, context, field).unwrap_or_else(|| {
            waiting.push((values.len(), field));
            Value::Null
        });
        values.insert(key(field), value);
    }
    let resolve = |(index, field)| async move {
        let context = context.with_field(field);
        (index, object.resolve_field(&context).await)
    };
    // One field needs no list of futures.
    let resolved = match waiting.as_slice() {
        [] => Vec::new(),
        [only] => vec![resolve(*only).await],
        _ => join_all(waiting.into_iter().map(resolve)).await,
    };
    for (index, outcome) in resolved {
        match outcome {
            Ok(value) => {
                if let Some((_, place)) = values.get_index_mut(index) {
                    *place = value.unwrap_or_default();
                }
            }
            // The null stays.
            Err(error) => context.add_error(error),
        }
    }
    Value::Object(values)
}

fn plain<T: Plain>(
    object: &T,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> Option<Value> {
    let name = field.node.name.node.as_str();
    if name == "__typename" {
        return Some(Value::String(object.introspection_type_name().into_owned()));
    }
    let below = context.with_selection_set(&field.node.selection_set);
    object.plain(name, &below)
}

fn key(field: &Positioned<Field>) -> Name {
    field.node.response_key().node.clone()
}

/// The fields of a selection, with the fragments on this very type in their places. `None` for what
/// the library merges or matches better: fields that come twice, directives, fragments on
/// interfaces.
fn fields<'a, T: Plain>(context: &ContextSelectionSet<'a>) -> Option<Vec<&'a Positioned<Field>>> {
    let mut fields = Vec::with_capacity(context.item.node.items.len());
    collect::<T>(context, &context.item.node, &mut fields)?;
    Some(fields)
}

fn collect<'a, T: Plain>(
    context: &ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    fields: &mut Vec<&'a Positioned<Field>>,
) -> Option<()> {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                let is_new = || {
                    let mut others = fields.iter();
                    others.all(|other| other.node.response_key().node != *key)
                };
                if !field.node.directives.is_empty() || !is_new() {
                    return None;
                }
                fields.push(field);
            }
            Selection::FragmentSpread(spread) => {
                let fragments = &context.query_env.fragments;
                let fragment = &fragments.get(&spread.node.fragment_name.node)?.node;
                if !is_on::<T>(&fragment.type_condition.node) {
                    return None;
                }
                collect::<T>(context, &fragment.selection_set.node, fields)?;
            }
            Selection::InlineFragment(inline) => {
                let condition = inline.node.type_condition.as_ref();
                if condition.is_some_and(|condition| !is_on::<T>(&condition.node)) {
                    return None;
                }
                collect::<T>(context, &inline.node.selection_set.node, fields)?;
            }
        }
    }
    Some(())
}

fn is_on<T: Plain>(condition: &TypeCondition) -> bool {
    condition.on.node.as_str() == T::type_name()
}
