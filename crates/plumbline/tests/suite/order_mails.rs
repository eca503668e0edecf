//! The customer is told by mail how an order ended, in both modes: the worker asks auth whom to
//! write to, and the mail leaves by SMTP or stays in the development mailbox.

use crate::support::System;

#[tokio::test]
async fn the_ends_of_orders_are_told_to_those_who_placed_them() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let bob = system.customer("bob").await;
    let product = system.product().await;
    let sold_out = system.sold_out_product().await;

    for (customer, product, method, subject, words) in [
        (
            &ada,
            &product,
            "pm_card_visa",
            "is confirmed",
            "was paid and confirmed",
        ),
        (
            &bob,
            &product,
            "pm_card_chargeDeclined",
            "is cancelled",
            "payment was declined",
        ),
        (
            &bob,
            &sold_out,
            "pm_card_visa",
            "could not be accepted",
            "not enough left",
        ),
    ] {
        let order = customer.place(product, method).await;
        let number = order["number"].as_str().unwrap();
        let subject = format!("Your order {number} {subject}");
        let (text, html) = system.mail.letter(&customer.email, &subject).await;
        let greeting = customer.email.trim_end_matches("@plumbline.test");
        for said in [&text, &html] {
            assert!(said.contains(&format!("Hello {greeting},")), "{said}");
            assert!(said.contains(number) && said.contains(words), "{said}");
            assert!(said.contains(" EUR"), "{said}");
        }
    }
    system.stop().await;
}
