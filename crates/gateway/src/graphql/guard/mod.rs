//! The document guard: bounds what a GraphQL document may ask before the library sees it.
//!
//! The library's own depth and complexity limits run on a parsed document and expand fragments
//! each time they are spread, so a kilobyte of text can cost seconds of CPU. This guard reads the text
//! once, measures each fragment once, and is linear in the document's length.

mod lexer;
mod outline;
mod weigh;

#[cfg(test)]
mod attacks;

use serde_json::{Map, Value};

use outline::Outline;
use weigh::Weight;

/// What a document may amount to. The defaults are those of the specification of this service.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Length of the document in characters.
    pub characters: usize,
    /// Lexical tokens in the document.
    pub tokens: usize,
    /// Aliases in the document.
    pub aliases: usize,
    /// Directives in the document.
    pub directives: usize,
    /// Fields at an operation's root, with fragments expanded.
    pub root_fields: u64,
    /// Levels of fields, with fragments expanded.
    pub depth: u64,
    /// Levels of fields inside `__schema` or `__type`.
    pub introspection_depth: u64,
    /// List-valued fields of `__Type` on one path; the same rule as graphql-js' `MaxIntrospectionDepthRule`.
    pub introspection_lists: u64,
    /// Brackets inside each other, in selections or in one value. Below 64, where the library's
    /// own recursive parser gives up.
    pub nesting: usize,
    /// Fields that an operation may resolve: one per field, times `first` or `last` above it.
    pub cost: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            characters: 15_000,
            tokens: 1_000,
            aliases: 15,
            directives: 50,
            root_fields: 20,
            depth: 10,
            introspection_depth: 20,
            introspection_lists: 2,
            nesting: 40,
            cost: 5_000,
        }
    }
}

/// A place in the document; line and column start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Why a document is not executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is no GraphQL document.
    #[error("Syntax error: {what} at line {}, column {}.", position.line, position.column)]
    Syntax {
        /// What was found.
        what: &'static str,
        /// Where it was found.
        position: Position,
    },
    /// More characters than [`Limits::characters`].
    #[error("The document is longer than {limit} characters.")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// More tokens than [`Limits::tokens`].
    #[error("The document has more than {limit} tokens.")]
    TooManyTokens {
        /// The limit.
        limit: usize,
    },
    /// More aliases than [`Limits::aliases`].
    #[error("The document has more than {limit} aliases.")]
    TooManyAliases {
        /// The limit.
        limit: usize,
    },
    /// More directives than [`Limits::directives`].
    #[error("The document has more than {limit} directives.")]
    TooManyDirectives {
        /// The limit.
        limit: usize,
    },
    /// More root fields than [`Limits::root_fields`].
    #[error("An operation has more than {limit} root fields.")]
    TooManyRootFields {
        /// The limit.
        limit: u64,
    },
    /// Deeper than [`Limits::depth`], [`Limits::introspection_depth`] or [`Limits::nesting`].
    #[error("The document is nested deeper than {limit} levels.")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Introspection that walks from types to types.
    #[error("Introspection may not nest more than {limit} lists of a type's members.")]
    IntrospectionTooDeep {
        /// The limit.
        limit: u64,
    },
    /// A fragment that spreads itself, directly or through others.
    #[error("A fragment spreads itself.")]
    FragmentCycle,
    /// Dearer than [`Limits::cost`].
    #[error("The operation costs {cost}, more than {limit}.")]
    TooCostly {
        /// The cost, saturated.
        cost: u64,
        /// The limit.
        limit: u64,
    },
}

impl Refusal {
    /// The stable `extensions.code` of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "GRAPHQL_PARSE_FAILED",
            Self::TooLong { .. } => "DOCUMENT_TOO_LONG",
            Self::TooManyTokens { .. } => "DOCUMENT_TOO_MANY_TOKENS",
            Self::TooManyAliases { .. } => "DOCUMENT_TOO_MANY_ALIASES",
            Self::TooManyDirectives { .. } => "DOCUMENT_TOO_MANY_DIRECTIVES",
            Self::TooManyRootFields { .. } => "DOCUMENT_TOO_MANY_ROOT_FIELDS",
            Self::TooDeep { .. } => "DOCUMENT_TOO_DEEP",
            Self::IntrospectionTooDeep { .. } => "INTROSPECTION_TOO_DEEP",
            Self::FragmentCycle => "FRAGMENT_CYCLE",
            Self::TooCostly { .. } => "DOCUMENT_TOO_COSTLY",
        }
    }
}

