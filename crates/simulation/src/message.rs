use std::fmt;

/// Orders are numbered from 0.
pub type OrderNumber = usize;

/// A message is known by what it is about, and not by a counter of all: it keeps its name when
/// shrinking takes others away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    pub order: OrderNumber,
    pub event_type: &'static str,
    /// Of those of this type about this order, from 0.
    pub nth: usize,
}

/// An event as it lies in the outbox and travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub id: MessageId,
    /// What a webhook was about.
    pub intent: Option<usize>,
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.event_type.trim_end_matches(".v1");
        let name = name.rsplit('.').next().unwrap_or(name);
        write!(formatter, "{name} #{}", self.order)?;
        if self.nth > 0 {
            write!(formatter, " ({})", self.nth + 1)?;
        }
        Ok(())
    }
}
