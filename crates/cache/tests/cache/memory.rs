use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cache::{CacheError, Key, LoadError};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::{Barrier, Notify};

use crate::{Source, TTL, config, connect};

#[tokio::test]
async fn a_value_is_loaded_once_and_shared_undecoded() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    let first = cache.get_or_load("key", TTL, source.load("value"));
    let first = first.await.unwrap();
    let second = cache.get_or_load("key", TTL, source.load("other"));
    let second = second.await.unwrap();
    assert_eq!(*first, "value");
    assert!(Arc::ptr_eq(&first, &second), "a hit makes no copy");
    assert_eq!(source.loads(), 1);
    assert_eq!(source.read(&cache, "another key", "other").await, "other");
}

#[tokio::test]
async fn memory_is_always_ready() {
    let cache = connect("memory:", "test").await;
    assert!(cache.is_ready());
    cache.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_concurrent_misses_cause_one_load() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    let start = Arc::new(Barrier::new(500));
    let readers = (0..500).map(|_| {
        let (cache, source, start) = (cache.clone(), source.clone(), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            source.read(&cache, "hot", "value").await
        })
    });
    for read in join_all(readers).await {
        assert_eq!(read.unwrap(), "value");
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn everyone_waiting_gets_the_error_and_the_next_reader_loads_again() {
    let cache = connect("memory:", "test").await;
    let go_on = Notify::new();
    let fail = || async {
        go_on.notified().await;
        Err::<String, _>("the database is away")
    };
    let (first, second, ()) = tokio::join!(
        cache.get_or_load("key", TTL, fail()),
        cache.get_or_load("key", TTL, fail()),
        async { go_on.notify_one() },
    );
    let away = LoadError::Failed(Arc::new("the database is away"));
    assert_eq!(first.unwrap_err(), away);
    assert_eq!(second.unwrap_err(), away);
    let source = Source::default();
    assert_eq!(source.read(&cache, "key", "value").await, "value");
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn when_the_loading_caller_goes_away_a_waiting_one_takes_over() {
    let cache = connect("memory:", "test").await;
    let loading = Arc::new(Notify::new());
    let leader = tokio::spawn({
        let (cache, loading) = (cache.clone(), loading.clone());
        async move {
            let load = async {
                loading.notify_one();
                std::future::pending::<Result<String, Infallible>>().await
            };
            cache.get_or_load("key", TTL, load).await
        }
    });
    loading.notified().await;
    let source = Source::default();
    let (read, ()) = tokio::join!(source.read(&cache, "key", "value"), async {
        leader.abort();
    });
    assert_eq!(read, "value");
    assert!(leader.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn an_expired_value_is_loaded_again_and_then_lives_its_own_life() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    for _ in 0..2 {
        let read = cache.get_or_load("key", Duration::ZERO, source.load("old"));
        read.await.unwrap();
    }
    assert_eq!(source.loads(), 2, "nothing lives for no time");
    assert_eq!(source.read(&cache, "key", "new").await, "new");
    assert_eq!(source.read(&cache, "key", "newer").await, "new");
}

#[tokio::test]
async fn of_two_loads_that_could_not_be_one_the_later_counts_with_its_lifetime() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    let both_load = Barrier::new(2);
    let first_done = Notify::new();
    let first = async {
        let load = async {
            both_load.wait().await;
            source.load("first").await
        };
        let read = cache.get_or_load("key", TTL, load).await;
        first_done.notify_one();
        assert_eq!(*read.unwrap(), "first");
    };
    let second = async {
        let load = async {
            both_load.wait().await;
            first_done.notified().await;
            Ok::<_, std::io::Error>("second".to_owned())
        };
        let read = cache.get_or_load("key", Duration::ZERO, load).await;
        assert_eq!(*read.unwrap(), "second");
    };
    tokio::join!(first, second);
    assert_eq!(source.read(&cache, "key", "third").await, "third");
}

#[tokio::test]
async fn an_invalidated_group_is_loaded_again() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    let read = async |name: &str, group: &str, value: &str| {
        let key = Key::of(group, name);
        let read = cache.get_or_load(key, TTL, source.load(value)).await;
        read.unwrap().as_ref().clone()
    };
    let others: Vec<String> = (0..10).map(|number| format!("other {number}")).collect();
    for name in ["one", "two"] {
        read(name, "group", "old").await;
    }
    for other in &others {
        read(other, other, "kept").await;
    }
    cache.invalidate("group").await;
    cache.invalidate("never cached").await;
    for name in ["one", "two"] {
        assert_eq!(read(name, "group", "new").await, "new");
        assert_eq!(read(name, "group", "newer").await, "new");
    }
    let mut kept = 0;
    for other in &others {
        kept += usize::from(read(other, other, "new").await == "kept");
    }
    assert!(kept >= 8, "groups rarely share a generation: {kept}");
    cache.forget_all();
    assert_eq!(read("one", "group", "newest").await, "newest");
}

#[tokio::test]
async fn what_a_slow_reader_saw_before_the_invalidation_is_given_to_nobody_after_it() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    let (reads, go_on) = (Notify::new(), Notify::new());
    let slow = async {
        let load = async {
            reads.notify_one();
            go_on.notified().await;
            source.load("old").await
        };
        cache.get_or_load("key", TTL, load).await.unwrap()
    };
    let after = async {
        reads.notified().await;
        cache.invalidate("key").await;
        // It waits for the load under way, and does not take what that brings.
        let (read, ()) = tokio::join!(source.read(&cache, "key", "new"), async {
            go_on.notify_one();
        });
        read
    };
    let (slow, after) = tokio::join!(slow, after);
    assert_eq!(*slow, "old", "it began before the change");
    assert_eq!(after, "new");
    assert_eq!(source.read(&cache, "key", "newer").await, "new");
    assert_eq!(source.loads(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn so_many_loads_run_at_once_and_the_others_wait_for_their_turn() {
    let cache = connect("memory:", "test").await;
    let limit = config("memory:", "test").max_loads;
    let (running, full) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(limit)));
    let readers = (0..10 * limit).map(|key| {
        let (cache, running, full) = (cache.clone(), running.clone(), full.clone());
        tokio::spawn(async move {
            let load = async {
                let beside = running.fetch_add(1, Ordering::SeqCst);
                assert!(beside < limit, "{beside} beside this one");
                // Goes on when there are as many as may be.
                full.wait().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Infallible>(key)
            };
            *cache
                .get_or_load(&key.to_string(), TTL, load)
                .await
                .unwrap()
        })
    });
    for (key, read) in join_all(readers).await.into_iter().enumerate() {
        assert_eq!(read.unwrap(), key);
    }
}

#[tokio::test]
async fn that_there_is_nothing_is_remembered_too() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    for _ in 0..100 {
        let load = async {
            source.load("").await?;
            Ok::<Option<String>, Infallible>(None)
        };
        assert_eq!(
            *cache.get_or_load("no such thing", TTL, load).await.unwrap(),
            None
        );
    }
    assert_eq!(source.loads(), 1);
    cache.invalidate("no such thing").await;
    let load = async { Ok::<_, Infallible>(Some("there is now".to_owned())) };
    let read = cache.get_or_load("no such thing", TTL, load).await.unwrap();
    assert_eq!(read.as_deref(), Some("there is now"));
}