/// The three kinds of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Watches.
    Subscription,
}

impl OperationKind {
    /// The keyword, which also labels metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }

    fn from_keyword(keyword: &str) -> Option<Self> {
        match keyword {
            "query" => Some(Self::Query),
            "mutation" => Some(Self::Mutation),
            "subscription" => Some(Self::Subscription),
            _ => None,
        }
    }
}

/// One operation of a document that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Its kind.
    pub kind: OperationKind,
    /// What it costs, at most [`Limits::cost`].
    pub cost: u64,
}

/// A document that passed the guard.
#[derive(Debug)]
pub struct Inspected {
    outline: Outline,
    /// In the order of the outline's.
    costs: Vec<u64>,
}

impl Inspected {
    /// The operation that a request means (section 6.1 of the GraphQL specification): the one of
    /// that name, or the only one if no name is given.
    pub fn operation(&self, name: Option<&str>) -> Option<Operation> {
        self.choose(name, &self.costs)
    }

    fn choose(&self, name: Option<&str>, costs: &[u64]) -> Option<Operation> {
        let operations = &self.outline.operations;
        let index = match name {
            None => (operations.len() == 1).then_some(0),
            Some(_) => operations
                .iter()
                .position(|operation| operation.name.as_deref() == name),
        }?;
        Some(Operation {
            kind: operations[index].kind,
            cost: costs[index],
        })
    }

    /// How much there is of it, in lexical tokens.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.outline.tokens
    }

    /// The same operation with other variables, which may give other sizes to its pages.
    ///
    /// # Errors
    /// The first limit that it exceeds with them.
    pub fn operation_with(
        &self,
        name: Option<&str>,
        variables: &Map<String, Value>,
        limits: &Limits,
    ) -> Result<Option<Operation>, Refusal> {
        if !self.outline.has_page_variables {
            return Ok(self.operation(name));
        }
        let costs = measure(&self.outline, variables, limits)?;
        Ok(self.choose(name, &costs))
    }
}

/// Reads and measures `document`; page sizes given as variables are taken from `variables`.
///
/// # Errors
/// The first [`Refusal`] met.
pub fn inspect(
    document: &str,
    variables: &Map<String, Value>,
    limits: &Limits,
) -> Result<Inspected, Refusal> {
    if document.len() > limits.characters && document.chars().count() > limits.characters {
        return Err(Refusal::TooLong {
            limit: limits.characters,
        });
    }
    let outline = Outline::read(document, limits)?;
    let costs = measure(&outline, variables, limits)?;
    Ok(Inspected { outline, costs })
}

/// What each operation costs.
fn measure(
    outline: &Outline,
    variables: &Map<String, Value>,
    limits: &Limits,
) -> Result<Vec<u64>, Refusal> {
    let weights = weigh::weigh(outline, variables)?;
    // Fragments are held to limits of their own, used or not: the library validates them all. One
    // may belong to introspection, which its place in an operation decides.
    let deepest = limits.depth.max(limits.introspection_depth);
    let fragment_limits = Limits {
        depth: deepest,
        ..limits.clone()
    };
    for &fragment in outline.fragments.values() {
        check(weights[fragment], &fragment_limits)?;
    }
    let mut costs = Vec::with_capacity(outline.operations.len());
    for operation in &outline.operations {
        let weight = weights[operation.set];
        if weight.fields > limits.root_fields {
            return Err(Refusal::TooManyRootFields {
                limit: limits.root_fields,
            });
        }
        check(weight, limits)?;
        costs.push(weight.cost);
    }
    Ok(costs)
}

fn check(weight: Weight, limits: &Limits) -> Result<(), Refusal> {
    for (found, limit) in [
        (weight.depth, limits.depth),
        (weight.introspection_depth, limits.introspection_depth),
    ] {
        if found > limit {
            return Err(Refusal::TooDeep {
                limit: usize::try_from(limit).unwrap_or(usize::MAX),
            });
        }
    }
    if weight.introspection_lists > limits.introspection_lists {
        return Err(Refusal::IntrospectionTooDeep {
            limit: limits.introspection_lists,
        });
    }
    if weight.cost > limits.cost {
        return Err(Refusal::TooCostly {
            cost: weight.cost,
            limit: limits.cost,
        });
    }
    Ok(())
}
