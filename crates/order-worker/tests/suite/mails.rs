//! The customer is told how an order ended: once, and in spite of everything.

use contracts::{
    Envelope,
    order_event::{OrderEventType, OrderTransitioned, SOURCE},
};
use kernel::{Actor, Clock, OrderId, Role};
use messaging::{Message, RelayWaker};
use orders::{Order, domain::OrderStatus};
use service_kit::mail::Mail;
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    people::email,
    world::{System, World, place, product, someone, until},
};

/// Lets time pass until there is a mail: what failed waits in the outbox for its turn.
async fn in_time(world: &World) {
    until("a mail was sent after all", async || {
        world.pass_a_deadline();
        !world.mailbox.mails(None).is_empty()
    })
    .await;
}

/// Waits for as many mails to the customer; newest first.
async fn mails(world: &World, customer: &Actor, count: usize) -> Vec<Mail> {
    let to = email(customer.user_id);
    until("the mails are there", async || {
        world.mailbox.mails(Some(&to)).len() >= count
    })
    .await;
    let mails = world.mailbox.mails(Some(&to));
    assert_eq!(mails.len(), count, "{mails:#?}");
    mails
}

async fn order(system: &System, id: OrderId) -> Order {
    let admin = someone(Role::Admin);
    system.orders.order(&admin, id).await.unwrap().unwrap()
}

fn assert_says(mail: &Mail, words: &[&str]) {
    for word in words {
        assert!(mail.text.contains(word), "{word}:\n{}", mail.text);
    }
}

/// What the relay would publish of an order that entered this state.
fn event(world: &World, order: &Order, event_type: OrderEventType) -> Message {
    let id = Uuid::now_v7();
    let at = world.clock.now();
    let data = OrderTransitioned {
        order_id: order.id,
        customer_id: order.customer_id,
        status: order.status.as_str().to_owned(),
        version: order.version,
        at,
    };
    let name = event_type.as_str();
    let envelope = Envelope::new(id, SOURCE, name, order.id, at, None, data);
    Message {
        id,
        event_type: name.to_owned(),
        aggregate_id: order.id.into(),
        body: envelope.encode().unwrap().into(),
        traceparent: None,
    }
}

async fn publish(system: &System, message: &Message) {
    for published in system.broker.publish(std::slice::from_ref(message)).await {
        published.unwrap();
    }
}

