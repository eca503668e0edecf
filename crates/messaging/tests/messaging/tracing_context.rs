//! One trace from the span that appends an event to the span that handles the message.

use kernel::Clock;
use messaging::outbox::OutboxEvent;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;

use crate::{
    backends::{WORK, clock, commit, config, connect, event, next, sqlite},
    relay,
};

#[tokio::test]
async fn appending_publishing_and_handling_are_one_trace() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // For the whole process: with a subscriber of one thread, another test that comes to a span
    // first would switch that span off for everybody.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let home = sqlite().await;
    let (database, clock) = (&home.database, clock());
    let broker = connect(config("memory:")).await;
    let request = tracing::info_span!("request");
    let appended = OutboxEvent {
        traceparent: trace_context::traceparent_of(&request),
        ..event(Uuid::now_v7(), clock.now())
    };
    drop(request);
    commit(database, &*clock, vec![appended]).await;
    let relay = relay::start(database, &broker, clock.clone());
    let delivery = next(&mut broker.consume(WORK, 1).unwrap()).await;
    drop(delivery.message.span(WORK));
    delivery.ack().await;
    relay.stop().await;

    let spans = exporter.get_finished_spans().unwrap();
    let request_id = spans
        .iter()
        .find(|span| span.name == "request")
        .map(|span| span.span_context.clone())
        .unwrap();
    let in_trace = |name: &str| -> &SpanData {
        let same = |span: &&SpanData| span.span_context.trace_id() == request_id.trace_id();
        let mut found = spans.iter().filter(same).filter(|span| span.name == name);
        found.next().unwrap_or_else(|| panic!("no span {name}"))
    };
    let publish = in_trace("publish test.work.v1");
    let process = in_trace("process test.work.v1");
    assert_eq!(publish.parent_span_id, request_id.span_id());
    assert_eq!(process.parent_span_id, publish.span_context.span_id());
}
