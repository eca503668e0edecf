//! A shop to try things in: sixty products, one of them sold out.

use chrono::TimeDelta;
use kernel::{Currency, ProductId};
use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait};

use crate::{
    OrderError, Orders,
    store::{products, stock},
};

/// Enough that a load test does not sell the shop out.
const IN_STOCK: i64 = 1_000_000;

const KINDS: [(&str, &str, i64); 12] = [
    ("Plumb bob", "Points straight down, always.", 1_250),
    ("Spirit level", "Forty centimetres, two vials.", 2_490),
    ("Chalk line", "Thirty metres on a geared reel.", 1_690),
    ("Folding rule", "Two metres of beech.", 990),
    ("Try square", "A right angle, guaranteed.", 1_890),
    (
        "Marking gauge",
        "Scribes a line parallel to the edge.",
        2_150,
    ),
    ("Claw hammer", "Sixteen ounces, hickory handle.", 2_790),
    ("Block plane", "Low angle, for end grain.", 5_900),
    ("Dovetail saw", "Fine teeth, brass back.", 4_450),
    ("Chisel", "Bevel-edged, holds its edge.", 1_990),
    ("Mallet", "Turned beech.", 1_590),
    ("Tape measure", "Five metres, locks where you stop.", 1_190),
];

const EDITIONS: [(&str, i64); 5] = [
    ("No. 1", 0),
    ("No. 2", 150),
    ("Workshop", 480),
    ("Heritage", 1_900),
    ("Master's", 3_750),
];

impl Orders {
    /// Fills an empty catalogue; a catalogue with products in it is left alone.
    /// Returns how many products it added.
    pub async fn seed_demo_shop(&self) -> Result<usize, OrderError> {
        if products::Entity::find()
            .count(self.database.reader())
            .await?
            > 0
        {
            return Ok(0);
        }
        let now = self.clock.now();
        let mut items = Vec::new();
        let mut counters = Vec::new();
        for (kind, description, price) in KINDS {
            for (edition, extra) in EDITIONS {
                // A millisecond apart, so that the catalogue has a stable order.
                let created_at = now + TimeDelta::milliseconds(items.len() as i64);
                let id = ProductId::generate(created_at);
                let sold_out = kind == "Tape measure" && edition == "Master's";
                let total = if sold_out { 0 } else { IN_STOCK };
                items.push(products::ActiveModel {
                    id: Set(id.into()),
                    name: Set(format!("{kind}, {edition}")),
                    description: Set(description.to_owned()),
                    price_amount: Set(price + extra),
                    price_currency: Set(Currency::EUR.into()),
                    created_at: Set(created_at),
                    updated_at: Set(created_at),
                    version: Set(1),
                });
                counters.push(stock::ActiveModel {
                    product_id: Set(id.into()),
                    total: Set(total),
                    available: Set(total),
                    reserved: Set(0),
                    sold: Set(0),
                });
            }
        }
        let added = items.len();
        let transaction = self.database.begin().await?;
        products::Entity::insert_many(items)
            .exec_without_returning(&transaction)
            .await?;
        stock::Entity::insert_many(counters)
            .exec_without_returning(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(added)
    }
}
