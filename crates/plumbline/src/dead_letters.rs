//! `plumbline dead-letters`: look at messages that were set aside, and send them again.
//! docs/operations/dead-letters.md says when to do what.

use std::fmt::Write as _;

use kernel::{Clock, SystemClock};
use messaging::{Broker, BrokerConfig, DeadLetter, DeadLettersError};
use migrations::{AuthMigrator, OrdersMigrator};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{StartError, migrate, resources::queues, settings::Settings};

/// Letters of one queue that are shown when nothing else is said.
const USUAL_LIMIT: usize = 100;

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show what was set aside, the oldest first.
    List {
        /// Only of this queue.
        #[arg(long)]
        queue: Option<String>,
        /// At most so many of each queue.
        #[arg(long, default_value_t = USUAL_LIMIT)]
        limit: usize,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Show a message with its body; exits with 1 if it was not set aside.
    Show {
        /// The message's id.
        id: Uuid,
        #[arg(long)]
        queue: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Send a message to its queue again, under its own id, or all of them; exits with 1 if there
    /// is none.
    Replay {
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        #[arg(long, conflicts_with = "id")]
        all: bool,
        #[arg(long)]
        queue: Option<String>,
        /// Only say what would be sent.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DeadLettersFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("can't read or send dead letters")]
    Broker(#[from] DeadLettersError),
}

/// What the command has to say, and whether it found what it was asked for.
pub(crate) async fn run(
    settings: &Settings,
    command: Command,
) -> Result<(String, bool), DeadLettersFailed> {
    let broker = connect(settings).await?;
    let result = answer(&broker, command).await;
    broker.close().await;
    result
}

async fn answer(broker: &Broker, command: Command) -> Result<(String, bool), DeadLettersFailed> {
    match command {
        Command::List { queue, limit, json } => {
            let render = if json { as_json } else { line };
            let (mut text, mut count) = (String::new(), 0);
            for queue in asked_for(queue) {
                for letter in broker.dead_letters(&queue, limit).await? {
                    count += 1;
                    text += &render(&queue, &letter);
                }
            }
            if !json {
                let _ = writeln!(text, "{count} dead letters");
            }
            Ok((text, true))
        }
        Command::Show { id, queue, json } => {
            let render = if json { as_json } else { in_full };
            let mut text = String::new();
            for queue in asked_for(queue) {
                if let Some(letter) = broker.dead_letter(&queue, id).await? {
                    text += &render(&queue, &letter);
                }
            }
            let is_there = !text.is_empty();
            Ok((text, is_there))
        }
        Command::Replay {
            id, queue, dry_run, ..
        } => {
            let (mut text, mut count) = (String::new(), 0);
            for queue in asked_for(queue) {
                let ids = if dry_run {
                    candidates(broker, &queue, id).await?
                } else {
                    let now = SystemClock.now();
                    broker.replay_dead_letters(&queue, id, now).await?
                };
                count += ids.len();
                for id in ids {
                    let _ = writeln!(text, "{queue}  {id}");
                }
            }
            let verb = if dry_run { "would be sent" } else { "sent" };
            let _ = writeln!(text, "{count} messages {verb} again");
            Ok((text, id.is_none() || count > 0))
        }
    }
}

async fn candidates(
    broker: &Broker,
    queue: &str,
    id: Option<Uuid>,
) -> Result<Vec<Uuid>, DeadLettersError> {
    let letters = match id {
        Some(id) => broker.dead_letter(queue, id).await?.into_iter().collect(),
        None => broker.dead_letters(queue, usize::MAX).await?,
    };
    Ok(letters.iter().map(|letter| letter.message.id).collect())
}

/// RabbitMQ, or what the broker inside a process keeps in the databases, whether that process runs
/// or not.
async fn connect(settings: &Settings) -> Result<Broker, DeadLettersFailed> {
    let config = BrokerConfig::new(&settings.broker.url, &settings.broker.namespace);
    let stop = CancellationToken::new();
    let connected = Broker::connect(config, &queues(), stop).await;
    let broker = connected.map_err(StartError::from)?;
    if matches!(broker, Broker::InProcess(_)) {
        let auth = migrate::connect("auth", &settings.auth.database_url, 1).await?;
        migrate::check::<AuthMigrator>("auth", &auth).await?;
        let orders = migrate::connect("orders", &settings.orders.database_url, 1).await?;
        migrate::check::<OrdersMigrator>("orders", &orders).await?;
        let of_auth = auth::queues();
        for queue in queues() {
            let database = if of_auth.contains(&queue) {
                &auth
            } else {
                &orders
            };
            let kept = broker.keep_dead_letters(queue.name, database);
            kept.map_err(StartError::from)?;
        }
    }
    Ok(broker)
}

fn asked_for(queue: Option<String>) -> Vec<String> {
    queue.map_or_else(
        || queues().iter().map(|queue| queue.name.to_owned()).collect(),
        |queue| vec![queue],
    )
}

fn line(queue: &str, letter: &DeadLetter) -> String {
    let DeadLetter {
        message,
        reason,
        attempt,
    } = letter;
    let (id, event_type) = (message.id, &message.event_type);
    format!("{queue}  {id}  {event_type}  after {attempt} attempts: {reason}\n")
}

fn in_full(queue: &str, letter: &DeadLetter) -> String {
    let message = &letter.message;
    let body = String::from_utf8_lossy(&message.body);
    let trace_id = message.trace_id().unwrap_or("none");
    format!(
        "message    {}\nqueue      {queue}\ntype       {}\naggregate  {}\nattempts   {}\n\
         reason     {}\ntrace      {trace_id}\nbody       {body}\n",
        message.id, message.event_type, message.aggregate_id, letter.attempt, letter.reason,
    )
}

fn as_json(queue: &str, letter: &DeadLetter) -> String {
    let message = &letter.message;
    let letter = json!({
        "queue": queue,
        "id": message.id.to_string(),
        "type": message.event_type,
        "aggregate_id": message.aggregate_id.to_string(),
        "attempts": letter.attempt,
        "reason": letter.reason,
        "trace_id": message.trace_id(),
        "body": String::from_utf8_lossy(&message.body),
    });
    format!("{letter}\n")
}
