//! A session that was ended at auth is refused by every service.

use std::time::{Duration, Instant};

use testkit::ws::GraphqlSocket;

use crate::support::{System, eventually};

#[tokio::test]
async fn every_service_refuses_an_ended_session_within_a_second() {
    let system = System::start().await;
    let mut fastest = Duration::MAX;
    // A busy machine may be late once.
    for name in ["ada", "bob", "cat"] {
        let person = system.customer(name).await;
        let _ = person.gateway.get("/v1/orders").await.expect_status(200);
        let _ = person
            .auth
            .delete("/auth/v1/sessions")
            .await
            .expect_status(204);
        let started = Instant::now();
        let at_auth = person.auth.get("/auth/v1/me").await;
        let _ = at_auth.expect_problem(401, "invalid-token");
        eventually("the gateway refuses it, too", async || {
            let answer = person.gateway.get("/v1/orders").await;
            (answer.status == 401).then_some(())
        })
        .await;
        fastest = fastest.min(started.elapsed());
    }
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    system.stop().await;
}

#[tokio::test]
async fn the_socket_of_an_ended_session_is_closed() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let mut socket = GraphqlSocket::open(system.gateway.base_url(), &ada.access_token).await;
    let _ = ada
        .auth
        .delete("/auth/v1/sessions")
        .await
        .expect_status(204);
    assert_eq!(socket.close_code().await, 4403);
    system.stop().await;
}
