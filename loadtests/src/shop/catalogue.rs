//! The products on sale, and how much of each this run may still order.

use std::sync::atomic::{AtomicI64, Ordering};

use rand::RngExt;
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::client::{ShopClient, json};
use crate::failure::Failure;

/// Pages of 100 that are read at most.
const MAX_PAGES: usize = 20;

/// Read once before the clock starts. Running out of stock would turn orders into `REJECTED` and
/// measure another path than the one meant, so the generator keeps its own count.
#[derive(Debug)]
pub struct Catalogue {
    products: Vec<Product>,
}

#[derive(Debug)]
pub struct Product {
    pub id: String,
    pub name: String,
    stock: AtomicI64,
}

impl Catalogue {
    /// # Errors
    /// When the products cannot be read.
    pub async fn read(client: &ShopClient) -> Result<Self, Failure> {
        let mut products = Vec::new();
        let mut after = None;
        for _ in 0..MAX_PAGES {
            let mut request = client
                .gateway(Method::GET, "/v1/products")
                .query(&[("first", "100")]);
            if let Some(cursor) = &after {
                request = request.query(&[("after", cursor)]);
            }
            let page: ProductPage = json(request, StatusCode::OK).await?;
            products.extend(page.items.into_iter().map(Product::from));
            after = page.page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(Self { products })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// How many single pieces can be ordered.
    #[must_use]
    pub fn stock(&self) -> u64 {
        let pieces = |product: &Product| product.stock.load(Ordering::Relaxed);
        self.products.iter().map(pieces).sum::<i64>().unsigned_abs()
    }

    /// Any product. None when the shop has none.
    pub fn any(&self, random: &mut impl rand::Rng) -> Option<&Product> {
        let last = self.products.len().checked_sub(1)?;
        self.products.get(random.random_range(0..=last))
    }

    /// A word to search for that finds at least one product.
    pub fn search_term(&self, random: &mut impl rand::Rng) -> Option<&str> {
        let words = self.any(random)?.name.split(|c: char| !c.is_alphanumeric());
        words.max_by_key(|word| word.len())
    }

    /// Takes one piece of a random product that has some left.
    pub fn take_piece(&self, random: &mut impl rand::Rng) -> Option<&Product> {
        let last = self.products.len().checked_sub(1)?;
        let (before, from) = self.products.split_at(random.random_range(0..=last));
        from.iter()
            .chain(before)
            .find(|product| product.take_piece())
    }
}

impl Product {
    fn take_piece(&self) -> bool {
        let take = |stock: i64| (stock > 0).then(|| stock - 1);
        self.stock
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

#[derive(Deserialize)]
struct ProductPage {
    items: Vec<ProductAnswer>,
    page: PageAnswer,
}

#[derive(Deserialize)]
struct PageAnswer {
    next: Option<String>,
}

#[derive(Deserialize)]
struct ProductAnswer {
    id: String,
    name: String,
    available: i64,
}

impl From<ProductAnswer> for Product {
    fn from(answer: ProductAnswer) -> Self {
        Self {
            id: answer.id,
            name: answer.name,
            stock: AtomicI64::new(answer.available.max(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn catalogue(stocks: &[i64]) -> Catalogue {
        let product = |(index, available): (usize, &i64)| {
            let (id, name) = (index.to_string(), format!("A fine kettle, No. {index}"));
            Product::from(ProductAnswer {
                id,
                name,
                available: *available,
            })
        };
        Catalogue {
            products: stocks.iter().enumerate().map(product).collect(),
        }
    }

    #[test]
    fn pieces_are_taken_until_the_stock_is_gone() {
        let catalogue = catalogue(&[2, 0, 3, -4]);
        let mut random = StdRng::seed_from_u64(1);
        let mut taken: Vec<_> = (0..5)
            .map(|_| catalogue.take_piece(&mut random).unwrap().id.clone())
            .collect();
        taken.sort();
        assert_eq!(taken, ["0", "0", "2", "2", "2"]);
        assert!(catalogue.take_piece(&mut random).is_none());
        assert_eq!(catalogue.stock(), 0);
    }

    #[test]
    fn an_empty_shop_offers_nothing() {
        let mut random = StdRng::seed_from_u64(1);
        assert!(catalogue(&[]).any(&mut random).is_none());
        assert!(catalogue(&[]).take_piece(&mut random).is_none());
    }

    #[test]
    fn search_terms_are_words_of_product_names() {
        let mut random = StdRng::seed_from_u64(1);
        assert_eq!(catalogue(&[1]).search_term(&mut random), Some("kettle"));
    }
}
