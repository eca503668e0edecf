//! Looking into a dead-letter queue.

use lapin::options::BasicGetOptions;

use super::{link::Live, topology::Topology, wire};
use crate::{DeadLetter, QueueSpec, topology::DELIVERY_LIMIT_REACHED};

/// Reads at most `limit` dead letters and puts them back: closing the channel does.
pub(super) async fn peek(
    live: &Live,
    topology: &Topology,
    spec: &QueueSpec,
    limit: usize,
) -> lapin::Result<Vec<DeadLetter>> {
    let channel = live.open_channel().await?;
    let queue = topology.dead_letter_queue_name(spec);
    let mut letters = Vec::new();
    for _ in 0..limit {
        let get = channel.basic_get(queue.clone(), BasicGetOptions::default());
        let Some(raw) = get.await? else { break };
        letters.push(DeadLetter {
            message: wire::decode_dead_letter(&raw),
            // Without a reason of ours, RabbitMQ moved it, after the last delivery allowed.
            reason: wire::header_text(&raw, wire::DEAD_LETTER_REASON)
                .unwrap_or_else(|| DELIVERY_LIMIT_REACHED.to_owned()),
            attempt: wire::header_number(&raw, wire::DEAD_LETTER_ATTEMPT)
                .unwrap_or(spec.delivery_limit + 1),
        });
    }
    channel.close(200, "OK".into()).await?;
    Ok(letters)
}
