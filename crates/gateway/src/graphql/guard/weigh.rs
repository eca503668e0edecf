//! Measures an outline: each selection set once, however often fragments spread it.
//!
//! A set is weighed when everything it contains has been weighed (a depth-first walk on an explicit
//! stack), so fragments that each spread the next one twice cost a line of arithmetic each instead
//! of 2ⁿ visits. All arithmetic saturates.

use serde_json::{Map, Value};

use super::Refusal;
use super::outline::{FieldKind, Outline, PageSize, Selection};

/// What a selection set amounts to with its fragments expanded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    /// One per field; a field's children count once per item of its page.
    pub(super) cost: u64,
    /// Fields directly in this set, through fragments.
    pub(super) fields: u64,
    /// Levels of fields, each introspection entry counting as one.
    pub(super) depth: u64,
    /// Levels of fields below and including an introspection entry.
    pub(super) introspection_depth: u64,
    /// The most list-valued fields of `__Type` on one path, inside introspection.
    pub(super) introspection_lists: u64,
    /// The same, whether inside introspection or not.
    type_lists: u64,
}

/// Weighs every selection set; the answer is indexed like `outline.sets`.
///
/// # Errors
/// [`Refusal::FragmentCycle`] when a fragment reaches itself.
pub(super) fn weigh(
    outline: &Outline,
    variables: &Map<String, Value>,
) -> Result<Vec<Weight>, Refusal> {
    let mut weights: Vec<Option<Weight>> = vec![None; outline.sets.len()];
    let mut entered = vec![false; outline.sets.len()];
    let mut stack: Vec<usize> = (0..outline.sets.len()).collect();
    while let Some(&set) = stack.last() {
        if weights[set].is_some() {
            stack.pop();
        } else if entered[set] {
            weights[set] = Some(weigh_set(outline, set, &weights, variables));
            stack.pop();
        } else {
            // Entered and not yet weighed means: an ancestor of the set on top of the stack.
            entered[set] = true;
            for child in outline.sets[set]
                .iter()
                .filter_map(|child| child_of(outline, child))
            {
                if weights[child].is_none() {
                    if entered[child] {
                        return Err(Refusal::FragmentCycle);
                    }
                    stack.push(child);
                }
            }
        }
    }
    Ok(weights.into_iter().map(Option::unwrap_or_default).collect())
}

/// The set that a selection contains. A spread of an unknown fragment has none: the library's
/// validation refuses it.
fn child_of(outline: &Outline, selection: &Selection) -> Option<usize> {
    match selection {
        Selection::Field { set, .. } => *set,
        Selection::Inline(set) => Some(*set),
        Selection::Spread(fragment) => outline.fragments.get(fragment).copied(),
    }
}

fn weigh_set(
    outline: &Outline,
    set: usize,
    weights: &[Option<Weight>],
    variables: &Map<String, Value>,
) -> Weight {
    let mut total = Weight::default();
    for selection in &outline.sets[set] {
        let child = child_of(outline, selection).and_then(|child| weights[child]);
        let child = child.unwrap_or_default();
        let part = match selection {
            Selection::Field { kind, pages, .. } => {
                field(*kind, page_size(outline, pages, variables), child)
            }
            Selection::Inline(_) | Selection::Spread(_) => child,
        };
        total = Weight {
            cost: total.cost.saturating_add(part.cost),
            fields: total.fields.saturating_add(part.fields),
            depth: total.depth.max(part.depth),
            introspection_depth: total.introspection_depth.max(part.introspection_depth),
            introspection_lists: total.introspection_lists.max(part.introspection_lists),
            type_lists: total.type_lists.max(part.type_lists),
        };
    }
    total
}

fn field(kind: FieldKind, page_size: u64, children: Weight) -> Weight {
    let is_introspection = kind == FieldKind::Introspection;
    let is_type_list = kind == FieldKind::TypeList;
    let below = children.depth.saturating_add(1);
    Weight {
        cost: children.cost.saturating_mul(page_size).saturating_add(1),
        fields: 1,
        depth: if is_introspection { 1 } else { below },
        introspection_depth: if is_introspection {
            below
        } else {
            children.introspection_depth
        },
        introspection_lists: if is_introspection {
            children.type_lists
        } else {
            children.introspection_lists
        },
        type_lists: children.type_lists.saturating_add(u64::from(is_type_list)),
    }
}

/// How many items a field may return: the greatest of its `first` and `last`, at least 1.
fn page_size(outline: &Outline, pages: &[PageSize], variables: &Map<String, Value>) -> u64 {
    let sizes = pages.iter().map(|page| match page {
        PageSize::Literal(size) => *size,
        PageSize::Variable(name) => match variables.get(&**name) {
            Some(value) => variable_size(value),
            None => outline.defaults.get(name).copied().unwrap_or(1),
        },
    });
    sizes.max().unwrap_or(1).max(1)
}

/// No page is larger; a size beyond it counts as the greatest.
const MAX_FLOAT_SIZE: u32 = 100;

/// A variable's value as a page size. What is no number is refused by the library later.
fn variable_size(value: &Value) -> u64 {
    match (value.as_u64(), value.as_f64()) {
        (Some(size), _) => size,
        // An Int may be written with a point.
        (None, Some(size)) if size > 0.0 => {
            let whole = (1..=MAX_FLOAT_SIZE).find(|whole| f64::from(*whole) >= size);
            whole.map_or(u64::MAX, u64::from)
        }
        (None, _) => 1,
    }
}
