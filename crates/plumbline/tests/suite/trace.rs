//! One order is one trace: from the HTTP request through outbox, broker and worker to the payment.

use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use reqwest::Method;
use serde_json::Value;
use testkit::http::send;
use uuid::Uuid;

use crate::support::{Recorder, System, eventually, order_body};

/// What a caller's own trace calls the span that made the request.
const CALLER: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn an_order_is_one_trace_from_the_request_to_the_payment() {
    let spans = &Recorder::start().spans;
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let trace_id = Uuid::new_v4().simple().to_string();
    let request = ada
        .gateway
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", "trace")
        .header("traceparent", format!("00-{trace_id}-{CALLER}-01"))
        .json(&order_body(&system.product().await, 1, "pm_card_visa"));
    let order: Value = send(request).await.expect_status(201).json();
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");

    let trace = eventually("the payment's span has ended", async || {
        let trace = Trace::of(spans, &trace_id);
        trace.find("payment.charge").is_some().then_some(trace)
    })
    .await;
    let charge = trace.find("payment.charge").unwrap();
    let way = trace.way_to(charge);
    let names: Vec<_> = way.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names.first(), Some(&"POST /v1/orders"), "{names:?}");
    for step in [
        "publish orders.order.placed.v1",
        "process orders.order.placed.v1",
    ] {
        assert!(names.contains(&step), "{step} is not on the way {names:?}");
    }
    assert_eq!(way[0].parent_span_id, SpanId::from_hex(CALLER).unwrap());

    let told = system.charges(id).await[0]["traceparent"].clone();
    let span_id = charge.span_context.span_id();
    assert_eq!(
        told,
        format!("00-{trace_id}-{span_id}-01"),
        "as the provider saw it"
    );
    system.stop().await;
}

/// The spans of one trace, as far as they have ended.
struct Trace(Vec<SpanData>);

impl Trace {
    fn of(spans: &InMemorySpanExporter, trace_id: &str) -> Self {
        let trace_id = TraceId::from_hex(trace_id).unwrap();
        let spans = spans.get_finished_spans().unwrap().into_iter();
        Self(
            spans
                .filter(|span| span.span_context.trace_id() == trace_id)
                .collect(),
        )
    }

    fn find(&self, name: &str) -> Option<&SpanData> {
        self.0.iter().find(|span| span.name == name)
    }

    /// A span with those that it descends from, the outermost first.
    fn way_to<'t>(&'t self, span: &'t SpanData) -> Vec<&'t SpanData> {
        let mut way = vec![span];
        let mut parent = span.parent_span_id;
        while let Some(span) = self
            .0
            .iter()
            .find(|span| span.span_context.span_id() == parent)
        {
            way.insert(0, span);
            parent = span.parent_span_id;
        }
        way
    }
}
