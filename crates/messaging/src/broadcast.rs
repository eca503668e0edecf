use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Message, topology};

/// How far a subscriber may fall behind before it misses the oldest messages.
pub(crate) const CAPACITY: usize = 4_096;

/// Every message of a pattern, for this subscriber alone: nothing is kept for one who is away.
///
/// A subscriber that was cut off or too slow misses messages: see [`Self::epochs`].
pub struct Broadcast {
    messages: BoxStream<'static, Message>,
    epochs: watch::Receiver<u64>,
    /// Ends what feeds the subscription.
    _feed: Option<DropGuard>,
}

impl Broadcast {
    pub(crate) fn new(
        pattern: Arc<str>,
        receiver: broadcast::Receiver<Message>,
        epoch: Arc<watch::Sender<u64>>,
        stop: CancellationToken,
        feed: Option<DropGuard>,
    ) -> Self {
        let epochs = epoch.subscribe();
        let messages = stream::unfold(
            (receiver, pattern, epoch),
            |(mut receiver, pattern, epoch)| async move {
                loop {
                    match receiver.recv().await {
                        Ok(message) if topology::matches(&pattern, &message.event_type) => {
                            return Some((message, (receiver, pattern, epoch)));
                        }
                        Ok(_) => {}
                        Err(broadcast::error::RecvError::Lagged(missed)) => {
                            tracing::warn!(%pattern, missed, "a subscriber is too slow");
                            epoch.send_modify(|epoch| *epoch += 1);
                        }
                        Err(broadcast::error::RecvError::Closed) => return None,
                    }
                }
            },
        );
        Self {
            messages: messages.take_until(stop.cancelled_owned()).boxed(),
            epochs,
            _feed: feed,
        }
    }

    /// Zero until the subscription stands; it changes each time the messages begin afresh, with
    /// some missed in between. Whoever sees it change reads the present state from the source:
    /// that and the messages from then on leave nothing out.
    #[must_use]
    pub fn epochs(&self) -> watch::Receiver<u64> {
        self.epochs.clone()
    }
}

impl Stream for Broadcast {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.messages.as_mut().poll_next(context)
    }
}
