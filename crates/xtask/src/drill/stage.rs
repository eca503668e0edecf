//! A running system with customers, on which one drill after another is held.

use std::collections::HashMap;
use std::time::Instant;

use tokio::sync::watch;

use super::catalogue::Drill;
use super::controls::Control;
use super::customers::{self, Customer};
use super::edge::Edge;
use super::faults::until_accepted;
use super::orders::{self, Accepted};
use super::random::Random;
use super::recovery;
use crate::command::Failure;
use crate::load::system::System;

/// Pieces of what is scarce, of which everybody wants one to three.
const SCARCE: usize = 10;

/// What was asked for on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub seed: u64,
    pub orders: usize,
}

/// What a drill that passed has shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub orders: usize,
    pub recovery_seconds: Option<f64>,
}

#[derive(Debug)]
pub struct Stage {
    pub system: System,
    emails: Vec<String>,
    products: Vec<String>,
    /// Orders that each customer has, by address.
    placed: HashMap<String, usize>,
}

impl Stage {
    /// Registers the customers.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn open(system: System) -> Result<Self, Failure> {
        Ok(Self {
            emails: customers::register(&system).await?,
            products: customers::products(&system).await?,
            placed: HashMap::new(),
            system,
        })
    }

    /// Loads the system, does to it what the drill is about, and waits until all is well.
    ///
    /// # Errors
    /// When it never is.
    pub async fn hold(&mut self, drill: &Drill, size: Size) -> Result<Shown, Failure> {
        let mut random = Random::new(size.seed);
        let customers = customers::log_in(&self.system, &self.emails).await?;
        drill.fault.prepare(&mut self.system, &mut random).await?;
        let accepted = self.load(drill, size, &customers).await?;
        let healed = Instant::now();
        recovery::ends(&self.system, &accepted, drill.is_scarce).await?;
        recovery::green(&self.system).await?;
        let recovery = healed.elapsed();
        drill.fault.clear(&mut self.system).await?;
        recovery::repeat(&self.system, &accepted).await?;
        recovery::count(&self.system, &customers, &self.placed).await?;
        Ok(Shown {
            orders: accepted.len(),
            recovery_seconds: Some(recovery.as_secs_f64()),
        })
    }

    /// The same without one safeguard, until the auditor notices.
    ///
    /// # Errors
    /// When it does not.
    pub async fn control(
        &mut self,
        control: &Control,
        drill: &Drill,
        size: Size,
    ) -> Result<Shown, Failure> {
        if let Some(statement) = control.remove {
            self.system.orders_sql(statement)?;
        }
        // Not of auth, whose mails would be lost with its events.
        for role in self.system.ordering_roles() {
            let without = control.safeguard.as_str();
            role.process.command().env(fail_points::WITHOUT, without);
            role.start().await?;
        }
        let mut random = Random::new(size.seed);
        let customers = customers::log_in(&self.system, &self.emails).await?;
        drill.fault.prepare(&mut self.system, &mut random).await?;
        let accepted = self.load(drill, size, &customers).await?;
        recovery::red(&self.system, control.invariant).await?;
        Ok(Shown {
            orders: accepted.len(),
            recovery_seconds: None,
        })
    }

    /// Places the orders, and injects the fault when a third of them is accepted.
    async fn load(
        &mut self,
        drill: &Drill,
        size: Size,
        customers: &[Customer],
    ) -> Result<Vec<Accepted>, Failure> {
        let key = format!("{}-{}", drill.name, size.seed);
        let products = if drill.is_scarce {
            vec![recovery::scarce_product(&self.system, SCARCE, &key).await?]
        } else {
            self.products.clone()
        };
        let load = drill.load(size.orders);
        let plan = load.plan(drill.name, size.seed, customers, &products);
        let (counter, progress) = watch::channel(0);
        let edge = if drill.is_strict {
            Some(Edge::start(&self.system).await?)
        } else {
            None
        };
        let gateways = match &edge {
            Some(edge) => vec![edge.url()],
            None => self.system.gateway_urls(),
        };
        let fault = async {
            if drill.fault.waits_for_orders() {
                until_accepted(progress, size.orders / 3).await?;
            }
            drill.fault.inject(&mut self.system).await
        };
        let (accepted, ()) = tokio::try_join!(orders::place(plan, gateways, &counter), fault)?;
        if let Some(edge) = edge {
            edge.stop().await?;
        }
        for order in &accepted {
            let email = order.wanted.customer.email.clone();
            *self.placed.entry(email).or_default() += 1;
        }
        Ok(accepted)
    }
}
