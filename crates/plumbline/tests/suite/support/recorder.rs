//! What the process tells of itself: its spans and its log.

use std::{
    io,
    sync::{Mutex, OnceLock, PoisonError},
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::{Layer, filter::LevelFilter, fmt, layer::SubscriberExt};

/// From its first use on.
pub struct Recorder {
    pub spans: InMemorySpanExporter,
    log: Mutex<Vec<u8>>,
}

impl Recorder {
    /// Of the whole process, of other tests too: with a subscriber of one thread, the services' own
    /// threads would record nothing.
    pub fn start() -> &'static Self {
        static RECORDER: OnceLock<Recorder> = OnceLock::new();
        static SUBSCRIBED: OnceLock<()> = OnceLock::new();
        let recorder = RECORDER.get_or_init(|| Self {
            spans: InMemorySpanExporter::default(),
            log: Mutex::default(),
        });
        SUBSCRIBED.get_or_init(|| recorder.subscribe());
        recorder
    }

    /// Everything that was logged, down to debug.
    pub fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).into_owned()
    }

    fn subscribe(&'static self) {
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(self.spans.clone())
            .build();
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("suite"))
            .with_filter(LevelFilter::INFO);
        let log = fmt::layer()
            .with_ansi(false)
            .with_writer(move || Writer(self))
            .with_filter(LevelFilter::DEBUG);
        let subscriber = tracing_subscriber::registry().with(spans).with(log);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    }
}

struct Writer(&'static Recorder);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
