//! (c) What actix-web and serde cost alone.

use std::error::Error;

use actix_web::{App, HttpServer, web};
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
struct Money {
    amount: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct Product {
    id: Uuid,
    name: &'static str,
    description: &'static str,
    price: Money,
    available: i64,
}

pub async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let server = HttpServer::new(|| {
        App::new()
            .route("/health", web::get().to(async || "ok"))
            .route("/product", web::get().to(product))
    });
    Ok(server.bind(("127.0.0.1", port))?.run().await?)
}

async fn product() -> web::Json<Product> {
    web::Json(Product {
        id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001),
        name: "A thing of the catalogue",
        description: "About as long as the descriptions of the demo catalogue are.",
        price: Money {
            amount: 1_999,
            currency: "EUR",
        },
        available: 1_000,
    })
}