#[tokio::test]
async fn a_key_read_as_two_types_is_served_uncached() {
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    source.read(&cache, "key", "text").await;
    let number = cache.get_or_load("key", TTL, async { Ok::<u64, Infallible>(7) });
    assert_eq!(number.await, Ok(Arc::new(7)));
    assert_eq!(source.read(&cache, "key", "other").await, "text");
}

#[tokio::test]
async fn hits_and_misses_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let cache = connect("memory:", "test").await;
    let source = Source::default();
    for _ in 0..3 {
        source.read(&cache, "key", "value").await;
    }
    let text = metrics.render();
    assert!(text.contains("plumbline_cache_misses_total 1"), "{text}");
    assert!(
        text.contains(r#"plumbline_cache_hits_total{tier="memory"} 2"#),
        "{text}"
    );
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_quoting_it() {
    for url in ["", "memory", "rediss://secret@host", "http://secret@host"] {
        let error = cache::Cache::connect(config(url, "test")).await.err();
        assert!(matches!(error, Some(CacheError::UnknownScheme)), "{url}");
    }
    for url in ["redis://", "redis://:secret@host:port", "redis://host/shop"] {
        let error = cache::Cache::connect(config(url, "test")).await.err();
        assert!(
            matches!(error, Some(CacheError::MalformedUrl(_))),
            "{url}: {error:?}"
        );
        assert!(!format!("{error:?}").contains("secret"));
    }
}
