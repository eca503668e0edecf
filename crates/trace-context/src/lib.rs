//! W3C Trace Context (`traceparent`, version 00) in and out of `tracing` spans: what turns an
//! HTTP request, an outbox row, a message and a payment call into one trace.

mod activity;

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use activity::Activity;

/// The current span as a `traceparent` header; `None` where no trace is recorded.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// `span` as a `traceparent` header; `None` where no trace is recorded.
#[must_use]
pub fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            span.trace_id(),
            span.span_id(),
            span.trace_flags().to_u8()
        )
    })
}

/// The id of the trace that the current span belongs to, 32 hexadecimal digits.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// The id of the trace that a `traceparent` names.
#[must_use]
pub fn trace_id_of(traceparent: &str) -> Option<String> {
    parse(traceparent).map(|context| context.trace_id().to_string())
}

/// Makes `span` a child of the span that `traceparent` names. Call it before the span is entered.
/// A malformed value starts a new trace, as the recommendation asks (§3.2.2.5).
pub fn continue_trace(span: &Span, traceparent: Option<&str>) {
    if let Some(parent) = traceparent.and_then(parse) {
        // Fails only where no OpenTelemetry layer is installed: then there is no trace.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let well_formed = version.len() == 2
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && (trace.len(), span.len(), flags.len()) == (32, 16, 2);
    if !well_formed {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_child_keeps_the_trace_and_has_a_span_of_its_own() {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let subscriber =
            tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("child");
            continue_trace(&span, Some(PARENT));
            let traceparent = span.in_scope(current_traceparent).unwrap();
            assert_eq!(traceparent[..36], PARENT[..36]);
            assert_ne!(traceparent[36..52], PARENT[36..52]);
        });
    }

    #[test]
    fn without_a_recorder_there_is_no_trace() {
        assert_eq!(current_traceparent(), None);
        assert_eq!(current_trace_id(), None);
    }

    #[test]
    fn malformed_headers_are_ignored() {
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let long = format!("{PARENT}-extra");
        for text in [
            "",
            "00",
            "garbage",
            &zero_trace,
            &long,
            &PARENT[..54],
            &PARENT.replace("00-", "ff-"),
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(parse(PARENT).is_some());
        let trace_id = trace_id_of(PARENT);
        assert_eq!(trace_id.as_deref(), Some(&PARENT[3..35]));
    }
}
