//! What happened, as a sequence diagram in Mermaid (<https://mermaid.js.org/syntax/sequenceDiagram.html>):
//! it reads well as text, and GitHub draws it.

use std::fmt::{self, Write as _};

use crate::action::Process;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Customer,
    Process(Process),
    Database,
    Broker,
    Provider,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub from: Party,
    /// `None`: a note about `from`.
    pub to: Option<Party>,
    pub text: String,
}

impl fmt::Display for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => formatter.write_str("Customer"),
            Self::Process(Process::Gateway) => formatter.write_str("Gateway"),
            Self::Process(Process::Worker(number)) => write!(formatter, "Worker{number}"),
            Self::Database => formatter.write_str("Database"),
            Self::Broker => formatter.write_str("Broker"),
            Self::Provider => formatter.write_str("Provider"),
        }
    }
}

/// Draws the lines, and at the end what is wrong.
pub(crate) fn draw(lines: &[Line], workers: usize, breach: &str) -> String {
    let mut parties = vec![
        Party::Customer,
        Party::Process(Process::Gateway),
        Party::Database,
        Party::Broker,
    ];
    parties.extend((0..workers).map(|number| Party::Process(Process::Worker(number))));
    parties.push(Party::Provider);
    parties.retain(|party| {
        let takes_part = |line: &Line| line.from == *party || line.to == Some(*party);
        lines.iter().any(takes_part)
    });
    let mut text = String::from("sequenceDiagram\n");
    // Writing to a string can't fail.
    for party in &parties {
        let _ = writeln!(text, "    participant {party}");
    }
    for Line {
        from,
        to,
        text: told,
    } in lines
    {
        let _ = match to {
            Some(to) => writeln!(text, "    {from}->>{to}: {told}"),
            None => writeln!(text, "    Note over {from}: {told}"),
        };
    }
    if let (Some(first), Some(last)) = (parties.first(), parties.last()) {
        let _ = writeln!(text, "    Note over {first},{last}: BREACH: {breach}");
    }
    text
}
