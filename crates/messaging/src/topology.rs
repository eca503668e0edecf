//! Which queues there are, what is bound to them and what they are called: for both brokers.

/// A durable queue that a group of consumers shares: each message goes to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// For example `orders.saga`.
    pub name: &'static str,
    /// Patterns of event types: `*` stands for one word, `#` for any number of them.
    pub bindings: &'static [&'static str],
    /// How many failed deliveries are tolerated. The next one puts the message into the
    /// dead-letter queue, so that it is delivered at most `delivery_limit + 1` times.
    pub delivery_limit: u32,
}

impl QueueSpec {
    /// Whether events of this type come into the queue.
    #[must_use]
    pub fn accepts(&self, event_type: &str) -> bool {
        self.bindings
            .iter()
            .any(|pattern| matches(pattern, event_type))
    }
}

/// The reason that a dead letter carries when its deliveries were used up. RabbitMQ's own word.
pub(crate) const DELIVERY_LIMIT_REACHED: &str = "delivery_limit";

/// Whether a message of this type may go to nobody, if no queue takes it.
pub(crate) fn is_news(news: &[String], event_type: &str) -> bool {
    news.iter().any(|pattern| matches(pattern, event_type))
}

/// Whether a topic pattern of AMQP 0-9-1 matches a routing key.
pub(crate) fn matches(pattern: &str, routing_key: &str) -> bool {
    fn words_match(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern.split_first(), key.split_first()) {
            (None, None) => true,
            (Some((&"#", rest)), None) => words_match(rest, key),
            (Some((&"#", rest)), Some((_, tail))) => {
                words_match(rest, key) || words_match(pattern, tail)
            }
            (Some((&word, rest)), Some((&first, tail))) => {
                (word == "*" || word == first) && words_match(rest, tail)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
    let pattern: Vec<&str> = pattern.split('.').collect();
    let key: Vec<&str> = routing_key.split('.').collect();
    words_match(&pattern, &key)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_amqp() {
        for (pattern, key, expected) in [
            ("a.b.v1", "a.b.v1", true),
            ("a.b.v1", "a.b.v2", false),
            ("a.*.v1", "a.b.v1", true),
            ("a.*", "a.b.v1", false),
            ("a.#", "a.b.v1", true),
            ("a.#", "a", true),
            ("#.v1", "a.b.v1", true),
            ("a.#.v1", "a.v1", true),
            ("a.#.v1", "a.b.v2", false),
            ("#", "anything.at.all", true),
            ("*", "a", true),
            ("*", "a.b", false),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }
}
