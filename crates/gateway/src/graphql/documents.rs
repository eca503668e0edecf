//! Documents that have been parsed and validated, remembered by the hash of their text.
//!
//! What depends on the variables is not remembered: the variables are coerced and the pages priced
//! for each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, VariableDefinition,
};
use async_graphql::{Name, Positioned, Value, Variables};
use sha2::{Digest, Sha256};

use super::guard::Inspected;
use super::input_types::InputTypes;

/// The SHA-256 of a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// The hash of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix("sha256:")?.as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.len() != hash.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(hash))
    }
}

/// Lower case only: an id has one form.
fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

impl std::fmt::Display for DocumentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which operation of which document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) document: DocumentHash,
    pub(super) operation: Option<String>,
}

/// A document that passed the guard and validation, reduced to the operation that is meant.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) inspected: Inspected,
    pub(super) executable: ExecutableDocument,
}

impl Document {
    /// Takes the operation of that name, or the only one, out of a parsed document.
    pub(super) fn new(
        parsed: ExecutableDocument,
        inspected: Inspected,
        name: Option<&str>,
    ) -> Option<Self> {
        let operation = match (parsed.operations, name) {
            (DocumentOperations::Single(operation), None) => operation,
            (DocumentOperations::Single(_), Some(_)) => return None,
            (DocumentOperations::Multiple(mut operations), Some(name)) => {
                operations.remove(name)?
            }
            (DocumentOperations::Multiple(operations), None) => operations.into_values().next()?,
        };
        Some(Self {
            inspected,
            executable: ExecutableDocument {
                operations: DocumentOperations::Single(operation),
                fragments: parsed.fragments,
            },
        })
    }

    fn operation(&self) -> Option<&OperationDefinition> {
        self.executable
            .operations
            .iter()
            .next()
            .map(|(_, operation)| &operation.node)
    }

    /// The definitions of the operation's variables.
    pub(super) fn variables(&self) -> &[Positioned<VariableDefinition>] {
        self.operation()
            .map_or(&[], |operation| &operation.variable_definitions)
    }
}

/// A value for each variable whose type is known, to validate the values around them.
pub(super) fn witnesses(operation: &OperationDefinition, types: &InputTypes) -> Variables {
    let definitions = operation.variable_definitions.iter();
    let witnesses = definitions.filter_map(|definition| {
        let witness = types.witness(&definition.node.var_type.node)?;
        Some((definition.node.name.node.clone(), witness))
    });
    Variables::from_value(Value::Object(witnesses.collect::<_>()))
}

/// The operation of that name, or the only one.
pub(super) fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Option<(Option<&'d Name>, &'d OperationDefinition)> {
    let mut operations = document.operations.iter();
    let found = match name {
        None => operations.next(),
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
    };
    found.map(|(name, operation)| (name, &operation.node))
}

/// The documents seen lately. Bounded by their tokens: that is what a parsed document's memory
/// follows from, about 300 bytes each.
#[derive(Debug)]
pub(super) struct Documents {
    tokens: usize,
    generations: Mutex<[Generation; 2]>,
}

/// When the young generation is full, it becomes the old one, and what was old is forgotten. What
/// is used meanwhile moves to the young one, so that documents in use stay, whatever else comes.
#[derive(Debug, Default)]
struct Generation {
    documents: HashMap<Key, Arc<Document>>,
    tokens: usize,
}

impl Documents {
    /// Remembers documents of so many tokens in all. 0: none.
    pub(super) fn new(tokens: usize) -> Self {
        Self {
            tokens,
            generations: Mutex::default(),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Document>> {
        let mut generations = self.lock();
        if let Some(document) = generations[0].documents.get(key) {
            return Some(Arc::clone(document));
        }
        let (key, document) = generations[1].documents.remove_entry(key)?;
        generations[1].tokens -= document.inspected.tokens();
        self.add(&mut generations, key, Arc::clone(&document));
        Some(document)
    }

    pub(super) fn insert(&self, key: Key, document: Arc<Document>) {
        self.add(&mut self.lock(), key, document);
    }

    fn add(&self, generations: &mut [Generation; 2], key: Key, document: Arc<Document>) {
        let tokens = document.inspected.tokens();
        if tokens > self.tokens / 2 {
            return;
        }
        if generations[0].tokens + tokens > self.tokens / 2 {
            generations[1] = std::mem::take(&mut generations[0]);
        }
        let young = &mut generations[0];
        young.tokens += tokens;
        if let Some(former) = young.documents.insert(key, document) {
            young.tokens -= former.inspected.tokens();
        }
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> std::sync::MutexGuard<'_, [Generation; 2]> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Map;

    use super::super::guard::{Limits, inspect};
    use super::*;

    fn document(text: &str) -> (Key, Arc<Document>) {
        let key = Key {
            document: DocumentHash::of(text),
            operation: None,
        };
        let inspected = inspect(text, &Map::new(), &Limits::default()).unwrap();
        let parsed = async_graphql::parser::parse_query(text).unwrap();
        (
            key,
            Arc::new(Document::new(parsed, inspected, None).unwrap()),
        )
    }

    #[test]
    fn an_id_has_one_form() {
        let hash = DocumentHash::of("{ a }");
        assert_eq!(DocumentHash::parse(&hash.to_string()), Some(hash));
        let id = hash.to_string();
        for other in [
            &id[7..],
            &id[..70],
            &format!("{id}0"),
            &id.to_uppercase(),
            "sha256:",
        ] {
            assert_eq!(DocumentHash::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_document_in_use_outlives_any_number_of_others() {
        let documents = Documents::new(40);
        let (used, document_in_use) = document("{ a }");
        documents.insert(used.clone(), document_in_use);
        for number in 0..100 {
            let (key, other) = document(&format!("{{ b{number} }}"));
            documents.insert(key.clone(), other);
            assert!(documents.get(&key).is_some());
            assert!(documents.get(&used).is_some(), "{number}");
        }
    }

    proptest! {
        #[test]
        fn the_bound_is_kept(lengths in prop::collection::vec(1_usize..30, 1..60)) {
            let documents = Documents::new(100);
            for (number, length) in lengths.into_iter().enumerate() {
                let (key, document) = document(&format!("{{ a{number} {} }}", "b ".repeat(length.min(19))));
                documents.insert(key, document);
                let generations = documents.lock();
                for generation in generations.iter() {
                    let counted: usize = generation.documents.values().map(|one| one.inspected.tokens()).sum();
                    prop_assert_eq!(generation.tokens, counted);
                    prop_assert!(counted <= 50);
                }
            }
        }
    }
}
