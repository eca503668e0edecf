//! Servers to compare the gateway with (`cargo xtask bench gateway`): each does one thing of the
//! gateway's and nothing around it. They are for loopback and minutes: no authentication, no limits.

mod entities;
mod graphql;
mod json;
mod loader;
mod postgres;

use std::error::Error;
use std::process::ExitCode;

use actix_web::{HttpRequest, error::ErrorBadRequest};
use clap::Parser;
use uuid::Uuid;

/// One of the servers that the gateway is compared with.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    server: Server,
    /// The port on loopback to listen on.
    #[arg(long, global = true, default_value_t = 0)]
    port: u16,
}

#[derive(Debug, clap::Subcommand)]
enum Server {
    /// actix-web, async-graphql and sea-orm as they come, with the gateway's loaders.
    Graphql(Databases),
    /// A handler that writes one product as JSON.
    Json,
    /// actix-web and tokio-postgres: one row as JSON.
    Postgres(Databases),
}

#[derive(Debug, clap::Args)]
struct Databases {
    /// Where the orders are.
    #[arg(long)]
    orders_url: String,
    /// Where the customers are.
    #[arg(long)]
    auth_url: String,
    /// Connections at most.
    #[arg(long, default_value_t = 8)]
    connections: u32,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let Arguments { server, port } = Arguments::parse();
    match serve(server, port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Names whose orders are asked for, in place of an access token.
const CUSTOMER: &str = "x-customer";

/// The customer that a request names.
fn customer(request: &HttpRequest) -> actix_web::Result<Uuid> {
    let header = request.headers().get(CUSTOMER);
    let customer = header.and_then(|value| value.to_str().ok()?.parse().ok());
    customer.ok_or_else(|| ErrorBadRequest("x-customer names a user"))
}

async fn serve(server: Server, port: u16) -> Result<(), Box<dyn Error>> {
    match server {
        Server::Graphql(databases) => graphql::serve(databases, port).await,
        Server::Json => json::serve(port).await,
        Server::Postgres(databases) => postgres::serve(databases, port).await,
    }
}
