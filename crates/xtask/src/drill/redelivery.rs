//! What a broker may do with messages, done by way of the outbox: a row that is not marked is
//! published, whether that happened before or not. And messages that no producer of ours wrote.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::faults::{SAGA_QUEUE, rabbitmq};
use crate::command::Failure;
use crate::load::system::System;

/// How often everything is delivered again.
const TIMES: usize = 10;
/// How long the relay may take to publish what is there.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redelivery {
    /// Every message is delivered ten times more.
    Duplicates,
    /// New messages wait for up to two seconds, each for another time.
    Reordered,
    /// Every message is delivered again a week later.
    AfterAWeek,
    /// No JSON, JSON of another shape, a version that nobody knows, and a megabyte of it.
    Poison,
}

/// Before the load.
///
/// # Errors
/// When PostgreSQL or RabbitMQ refuses.
pub async fn prepare(redelivery: Redelivery, system: &System) -> Result<(), Failure> {
    match redelivery {
        Redelivery::Reordered => system.orders_sql(SHUFFLE).map(drop),
        Redelivery::Poison => {
            // What an earlier drill left there.
            let purge = ["purge_queue", &dead_letter_queue(system)?];
            Ok(rabbitmq(system)?.control(&purge).await.map(drop)?)
        }
        Redelivery::Duplicates | Redelivery::AfterAWeek => Ok(()),
    }
}

/// While the load runs.
///
/// # Errors
/// When PostgreSQL refuses, or the outbox does not drain.
pub async fn inject(redelivery: Redelivery, system: &System) -> Result<(), Failure> {
    match redelivery {
        Redelivery::Duplicates => {
            for _ in 0..TIMES {
                system.orders_sql(AGAIN)?;
                drained(system).await?;
            }
            Ok(())
        }
        Redelivery::Reordered => Ok(()),
        Redelivery::AfterAWeek => {
            drained(system).await?;
            system.orders_sql(A_WEEK_AGO)?;
            system.orders_sql(AGAIN)?;
            drained(system).await
        }
        Redelivery::Poison => system.orders_sql(POISON).map(drop),
    }
}

/// After the recovery.
///
/// # Errors
/// When PostgreSQL refuses, or a message that can't be read was not set aside.
pub async fn clear(redelivery: Redelivery, system: &System) -> Result<(), Failure> {
    match redelivery {
        Redelivery::Reordered => system.orders_sql(IN_ORDER).map(drop),
        Redelivery::Poison => set_aside(system).await,
        Redelivery::Duplicates | Redelivery::AfterAWeek => Ok(()),
    }
}

fn dead_letter_queue(system: &System) -> Result<String, Failure> {
    let namespace = system.value("broker.namespace")?;
    Ok(format!("{namespace}.{SAGA_QUEUE}.dead"))
}

/// Waits until the dead-letter queue has every poisoned message, and those alone.
async fn set_aside(system: &System) -> Result<(), Failure> {
    let queue = dead_letter_queue(system)?;
    let begun = Instant::now();
    loop {
        let list = ["--quiet", "list_queues", "name", "messages"];
        let queues = rabbitmq(system)?.control(&list).await?;
        let mut lines = queues.lines().map(str::split_whitespace);
        let line = lines.find_map(|mut words| (words.next() == Some(&queue)).then_some(words));
        let messages = line.and_then(|mut words| words.next());
        if messages == Some(POISONED) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let messages = messages.unwrap_or("no count");
            return Err(Failure::Drill(format!(
                "{messages} dead letters instead of {POISONED}"
            )));
        }
    }
}

async fn drained(system: &System) -> Result<(), Failure> {
    let begun = Instant::now();
    let waiting =
        "SELECT COUNT(*) FROM outbox WHERE published_at IS NULL AND available_at <= now()";
    while system.orders_sql(waiting)?.trim() != "0" {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::Drill("the outbox does not drain".to_owned()));
        }
        sleep(POLL).await;
    }
    Ok(())
}

const AGAIN: &str = "UPDATE outbox SET published_at = NULL, locked_until = NULL
    WHERE published_at IS NOT NULL";

const SHUFFLE: &str = "
    CREATE OR REPLACE FUNCTION drill_shuffle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.available_at := NEW.available_at + random() * interval '2 seconds';
        RETURN NEW;
    END $$;
    CREATE TRIGGER drill_shuffle BEFORE INSERT ON outbox
        FOR EACH ROW EXECUTE FUNCTION drill_shuffle()";

const IN_ORDER: &str = "DROP TRIGGER drill_shuffle ON outbox";

const A_WEEK_AGO: &str = "
    UPDATE inbox SET received_at = received_at - interval '7 days';
    UPDATE outbox SET created_at = created_at - interval '7 days',
        available_at = available_at - interval '7 days'";

/// Rows of [`POISON`].
const POISONED: &str = "4";

const POISON: &str = r#"
    INSERT INTO outbox (id, aggregate_type, aggregate_id, event_type, body, created_at,
        available_at, attempts)
    SELECT gen_random_uuid(), 'order', gen_random_uuid(), event_type, body, now(), now(), 0
    FROM (VALUES
        ('orders.order.confirmed.v1', 'no JSON'),
        ('orders.order.confirmed.v1', '{"specversion":"1.0","data":[]}'),
        ('orders.order.confirmed.v99', '{}'),
        ('orders.order.confirmed.v1', repeat('x', 1000000))
    ) AS poison (event_type, body)"#;
