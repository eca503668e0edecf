//! (d) What one row of PostgreSQL costs at the least: a prepared statement on a connection of each
//! worker's own, over which requests are pipelined.

use std::error::Error;
use std::rc::Rc;

use actix_web::{App, HttpServer, error::ErrorInternalServerError, error::ErrorNotFound, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use crate::{Databases, customer};

const ORDER: &str = "SELECT id, number, status, total_amount, total_currency, created_at \
                     FROM orders WHERE id = $1 AND customer_id = $2";

#[derive(Serialize)]
struct Money {
    amount: i64,
    currency: String,
}

#[derive(Serialize)]
struct Order {
    id: Uuid,
    number: String,
    status: String,
    total: Money,
    created_at: DateTime<Utc>,
}

/// A worker's connection, made when it is first used.
struct Session {
    url: String,
    connected: OnceCell<(Client, Statement)>,
}

impl Session {
    async fn connected(&self) -> Result<&(Client, Statement), tokio_postgres::Error> {
        self.connected
            .get_or_try_init(|| async {
                let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
                actix_web::rt::spawn(async move {
                    if let Err(error) = connection.await {
                        eprintln!("{error}");
                    }
                });
                let order = client.prepare(ORDER).await?;
                Ok((client, order))
            })
            .await
    }
}

pub async fn serve(databases: Databases, port: u16) -> Result<(), Box<dyn Error>> {
    let server = HttpServer::new(move || {
        let session = Rc::new(Session {
            url: databases.orders_url.clone(),
            connected: OnceCell::new(),
        });
        App::new()
            .app_data(session)
            .route("/health", web::get().to(async || "ok"))
            .route("/order/{id}", web::get().to(order))
    });
    Ok(server.bind(("127.0.0.1", port))?.run().await?)
}

async fn order(
    request: actix_web::HttpRequest,
    id: web::Path<Uuid>,
) -> actix_web::Result<web::Json<Order>> {
    let customer = customer(&request)?;
    let session = request.app_data::<Rc<Session>>();
    let session = session.ok_or_else(|| ErrorInternalServerError("there is no session"))?;
    let (client, statement) = session
        .connected()
        .await
        .map_err(ErrorInternalServerError)?;
    let row = client
        .query_opt(statement, &[&*id, &customer])
        .await
        .map_err(ErrorInternalServerError)?;
    let row = row.ok_or_else(|| ErrorNotFound("there is no such order"))?;
    Ok(web::Json(Order {
        id: row.get(0),
        number: row.get(1),
        status: row.get(2),
        total: Money {
            amount: row.get(3),
            currency: row.get(4),
        },
        created_at: row.get(5),
    }))
}