#[tokio::test]
async fn a_confirmed_order_is_told_of_as_text_and_as_html() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let customer = someone(Role::Customer);
        let product = system.product("Plumb bob, No. 1").await;
        let id = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        let mail = mails(world, &customer, 1).await.remove(0);
        let order = order(&system, id).await;
        assert_eq!(
            mail.subject,
            format!("Your order {} is confirmed", order.number)
        );
        let total = order.total.to_string();
        let told = [
            "Hello Ada & Co.,",
            "1 × Plumb bob, No. 1:",
            &total,
            "https://shop.example",
        ];
        assert_says(&mail, &told);
        assert!(mail.html.contains("Hello Ada &#38; Co.,"), "{}", mail.html);
        assert!(mail.html.contains(&total));
        assert_eq!(mail.token, None);
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn every_other_end_says_what_became_of_the_money() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let [declined, unlucky, refunded] = [(); 3].map(|()| someone(Role::Customer));
        let product = system.product("Plumb bob, No. 1").await;
        let sold_out = system.product("Tape measure, Master's").await;

        let method = "pm_card_chargeDeclined";
        let id = system.place_as(&declined, product, method).await;
        system.reaches(id, OrderStatus::Cancelled).await;
        let told = ["its payment was declined", "Nothing was charged"];
        assert_says(&mails(world, &declined, 1).await[0], &told);

        let id = system.place_as(&unlucky, sold_out, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Rejected).await;
        let told = ["not enough left", "Nothing was charged"];
        assert_says(&mails(world, &unlucky, 1).await[0], &told);

        let id = system.place_as(&refunded, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        let admin = someone(Role::Admin);
        system.orders.refund(&admin, id).await.unwrap();
        system.reaches(id, OrderStatus::Refunded).await;
        let total = order(&system, id).await.total.to_string();
        assert_says(
            &mails(world, &refunded, 2).await[0],
            &["was given back", &total],
        );
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn who_takes_an_order_back_is_told_that_it_was_asked_for() {
    on_each_database(async |world| {
        let customer = someone(Role::Customer);
        // No worker yet: nothing has begun when the customer changes their mind.
        let orders = world.orders(RelayWaker::default()).await;
        let product = product(&orders, "Plumb bob, No. 1").await;
        let id = place(&orders, &customer, product, "pm_card_visa").await;
        orders.cancel(&customer, id).await.unwrap();
        orders.database().close().await.unwrap();

        let system = world.boot().await;
        system.reaches(id, OrderStatus::Cancelled).await;
        assert_says(&mails(world, &customer, 1).await[0], &["as you asked"]);
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_event_that_comes_again_sends_no_second_mail() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let customer = someone(Role::Customer);
        let product = system.product("Plumb bob, No. 1").await;
        let id = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        let first = mails(world, &customer, 1).await.remove(0);
        let order = order(&system, id).await;
        let again = Message {
            id: first.id,
            ..event(world, &order, OrderEventType::Confirmed)
        };
        publish(&system, &again).await;
        // What comes after it in the queue is handled after it.
        let other = event(world, &order, OrderEventType::Refunded);
        publish(&system, &other).await;
        let all = mails(world, &customer, 2).await;
        assert_eq!((all[0].id, all[1].id), (other.id, first.id));
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_message_id_is_that_of_the_event() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let customer = someone(Role::Customer);
        let product = system.product("Plumb bob, No. 1").await;
        let id = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        let _ = mails(world, &customer, 1).await;
        let order = order(&system, id).await;
        let refunded = event(world, &order, OrderEventType::Refunded);
        publish(&system, &refunded).await;
        let mail = mails(world, &customer, 2).await.remove(0);
        assert_eq!((mail.id, mail.at), (refunded.id, world.clock.now()));
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_directory_that_is_away_delays_the_mail_and_no_order() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.people.are_away(true);
        let customer = someone(Role::Customer);
        let product = system.product("Plumb bob, No. 1").await;
        let id = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        until("the directory was asked", async || world.people.calls() > 0).await;
        assert!(world.mailbox.mails(None).is_empty());
        world.people.are_away(false);
        in_time(world).await;
        let _ = mails(world, &customer, 1).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_before_the_mail_was_sent_sends_it_in_the_next_life() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.people.are_away(true);
        let customer = someone(Role::Customer);
        let product = system.product("Plumb bob, No. 1").await;
        let id = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        until("the directory was asked", async || world.people.calls() > 0).await;
        system.crash().await;
        assert!(world.mailbox.mails(None).is_empty());

        world.people.are_away(false);
        let system = world.boot().await;
        in_time(world).await;
        let _ = mails(world, &customer, 1).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;

        // And in the one after that it is not sent again.
        let system = world.boot().await;
        let other = someone(Role::Customer);
        let id = system.place_as(&other, product, "pm_card_visa").await;
        system.reaches(id, OrderStatus::Confirmed).await;
        let _ = mails(world, &other, 1).await;
        let _ = mails(world, &customer, 1).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn who_has_left_is_told_nothing() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let [gone, present] = [(); 2].map(|()| someone(Role::Customer));
        world.people.leave(gone.user_id);
        let product = system.product("Plumb bob, No. 1").await;
        for customer in [&gone, &present] {
            let id = system.place_as(customer, product, "pm_card_visa").await;
            system.reaches(id, OrderStatus::Confirmed).await;
        }
        let _ = mails(world, &present, 1).await;
        until("both were asked about", async || world.people.calls() == 2).await;
        assert_eq!(world.mailbox.mails(None).len(), 1);
        system.end().await;
    })
    .await;
}
