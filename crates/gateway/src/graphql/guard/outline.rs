//! Reads a document into a flat outline: its operations, fragments and selection sets, by index.
//!
//! An explicit stack takes the place of recursion, so nesting costs memory that the token limit
//! bounds and never the thread's stack. Only what the limits need is kept. Values are skipped by
//! matching their brackets; whether they are well-formed is for the library's parser to say.

use std::collections::HashMap;

use super::lexer::{Lexer, Token};
use super::{Limits, OperationKind, Refusal};

/// A document's shape. Selection sets refer to each other by their index in `sets`. It outlives the
/// text, so that a document that comes again is only priced again.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) sets: Vec<Vec<Selection>>,
    pub(super) operations: Vec<OperationOutline>,
    pub(super) fragments: HashMap<Box<str>, usize>,
    /// Default values of variables; of several operations' the greatest.
    pub(super) defaults: HashMap<Box<str>, u64>,
    /// Whether a variable gives a page its size.
    pub(super) has_page_variables: bool,
    pub(super) tokens: usize,
    aliases: usize,
    directives: usize,
}

#[derive(Debug)]
pub(super) struct OperationOutline {
    pub(super) name: Option<Box<str>>,
    pub(super) kind: OperationKind,
    pub(super) set: usize,
}

#[derive(Debug)]
pub(super) enum Selection {
    Field {
        kind: FieldKind,
        pages: Vec<PageSize>,
        set: Option<usize>,
    },
    Spread(Box<str>),
    Inline(usize),
}

/// What a field's name tells about its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Plain,
    /// `__schema` or `__type`.
    Introspection,
    /// A list-valued field of `__Type`, or one of the same name.
    TypeList,
}

impl FieldKind {
    fn of(name: &str) -> Self {
        match name {
            "__schema" | "__type" => Self::Introspection,
            "fields" | "interfaces" | "possibleTypes" | "inputFields" => Self::TypeList,
            _ => Self::Plain,
        }
    }
}

/// The value given to a `first` or `last` argument.
#[derive(Debug, Clone)]
pub(super) enum PageSize {
    Literal(u64),
    Variable(Box<str>),
}

impl Outline {
    pub(super) fn read(document: &str, limits: &Limits) -> Result<Self, Refusal> {
        let lexer = Lexer::new(document, limits.tokens);
        let mut reader = Reader {
            lexer,
            peeked: None,
            limits,
            outline: Self::default(),
        };
        while reader.peek()? != Token::End {
            reader.definition()?;
        }
        if reader.outline.operations.is_empty() {
            return Err(reader
                .lexer
                .unexpected("the end of a document without an operation"));
        }
        reader.outline.tokens = reader.lexer.tokens();
        Ok(reader.outline)
    }
}

struct Reader<'d, 'l> {
    lexer: Lexer<'d>,
    peeked: Option<Token<'d>>,
    limits: &'l Limits,
    outline: Outline,
}

impl<'d> Reader<'d, '_> {
    fn definition(&mut self) -> Result<(), Refusal> {
        match self.peek()? {
            Token::Punctuator(b'{') => self.operation(OperationKind::Query, None),
            Token::Name("fragment") => self.fragment(),
            Token::Name(keyword) => {
                let Some(kind) = OperationKind::from_keyword(keyword) else {
                    return Err(self.lexer.unexpected("a word that starts no definition"));
                };
                self.next()?;
                let name = self.optional_name()?;
                if self.skip(b'(')? {
                    self.variable_definitions()?;
                }
                self.directives()?;
                self.operation(kind, name)
            }
            _ => Err(self.lexer.unexpected("a token that starts no definition")),
        }
    }

    fn operation(&mut self, kind: OperationKind, name: Option<&'d str>) -> Result<(), Refusal> {
        let set = self.selection_set()?;
        let name = name.map(Box::from);
        self.outline
            .operations
            .push(OperationOutline { name, kind, set });
        Ok(())
    }

    fn fragment(&mut self) -> Result<(), Refusal> {
        self.next()?;
        let name = self.name()?;
        if name == "on" || self.name()? != "on" {
            return Err(self.lexer.unexpected("a fragment without a type condition"));
        }
        self.name()?;
        self.directives()?;
        let set = self.selection_set()?;
        if self.outline.fragments.insert(name.into(), set).is_some() {
            return Err(self.lexer.unexpected("a second fragment of the same name"));
        }
        Ok(())
    }

    /// Reads a selection set and all sets inside it; returns the outermost one's index.
    fn selection_set(&mut self) -> Result<usize, Refusal> {
        self.expect(b'{')?;
        let outermost = self.new_set();
        let mut open = vec![outermost];
        while let Some(&current) = open.last() {
            let selection = match self.next()? {
                Token::Punctuator(b'}') if !self.outline.sets[current].is_empty() => {
                    open.pop();
                    continue;
                }
                Token::Name(name) => self.field(name)?,
                Token::Spread => self.spread()?,
                _ => return Err(self.lexer.unexpected("a token that starts no selection")),
            };
            if let Selection::Field { set: Some(set), .. } | Selection::Inline(set) = selection {
                open.push(set);
                self.check_nesting(open.len())?;
            }
            self.outline.sets[current].push(selection);
        }
        Ok(outermost)
    }

    /// Reads a field up to and including the brace that opens its selection set, if it has one.
    fn field(&mut self, first: &'d str) -> Result<Selection, Refusal> {
        let mut name = first;
        if self.skip(b':')? {
            name = self.name()?;
            self.outline.aliases += 1;
            if self.outline.aliases > self.limits.aliases {
                return Err(Refusal::TooManyAliases {
                    limit: self.limits.aliases,
                });
            }
        }
        let pages = self.arguments()?;
        self.directives()?;
        let set = if self.skip(b'{')? {
            Some(self.new_set())
        } else {
            None
        };
        let kind = FieldKind::of(name);
        Ok(Selection::Field { kind, pages, set })
    }

    /// Reads what follows `...`, up to and including an inline fragment's opening brace.
    fn spread(&mut self) -> Result<Selection, Refusal> {
        match self.peek()? {
            Token::Name("on") => {
                self.next()?;
                self.name()?;
            }
            Token::Name(name) => {
                self.next()?;
                self.directives()?;
                return Ok(Selection::Spread(name.into()));
            }
            _ => {}
        }
        self.directives()?;
        self.expect(b'{')?;
        Ok(Selection::Inline(self.new_set()))
    }

    fn directives(&mut self) -> Result<(), Refusal> {
        while self.skip(b'@')? {
            self.name()?;
            self.arguments()?;
            self.outline.directives += 1;
            if self.outline.directives > self.limits.directives {
                return Err(Refusal::TooManyDirectives {
                    limit: self.limits.directives,
                });
            }
        }
        Ok(())
    }

    /// Reads an argument list, if there is one, and returns its page sizes.
    fn arguments(&mut self) -> Result<Vec<PageSize>, Refusal> {
        let mut pages = Vec::new();
        if !self.skip(b'(')? {
            return Ok(pages);
        }
        while !self.skip(b')')? {
            let name = self.name()?;
            self.expect(b':')?;
            let value = self.value()?;
            if matches!(name, "first" | "last") {
                self.outline.has_page_variables |= matches!(value, Some(PageSize::Variable(_)));
                pages.extend(value);
            }
        }
        Ok(pages)
    }

    fn variable_definitions(&mut self) -> Result<(), Refusal> {
        while !self.skip(b')')? {
            self.expect(b'$')?;
            let name = self.name()?;
            self.expect(b':')?;
            self.value()?;
            self.skip(b'!')?;
            self.directives()?;
            if self.skip(b'=')? {
                if let Some(PageSize::Literal(value)) = self.value()? {
                    let default = self.outline.defaults.entry(name.into()).or_default();
                    *default = value.max(*default);
                }
                self.directives()?;
            }
        }
        Ok(())
    }

    /// Skips a value or a type and returns what it says as a page size, if it could be one.
    fn value(&mut self) -> Result<Option<PageSize>, Refusal> {
        let mut open = Vec::new();
        let mut page_size = None;
        loop {
            match self.next()? {
                Token::Punctuator(bracket @ (b'[' | b'{')) => {
                    open.push(if bracket == b'[' { b']' } else { b'}' });
                    self.check_nesting(open.len())?;
                    continue;
                }
                Token::Punctuator(bracket @ (b']' | b'}')) if open.last() == Some(&bracket) => {
                    open.pop();
                }
                Token::Punctuator(b':' | b'!') if !open.is_empty() => continue,
                Token::Punctuator(b'$') => {
                    let name = self.name()?;
                    page_size = Some(PageSize::Variable(name.into()));
                }
                Token::Int(digits) => page_size = Some(PageSize::Literal(page_size_of(digits))),
                Token::Name(_) | Token::Float | Token::String => {}
                _ => return Err(self.lexer.unexpected("a token that starts no value")),
            }
            if open.is_empty() {
                return Ok(page_size);
            }
        }
    }

    fn new_set(&mut self) -> usize {
        self.outline.sets.push(Vec::new());
        self.outline.sets.len() - 1
    }

    fn check_nesting(&self, found: usize) -> Result<(), Refusal> {
        if found > self.limits.nesting {
            return Err(Refusal::TooDeep {
                limit: self.limits.nesting,
            });
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Token<'d>, Refusal> {
        let token = match self.peeked {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        self.peeked = Some(token);
        Ok(token)
    }

    fn next(&mut self) -> Result<Token<'d>, Refusal> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.next(),
        }
    }

    fn skip(&mut self, punctuator: u8) -> Result<bool, Refusal> {
        let found = self.peek()? == Token::Punctuator(punctuator);
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn expect(&mut self, punctuator: u8) -> Result<(), Refusal> {
        if self.skip(punctuator)? {
            return Ok(());
        }
        Err(self.lexer.unexpected("a token in the wrong place"))
    }

    fn name(&mut self) -> Result<&'d str, Refusal> {
        match self.optional_name()? {
            Some(name) => Ok(name),
            None => Err(self.lexer.unexpected("a token where a name was expected")),
        }
    }

    fn optional_name(&mut self) -> Result<Option<&'d str>, Refusal> {
        let Token::Name(name) = self.peek()? else {
            return Ok(None);
        };
        self.peeked = None;
        Ok(Some(name))
    }
}

/// A literal as a page size: negative ones count as nothing, ones out of range as the greatest.
fn page_size_of(digits: &str) -> u64 {
    if digits.starts_with('-') {
        0
    } else {
        digits.parse().unwrap_or(u64::MAX)
    }
}
