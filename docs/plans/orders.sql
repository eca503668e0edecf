-- Every statement that the suites ask of the orders database, with its plan for any parameters,
-- and a limit of 100, over the large data set of crates/plan-gate. Written by `cargo xtask plans --write`.
-- By hand, only add a line `-- Accepted: <reason>` above a statement whose plan is right although the
-- gate refuses it.
-- PostgreSQL 15

DELETE FROM "inbox" WHERE ("consumer", "message_id") IN (SELECT "inbox"."consumer", "inbox"."message_id" FROM "inbox" WHERE "inbox"."received_at" < $1 ORDER BY "inbox"."received_at" ASC LIMIT $2);
--   Delete on inbox
--     ->  Nested Loop
--           ->  HashAggregate
--                 Group Key: "ANY_subquery".consumer, "ANY_subquery".message_id
--                 ->  Subquery Scan on "ANY_subquery"
--                       ->  Limit
--                             ->  Index Scan using inbox_received_at on inbox inbox_1
--                                   Index Cond: (received_at < $1)
--           ->  Index Scan using inbox_pkey on inbox
--                 Index Cond: ((consumer = "ANY_subquery".consumer) AND (message_id = "ANY_subquery".message_id))

DELETE FROM "outbox" WHERE "outbox"."seq" IN (SELECT "outbox"."seq" FROM "outbox" WHERE "outbox"."published_at" < $1 ORDER BY "outbox"."published_at" ASC LIMIT $2);
--   Delete on outbox
--     ->  Nested Loop
--           ->  HashAggregate
--                 Group Key: "ANY_subquery".seq
--                 ->  Subquery Scan on "ANY_subquery"
--                       ->  Limit
--                             ->  Index Scan using outbox_published on outbox outbox_1
--                                   Index Cond: (published_at < $1)
--           ->  Index Scan using outbox_pkey on outbox
--                 Index Cond: (seq = "ANY_subquery".seq)

INSERT INTO "catalogue_requests" ("actor_id", "idempotency_key", "body_hash", "product_id", "created_at") VALUES ($1, $2, $3, $4, $5) ON CONFLICT ("actor_id", "idempotency_key") DO NOTHING;
--   Insert on catalogue_requests
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: catalogue_requests_pkey
--     ->  Result

INSERT INTO "inbox" ("consumer", "message_id", "received_at") VALUES ($1, $2, $3) ON CONFLICT ("consumer", "message_id") DO NOTHING;
--   Insert on inbox
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: inbox_pkey
--     ->  Result

INSERT INTO "order_history" ("order_id", "version", "status", "at") VALUES ($1, $2, $3, $4);
--   Insert on order_history
--     ->  Result

INSERT INTO "order_lines" ("order_id", "position", "product_id", "product_name", "quantity", "unit_amount") VALUES ($1, $2, $3, $4, $5, $6);
--   Insert on order_lines
--     ->  Result

INSERT INTO "orders" ("id", "number", "customer_id", "status", "version", "total_amount", "total_currency", "payment_method", "idempotency_key", "body_hash", "created_at", "updated_at", "deadline_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT ("customer_id", "idempotency_key") DO NOTHING;
--   Insert on orders
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: orders_idempotency
--     ->  Result

INSERT INTO "outbox" ("id", "aggregate_type", "aggregate_id", "event_type", "body", "traceparent", "created_at", "available_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on outbox
--     ->  Result

INSERT INTO "payment_attempts" ("id", "order_id", "intent_id", "status", "amount", "currency", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on payment_attempts
--     ->  Result

INSERT INTO "payment_notices" ("event_id", "intent_id", "event_type", "received_at") VALUES ($1, $2, $3, $4) ON CONFLICT ("event_id") DO NOTHING;
--   Insert on payment_notices
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: payment_notices_pkey
--     ->  Result

INSERT INTO "products" ("id", "name", "description", "price_amount", "price_currency", "created_at", "updated_at", "version") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on products
--     ->  Result

INSERT INTO "refunds" ("id", "order_id", "intent_id", "provider_refund_id", "status", "amount", "currency", "requested_by", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
--   Insert on refunds
--     ->  Result

INSERT INTO "stock" ("product_id", "total", "available", "reserved", "sold") VALUES ($1, $2, $3, $4, $5);
--   Insert on stock
--     ->  Result

INSERT INTO "stock_reservations" ("order_id", "product_id", "quantity", "state") SELECT "order_id", "product_id", "quantity", $1 FROM "order_lines" WHERE "order_id" = $2;
--   Insert on stock_reservations
--     ->  Index Scan using order_lines_pkey on order_lines
--           Index Cond: (order_id = $2)

SELECT "catalogue_requests"."actor_id", "catalogue_requests"."idempotency_key", "catalogue_requests"."body_hash", "catalogue_requests"."product_id", "catalogue_requests"."created_at" FROM "catalogue_requests" WHERE "catalogue_requests"."actor_id" = $1 AND "catalogue_requests"."idempotency_key" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using catalogue_requests_pkey on catalogue_requests
--           Index Cond: ((actor_id = $1) AND (idempotency_key = $2))

SELECT "inbox"."consumer", "inbox"."message_id", "inbox"."received_at" FROM "inbox" WHERE "inbox"."consumer" = $1 AND "inbox"."message_id" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using inbox_pkey on inbox
--           Index Cond: ((consumer = $1) AND (message_id = $2))

SELECT "order_history"."order_id", "order_history"."version", "order_history"."status", "order_history"."at" FROM "order_history" WHERE "order_history"."order_id" IN ($1, $2) ORDER BY "order_history"."order_id" ASC, "order_history"."version" ASC;
--   Index Scan using order_history_pkey on order_history
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "order_lines"."order_id", "order_lines"."position", "order_lines"."product_id", "order_lines"."product_name", "order_lines"."quantity", "order_lines"."unit_amount" FROM "order_lines" WHERE "order_lines"."order_id" IN ($1, $2) ORDER BY "order_lines"."order_id" ASC, "order_lines"."position" ASC;
--   Index Scan using order_lines_pkey on order_lines
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $1;
--   Limit
--     ->  Index Scan Backward using orders_page on orders

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."created_at" < $1 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $2;
--   Limit
--     ->  Index Scan Backward using orders_page on orders
--           Index Cond: (created_at < $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."created_at" >= $1 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $2;
--   Limit
--     ->  Index Scan Backward using orders_page on orders
--           Index Cond: (created_at >= $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 AND "orders"."id" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = $2)
--           Filter: (customer_id = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 AND "orders"."id" IN ($2, $3);
--   Bitmap Heap Scan on orders
--     Recheck Cond: (customer_id = $1)
--     Filter: (id = ANY (ARRAY[$2, $3]))
--     ->  Bitmap Index Scan on orders_idempotency
--           Index Cond: (customer_id = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 AND "orders"."idempotency_key" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using orders_idempotency on orders
--           Index Cond: ((customer_id = $1) AND (idempotency_key = $2))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 AND "orders"."number" = $2 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $3;
--   Limit
--     ->  Sort
--           Sort Key: created_at DESC, id DESC
--           ->  Index Scan using orders_number_key on orders
--                 Index Cond: (number = $2)
--                 Filter: (customer_id = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 AND ("orders"."created_at", "orders"."id") < ($2, $3) ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $4;
--   Limit
--     ->  Index Scan Backward using orders_of_customer on orders
--           Index Cond: ((customer_id = $1) AND (ROW(created_at, id) < ROW($2, $3)))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 AND ("orders"."created_at", "orders"."id") > ($2, $3) ORDER BY "orders"."created_at" ASC, "orders"."id" ASC LIMIT $4;
--   Limit
--     ->  Index Scan using orders_of_customer on orders
--           Index Cond: ((customer_id = $1) AND (ROW(created_at, id) > ROW($2, $3)))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 ORDER BY "orders"."created_at" ASC, "orders"."id" ASC LIMIT $2;
--   Limit
--     ->  Sort
--           Sort Key: created_at, id
--           ->  Bitmap Heap Scan on orders
--                 Recheck Cond: (customer_id = $1)
--                 ->  Bitmap Index Scan on orders_idempotency
--                       Index Cond: (customer_id = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."customer_id" = $1 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $2;
--   Limit
--     ->  Sort
--           Sort Key: created_at DESC, id DESC
--           ->  Bitmap Heap Scan on orders
--                 Recheck Cond: (customer_id = $1)
--                 ->  Bitmap Index Scan on orders_idempotency
--                       Index Cond: (customer_id = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."id" = $1 AND "orders"."customer_id" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = $1)
--           Filter: (customer_id = $2)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."id" = $1 AND "orders"."status" IN ($2, $3) LIMIT $4;
--   Limit
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = $1)
--           Filter: (status = ANY (ARRAY[$2, $3]))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."id" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."id" IN ($1, $2);
--   Index Scan using orders_pkey on orders
--     Index Cond: (id = ANY (ARRAY[$1, $2]))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."number" = $1 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $2;
--   Limit
--     ->  Sort
--           Sort Key: created_at DESC, id DESC
--           ->  Index Scan using orders_number_key on orders
--                 Index Cond: (number = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 AND "orders"."created_at" < $2 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $3;
--   Limit
--     ->  Index Scan Backward using orders_page on orders
--           Index Cond: (created_at < $2)
--           Filter: (status = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 AND "orders"."number" = $2 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $3;
--   Limit
--     ->  Sort
--           Sort Key: created_at DESC, id DESC
--           ->  Index Scan using orders_number_key on orders
--                 Index Cond: (number = $2)
--                 Filter: (status = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 AND ("orders"."created_at", "orders"."id") < ($2, $3) ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $4;
--   Limit
--     ->  Index Scan Backward using orders_page on orders
--           Index Cond: (ROW(created_at, id) < ROW($2, $3))
--           Filter: (status = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 AND ("orders"."created_at", "orders"."id") > ($2, $3) ORDER BY "orders"."created_at" ASC, "orders"."id" ASC LIMIT $4;
--   Limit
--     ->  Index Scan using orders_page on orders
--           Index Cond: (ROW(created_at, id) > ROW($2, $3))
--           Filter: (status = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 ORDER BY "orders"."created_at" ASC, "orders"."id" ASC LIMIT $2;
--   Limit
--     ->  Index Scan using orders_page on orders
--           Filter: (status = $1)

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT $2;
--   Limit
--     ->  Index Scan Backward using orders_page on orders
--           Filter: (status = $1)

-- Accepted: only tests of crates/messaging look at all rows
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at" FROM "outbox";
--   Seq Scan on outbox

-- Accepted: only tests of crates/messaging look at all rows
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at" FROM "outbox" ORDER BY "outbox"."seq" ASC;
--   Index Scan using outbox_pkey on outbox

SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at" FROM "outbox" WHERE "outbox"."id" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using outbox_id_key on outbox
--           Index Cond: (id = $1)

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" = $1 AND "payment_attempts"."status" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $1)
--           Filter: (status = $2)

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" = $1 AND "payment_attempts"."status" IN ($2, $3) LIMIT $4;
--   Limit
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $1)
--           Filter: (status = ANY (ARRAY[$2, $3]))

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" IN ($1, $2) ORDER BY "payment_attempts"."order_id" ASC, "payment_attempts"."created_at" ASC, "payment_attempts"."id" ASC;
--   Incremental Sort
--     Sort Key: order_id, created_at, id
--     Presorted Key: order_id
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "product_id" FROM "stock" WHERE "product_id" IN (SELECT "product_id" FROM "order_lines" WHERE "order_id" = $1) ORDER BY "product_id" ASC FOR UPDATE;
--   LockRows
--     ->  Sort
--           Sort Key: stock.product_id
--           ->  Nested Loop
--                 ->  Unique
--                       ->  Sort
--                             Sort Key: order_lines.product_id
--                             ->  Index Scan using order_lines_pkey on order_lines
--                                   Index Cond: (order_id = $1)
--                 ->  Index Scan using stock_pkey on stock
--                       Index Cond: (product_id = order_lines.product_id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" ORDER BY "products"."created_at" ASC, "products"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Scan using products_page on products
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" ORDER BY "products"."created_at" DESC, "products"."id" DESC LIMIT $1;
--   Limit
--     ->  Index Scan Backward using products_page on products
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" ORDER BY "products"."price_currency" ASC, "products"."price_amount" ASC, "products"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Scan using products_by_price on products
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" ORDER BY "products"."price_currency" DESC, "products"."price_amount" DESC, "products"."id" DESC LIMIT $1;
--   Limit
--     ->  Index Scan Backward using products_by_price on products
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" ORDER BY LOWER("products"."name") COLLATE "C" ASC, "products"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Scan using products_by_name on products
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" ORDER BY LOWER("products"."name") COLLATE "C" DESC, "products"."id" DESC LIMIT $1;
--   Limit
--     ->  Index Scan Backward using products_by_name on products
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE "products"."id" IN ($1, $2);
--   Index Scan using products_pkey on products
--     Index Cond: (id = ANY (ARRAY[$1, $2]))
--     SubPlan 1
--       ->  Index Scan using stock_pkey on stock
--             Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE ("products"."created_at", "products"."id") < ($1, $2) ORDER BY "products"."created_at" DESC, "products"."id" DESC LIMIT $3;
--   Limit
--     ->  Index Scan Backward using products_page on products
--           Index Cond: (ROW(created_at, id) < ROW($1, $2))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE ("products"."created_at", "products"."id") > ($1, $2) ORDER BY "products"."created_at" ASC, "products"."id" ASC LIMIT $3;
--   Limit
--     ->  Index Scan using products_page on products
--           Index Cond: (ROW(created_at, id) > ROW($1, $2))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE ("products"."price_currency", "products"."price_amount", "products"."id") < ($1, $2, $3) ORDER BY "products"."price_currency" DESC, "products"."price_amount" DESC, "products"."id" DESC LIMIT $4;
--   Limit
--     ->  Index Scan Backward using products_by_price on products
--           Index Cond: (ROW(price_currency, price_amount, id) < ROW($1, $2, $3))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE ("products"."price_currency", "products"."price_amount", "products"."id") > ($1, $2, $3) ORDER BY "products"."price_currency" ASC, "products"."price_amount" ASC, "products"."id" ASC LIMIT $4;
--   Limit
--     ->  Index Scan using products_by_price on products
--           Index Cond: (ROW(price_currency, price_amount, id) > ROW($1, $2, $3))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") <= LOWER($1) AND (LOWER("products"."name") COLLATE "C", "products"."id") < (LOWER($2), $3) ORDER BY LOWER("products"."name") COLLATE "C" DESC, "products"."id" DESC LIMIT $4;
--   Limit
--     ->  Index Scan Backward using products_by_name on products
--           Index Cond: (((lower(name))::text <= lower($1)) AND (ROW((lower(name))::text, id) < ROW(lower($2), $3)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) AND ("products"."created_at", "products"."id") < ($3, $4) ORDER BY "products"."created_at" DESC, "products"."id" DESC LIMIT $5;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       Filter: (ROW(created_at, id) < ROW($3, $4))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) AND ("products"."created_at", "products"."id") > ($3, $4) ORDER BY "products"."created_at" ASC, "products"."id" ASC LIMIT $5;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       Filter: (ROW(created_at, id) > ROW($3, $4))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) AND ("products"."price_currency", "products"."price_amount", "products"."id") < ($3, $4, $5) ORDER BY "products"."price_currency" DESC, "products"."price_amount" DESC, "products"."id" DESC LIMIT $6;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency DESC, products.price_amount DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       Filter: (ROW(price_currency, price_amount, id) < ROW($3, $4, $5))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) AND ("products"."price_currency", "products"."price_amount", "products"."id") > ($3, $4, $5) ORDER BY "products"."price_currency" ASC, "products"."price_amount" ASC, "products"."id" ASC LIMIT $6;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency, products.price_amount, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       Filter: (ROW(price_currency, price_amount, id) > ROW($3, $4, $5))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) AND (LOWER("products"."name") COLLATE "C") <= LOWER($3) AND (LOWER("products"."name") COLLATE "C", "products"."id") < (LOWER($4), $5) ORDER BY LOWER("products"."name") COLLATE "C" DESC, "products"."id" DESC LIMIT $6;
--   Limit
--     ->  Index Scan Backward using products_by_name on products
--           Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)) AND ((lower(name))::text <= lower($3)) AND (ROW((lower(name))::text, id) < ROW(lower($4), $5)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) AND (LOWER("products"."name") COLLATE "C") >= LOWER($3) AND (LOWER("products"."name") COLLATE "C", "products"."id") > (LOWER($4), $5) ORDER BY LOWER("products"."name") COLLATE "C" ASC, "products"."id" ASC LIMIT $6;
--   Limit
--     ->  Index Scan using products_by_name on products
--           Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)) AND ((lower(name))::text >= lower($3)) AND (ROW((lower(name))::text, id) > ROW(lower($4), $5)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) ORDER BY "products"."created_at" ASC, "products"."id" ASC LIMIT $3;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) ORDER BY "products"."created_at" DESC, "products"."id" DESC LIMIT $3;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) ORDER BY "products"."price_currency" ASC, "products"."price_amount" ASC, "products"."id" ASC LIMIT $3;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency, products.price_amount, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) ORDER BY "products"."price_currency" DESC, "products"."price_amount" DESC, "products"."id" DESC LIMIT $3;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency DESC, products.price_amount DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--                       ->  Bitmap Index Scan on products_by_name
--                             Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) ORDER BY LOWER("products"."name") COLLATE "C" ASC, "products"."id" ASC LIMIT $3;
--   Limit
--     ->  Index Scan using products_by_name on products
--           Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C") < LOWER($2) ORDER BY LOWER("products"."name") COLLATE "C" DESC, "products"."id" DESC LIMIT $3;
--   Limit
--     ->  Index Scan Backward using products_by_name on products
--           Index Cond: (((lower(name))::text >= lower($1)) AND ((lower(name))::text < lower($2)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE (LOWER("products"."name") COLLATE "C") >= LOWER($1) AND (LOWER("products"."name") COLLATE "C", "products"."id") > (LOWER($2), $3) ORDER BY LOWER("products"."name") COLLATE "C" ASC, "products"."id" ASC LIMIT $4;
--   Limit
--     ->  Index Scan using products_by_name on products
--           Index Cond: (((lower(name))::text >= lower($1)) AND (ROW((lower(name))::text, id) > ROW(lower($2), $3)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) AND ("products"."created_at", "products"."id") < ($2, $3) ORDER BY "products"."created_at" DESC, "products"."id" DESC LIMIT $4;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       Filter: (ROW(created_at, id) < ROW($2, $3))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) AND ("products"."created_at", "products"."id") > ($2, $3) ORDER BY "products"."created_at" ASC, "products"."id" ASC LIMIT $4;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       Filter: (ROW(created_at, id) > ROW($2, $3))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) AND ("products"."price_currency", "products"."price_amount", "products"."id") < ($2, $3, $4) ORDER BY "products"."price_currency" DESC, "products"."price_amount" DESC, "products"."id" DESC LIMIT $5;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency DESC, products.price_amount DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       Filter: (ROW(price_currency, price_amount, id) < ROW($2, $3, $4))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) AND ("products"."price_currency", "products"."price_amount", "products"."id") > ($2, $3, $4) ORDER BY "products"."price_currency" ASC, "products"."price_amount" ASC, "products"."id" ASC LIMIT $5;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency, products.price_amount, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       Filter: (ROW(price_currency, price_amount, id) > ROW($2, $3, $4))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) AND (LOWER("products"."name") COLLATE "C") <= LOWER($2) AND (LOWER("products"."name") COLLATE "C", "products"."id") < (LOWER($3), $4) ORDER BY LOWER("products"."name") COLLATE "C" DESC, "products"."id" DESC LIMIT $5;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: ((lower(products.name))::text) COLLATE "C" DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: ((lower(name) ~~ lower($1)) AND ((lower(name))::text <= lower($2)) AND (ROW((lower(name))::text, id) < ROW(lower($3), $4)))
--                       ->  BitmapAnd
--                             ->  Bitmap Index Scan on products_search
--                                   Index Cond: (lower(name) ~~ lower($1))
--                             ->  Bitmap Index Scan on products_by_name
--                                   Index Cond: (((lower(name))::text <= lower($2)) AND (ROW((lower(name))::text, id) < ROW(lower($3), $4)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) AND (LOWER("products"."name") COLLATE "C") >= LOWER($2) AND (LOWER("products"."name") COLLATE "C", "products"."id") > (LOWER($3), $4) ORDER BY LOWER("products"."name") COLLATE "C" ASC, "products"."id" ASC LIMIT $5;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: ((lower(products.name))::text) COLLATE "C", products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: ((lower(name) ~~ lower($1)) AND ((lower(name))::text >= lower($2)) AND (ROW((lower(name))::text, id) > ROW(lower($3), $4)))
--                       ->  BitmapAnd
--                             ->  Bitmap Index Scan on products_search
--                                   Index Cond: (lower(name) ~~ lower($1))
--                             ->  Bitmap Index Scan on products_by_name
--                                   Index Cond: (((lower(name))::text >= lower($2)) AND (ROW((lower(name))::text, id) > ROW(lower($3), $4)))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) ORDER BY "products"."created_at" ASC, "products"."id" ASC LIMIT $2;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) ORDER BY "products"."created_at" DESC, "products"."id" DESC LIMIT $2;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.created_at DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) ORDER BY "products"."price_currency" ASC, "products"."price_amount" ASC, "products"."id" ASC LIMIT $2;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency, products.price_amount, products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) ORDER BY "products"."price_currency" DESC, "products"."price_amount" DESC, "products"."id" DESC LIMIT $2;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: products.price_currency DESC, products.price_amount DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) ORDER BY LOWER("products"."name") COLLATE "C" ASC, "products"."id" ASC LIMIT $2;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: ((lower(products.name))::text) COLLATE "C", products.id
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

-- Accepted: what a search finds is sorted: no index has both the parts of names and the order, and a shop has thousands of products, not millions
SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version", (SELECT "stock"."available" FROM "stock" WHERE "stock"."product_id" = "products"."id") AS "available" FROM "products" WHERE LOWER("products"."name") LIKE LOWER($1) ORDER BY LOWER("products"."name") COLLATE "C" DESC, "products"."id" DESC LIMIT $2;
--   Limit
--     ->  Result
--           ->  Sort
--                 Sort Key: ((lower(products.name))::text) COLLATE "C" DESC, products.id DESC
--                 ->  Bitmap Heap Scan on products
--                       Recheck Cond: (lower(name) ~~ lower($1))
--                       ->  Bitmap Index Scan on products_search
--                             Index Cond: (lower(name) ~~ lower($1))
--           SubPlan 1
--             ->  Index Scan using stock_pkey on stock
--                   Index Cond: (product_id = products.id)

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at" FROM "refunds" WHERE "refunds"."order_id" = $1 AND "refunds"."status" = $2 AND "refunds"."status" <> $3 LIMIT $4;
--   Limit
--     ->  Index Scan using refunds_any_of_order on refunds
--           Index Cond: (order_id = $1)
--           Filter: ((status <> $3) AND (status = $2))

-- Accepted: only tests of crates/messaging count all rows
SELECT COUNT(*) AS num_items FROM (SELECT "inbox"."consumer", "inbox"."message_id", "inbox"."received_at" FROM "inbox") AS "sub_query";
--   Aggregate
--     ->  Seq Scan on inbox

SELECT COUNT(*) AS num_items FROM (SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at" FROM "outbox" WHERE "outbox"."published_at" IS NULL) AS "sub_query";
--   Aggregate
--     ->  Index Only Scan using outbox_unpublished_aggregate on outbox

-- Accepted: once at the start of a demo: is the catalogue empty?
SELECT COUNT(*) AS num_items FROM (SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version" FROM "products") AS "sub_query";
--   Aggregate
--     ->  Seq Scan on products

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM (SELECT order_id FROM payment_attempts WHERE status = 'succeeded' GROUP BY order_id HAVING COUNT(*) > 1) twice;
--   Aggregate
--     ->  HashAggregate
--           Group Key: payment_attempts.order_id
--           Filter: (count(*) > 1)
--           ->  Seq Scan on payment_attempts
--                 Filter: (status = 'succeeded'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM order_lines;
--   Aggregate
--     ->  Seq Scan on order_lines

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM order_lines l JOIN orders o ON o.id = l.order_id LEFT JOIN stock_reservations r ON r.order_id = l.order_id AND r.product_id = l.product_id WHERE r.quantity <> l.quantity OR (o.status IN ('PLACED', 'REJECTED') AND r.state IS NOT NULL) OR (o.status IN ('STOCK_RESERVED', 'PAYMENT_PENDING', 'PAYMENT_UNKNOWN', 'PAID', 'PAYMENT_FAILED') AND COALESCE(r.state, 'none') <> 'reserved') OR (o.status = 'CONFIRMED' AND COALESCE(r.state, 'none') <> 'sold') OR (o.status = 'REFUNDING' AND COALESCE(r.state, 'none') NOT IN ('reserved', 'sold')) OR (o.status = 'REFUNDED' AND COALESCE(r.state, 'none') <> 'released') OR (o.status = 'CANCEL_REQUESTED' AND r.state <> 'reserved') OR (o.status = 'CANCELLED' AND r.state <> 'released');
--   Aggregate
--     ->  Hash Join
--           Hash Cond: (l.order_id = o.id)
--           Join Filter: ((r.quantity <> l.quantity) OR ((o.status = ANY ('{PLACED,REJECTED}'::text[])) AND (r.state IS NOT NULL)) OR ((o.status = ANY ('{STOCK_RESERVED,PAYMENT_PENDING,PAYMENT_UNKNOWN,PAID,PAYMENT_FAILED}'::text[])) AND (COALESCE(r.state, 'none'::text) <> 'reserved'::text)) OR ((o.status = 'CONFIRMED'::text) AND (COALESCE(r.state, 'none'::text) <> 'sold'::text)) OR ((o.status = 'REFUNDING'::text) AND (COALESCE(r.state, 'none'::text) <> ALL ('{reserved,sold}'::text[]))) OR ((o.status = 'REFUNDED'::text) AND (COALESCE(r.state, 'none'::text) <> 'released'::text)) OR ((o.status = 'CANCEL_REQUESTED'::text) AND (r.state <> 'reserved'::text)) OR ((o.status = 'CANCELLED'::text) AND (r.state <> 'released'::text)))
--           ->  Hash Left Join
--                 Hash Cond: ((l.order_id = r.order_id) AND (l.product_id = r.product_id))
--                 ->  Seq Scan on order_lines l
--                 ->  Hash
--                       ->  Seq Scan on stock_reservations r
--           ->  Hash
--                 ->  Seq Scan on orders o

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders;
--   Aggregate
--     ->  Seq Scan on orders

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'REFUNDED');
--   Aggregate
--     ->  Seq Scan on orders
--           Filter: (status <> ALL ('{CONFIRMED,REJECTED,CANCELLED,REFUNDED}'::text[]))

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE (o.status = 'REFUNDED') <> EXISTS ( SELECT 1 FROM refunds r WHERE r.order_id = o.id AND r.status = 'succeeded' AND r.amount = o.total_amount AND r.currency = o.total_currency) OR (o.status = 'REFUNDING') <> EXISTS ( SELECT 1 FROM refunds r WHERE r.order_id = o.id AND r.status = 'open');
--   Aggregate
--     ->  Seq Scan on orders o
--           Filter: (((status = 'REFUNDED'::text) <> (hashed SubPlan 2)) OR ((status = 'REFUNDING'::text) <> (hashed SubPlan 4)))
--           SubPlan 2
--             ->  Seq Scan on refunds r
--                   Filter: (status = 'succeeded'::text)
--           SubPlan 4
--             ->  Seq Scan on refunds r_1
--                   Filter: (status = 'open'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE (o.status IN ('PAID', 'CONFIRMED', 'REFUNDING', 'REFUNDED')) <> EXISTS ( SELECT 1 FROM payment_attempts p WHERE p.order_id = o.id AND p.status = 'succeeded' AND p.amount = o.total_amount AND p.currency = o.total_currency);
--   Aggregate
--     ->  Seq Scan on orders o
--           Filter: ((status = ANY ('{PAID,CONFIRMED,REFUNDING,REFUNDED}'::text[])) <> (hashed SubPlan 2))
--           SubPlan 2
--             ->  Seq Scan on payment_attempts p
--                   Filter: (status = 'succeeded'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE o.total_amount <> COALESCE( (SELECT SUM(l.quantity * l.unit_amount) FROM order_lines l WHERE l.order_id = o.id), 0);
--   Aggregate
--     ->  Seq Scan on orders o
--           Filter: ((total_amount)::numeric <> COALESCE((SubPlan 1), '0'::numeric))
--           SubPlan 1
--             ->  Aggregate
--                   ->  Index Scan using order_lines_pkey on order_lines l
--                         Index Cond: (order_id = o.id)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE o.version <> (SELECT COUNT(*) FROM order_history h WHERE h.order_id = o.id) OR NOT EXISTS (SELECT 1 FROM order_history h WHERE h.order_id = o.id AND h.version = o.version AND h.status = o.status);
--   Aggregate
--     ->  Seq Scan on orders o
--           Filter: ((version <> (SubPlan 1)) OR (NOT (SubPlan 2)))
--           SubPlan 1
--             ->  Aggregate
--                   ->  Index Only Scan using order_history_pkey on order_history h
--                         Index Cond: (order_id = o.id)
--           SubPlan 2
--             ->  Index Scan using order_history_pkey on order_history h_1
--                   Index Cond: ((order_id = o.id) AND (version = o.version))
--                   Filter: (status = o.status)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM outbox;
--   Aggregate
--     ->  Seq Scan on outbox

SELECT COUNT(*) FROM outbox WHERE published_at IS NULL;
--   Aggregate
--     ->  Index Only Scan using outbox_unpublished_aggregate on outbox

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM payment_attempts WHERE status = 'succeeded';
--   Aggregate
--     ->  Seq Scan on payment_attempts
--           Filter: (status = 'succeeded'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM products;
--   Aggregate
--     ->  Seq Scan on products

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM products p LEFT JOIN stock s ON s.product_id = p.id WHERE s.product_id IS NULL;
--   Aggregate
--     ->  Hash Anti Join
--           Hash Cond: (p.id = s.product_id)
--           ->  Seq Scan on products p
--           ->  Hash
--                 ->  Seq Scan on stock s

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM stock;
--   Aggregate
--     ->  Seq Scan on stock

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM stock WHERE available < 0 OR reserved < 0 OR sold < 0 OR total <> available + reserved + sold;
--   Aggregate
--     ->  Seq Scan on stock
--           Filter: ((available < 0) OR (reserved < 0) OR (sold < 0) OR (total <> ((available + reserved) + sold)))

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM stock s LEFT JOIN ( SELECT product_id, SUM(CASE WHEN state = 'reserved' THEN quantity ELSE 0 END) AS reserved, SUM(CASE WHEN state = 'sold' THEN quantity ELSE 0 END) AS sold FROM stock_reservations GROUP BY product_id ) r ON r.product_id = s.product_id WHERE s.reserved <> COALESCE(r.reserved, 0) OR s.sold <> COALESCE(r.sold, 0);
--   Aggregate
--     ->  Hash Right Join
--           Hash Cond: (stock_reservations.product_id = s.product_id)
--           Filter: ((s.reserved <> COALESCE((sum(CASE WHEN (stock_reservations.state = 'reserved'::text) THEN stock_reservations.quantity ELSE 0 END)), '0'::bigint)) OR (s.sold <> COALESCE((sum(CASE WHEN (stock_reservations.state = 'sold'::text) THEN stock_reservations.quantity ELSE 0 END)), '0'::bigint)))
--           ->  HashAggregate
--                 Group Key: stock_reservations.product_id
--                 ->  Seq Scan on stock_reservations
--           ->  Hash
--                 ->  Seq Scan on stock s

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT id, total_amount, total_currency, status FROM orders WHERE status IN ('PAID', 'CONFIRMED', 'REFUNDING', 'REFUNDED');
--   Seq Scan on orders
--     Filter: (status = ANY ('{PAID,CONFIRMED,REFUNDING,REFUNDED}'::text[]))

UPDATE "orders" SET "deadline_at" = $1 WHERE "orders"."id" IN (SELECT "orders"."id" FROM "orders" WHERE "orders"."deadline_at" <= $2 AND (NOT EXISTS(SELECT $3 FROM "outbox" WHERE "outbox"."aggregate_id" = "orders"."id" AND "outbox"."published_at" IS NULL)) ORDER BY "orders"."deadline_at" ASC LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING "id", "number", "customer_id", "status", "version", "total_amount", "total_currency", "payment_method", "idempotency_key", "body_hash", "created_at", "updated_at", "deadline_at";
--   Update on orders
--     ->  Nested Loop
--           ->  HashAggregate
--                 Group Key: "ANY_subquery".id
--                 ->  Subquery Scan on "ANY_subquery"
--                       ->  Limit
--                             ->  LockRows
--                                   ->  Nested Loop Anti Join
--                                         ->  Index Scan using orders_deadline on orders orders_1
--                                               Index Cond: (deadline_at <= $2)
--                                         ->  Index Scan using outbox_unpublished_aggregate on outbox
--                                               Index Cond: (aggregate_id = orders_1.id)
--                                               Filter: (published_at IS NULL)
--           ->  Index Scan using orders_pkey on orders
--                 Index Cond: (id = "ANY_subquery".id)

UPDATE "orders" SET "status" = $1, "version" = "version" + $2, "updated_at" = $3, "deadline_at" = $4 WHERE "orders"."id" = $5 AND "orders"."status" IN ($6, $7) RETURNING "id", "number", "customer_id", "status", "version", "total_amount", "total_currency", "payment_method", "idempotency_key", "body_hash", "created_at", "updated_at", "deadline_at";
--   Update on orders
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = $5)
--           Filter: (status = ANY (ARRAY[$6, $7]))

UPDATE "outbox" SET "locked_until" = $1 WHERE "outbox"."id" = $2;
--   Update on outbox
--     ->  Index Scan using outbox_id_key on outbox
--           Index Cond: (id = $2)

UPDATE "outbox" SET "locked_until" = $1 WHERE "outbox"."published_at" IS NULL;
--   Update on outbox
--     ->  Index Scan using outbox_unpublished_aggregate on outbox
--           Filter: (published_at IS NULL)

UPDATE "outbox" SET "locked_until" = $1 WHERE "outbox"."seq" IN ($2, $3) AND "outbox"."published_at" IS NULL;
--   Update on outbox
--     ->  Index Scan using outbox_pkey on outbox
--           Index Cond: (seq = ANY (ARRAY[$2, $3]))
--           Filter: (published_at IS NULL)

-- Accepted: the in-process broker's start alone, and it is used with SQLite: what was published and not applied is found by comparing all of both
UPDATE "outbox" SET "published_at" = $1, "locked_until" = $2 WHERE "outbox"."published_at" IS NOT NULL AND "outbox"."event_type" IN ($3, $4) AND "outbox"."id" NOT IN (SELECT "inbox"."message_id" FROM "inbox" WHERE "inbox"."consumer" = $5);
--   Update on outbox
--     ->  Seq Scan on outbox
--           Filter: ((published_at IS NOT NULL) AND (event_type = ANY (ARRAY[$3, $4])) AND (NOT (hashed SubPlan 1)))
--           SubPlan 1
--             ->  Seq Scan on inbox
--                   Filter: (consumer = $5)

UPDATE "outbox" SET "published_at" = $1, "locked_until" = $2 WHERE "outbox"."seq" IN ($3, $4);
--   Update on outbox
--     ->  Index Scan using outbox_pkey on outbox
--           Index Cond: (seq = ANY (ARRAY[$3, $4]))

UPDATE "payment_attempts" SET "status" = $1, "updated_at" = $2 WHERE "payment_attempts"."order_id" = $3 AND "payment_attempts"."status" = $4;
--   Update on payment_attempts
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $3)
--           Filter: (status = $4)

UPDATE "payment_attempts" SET "status" = $1, "updated_at" = $2, "intent_id" = $3 WHERE "payment_attempts"."order_id" = $4 AND "payment_attempts"."status" = $5;
--   Update on payment_attempts
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $4)
--           Filter: (status = $5)

UPDATE "products" SET "version" = "version" + $1, "updated_at" = $2, "name" = $3 WHERE "products"."id" = $4 AND "products"."version" = $5;
--   Update on products
--     ->  Index Scan using products_pkey on products
--           Index Cond: (id = $4)
--           Filter: (version = $5)

UPDATE "products" SET "version" = "version" + $1, "updated_at" = $2, "name" = $3, "price_amount" = $4, "price_currency" = $5 WHERE "products"."id" = $6 AND "products"."version" = $7;
--   Update on products
--     ->  Index Scan using products_pkey on products
--           Index Cond: (id = $6)
--           Filter: (version = $7)

UPDATE "products" SET "version" = "version" + $1, "updated_at" = $2, "price_amount" = $3, "price_currency" = $4 WHERE "products"."id" = $5 AND "products"."version" = $6;
--   Update on products
--     ->  Index Scan using products_pkey on products
--           Index Cond: (id = $5)
--           Filter: (version = $6)

UPDATE "refunds" SET "status" = $1, "provider_refund_id" = $2, "updated_at" = $3 WHERE "refunds"."id" = $4 AND "refunds"."status" = $5;
--   Update on refunds
--     ->  Index Scan using refunds_pkey on refunds
--           Index Cond: (id = $4)
--           Filter: (status = $5)

UPDATE "stock" SET "available" = "stock"."available" - "order_lines"."quantity", "reserved" = "stock"."reserved" + "order_lines"."quantity" FROM "order_lines" WHERE "order_lines"."order_id" = $1 AND "order_lines"."product_id" = "stock"."product_id" AND "stock"."available" >= "order_lines"."quantity";
--   Update on stock
--     ->  Nested Loop
--           ->  Index Scan using order_lines_pkey on order_lines
--                 Index Cond: (order_id = $1)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = order_lines.product_id)
--                 Filter: (available >= order_lines.quantity)

UPDATE "stock" SET "reserved" = "stock"."reserved" - "stock_reservations"."quantity", "available" = "stock"."available" + "stock_reservations"."quantity" FROM "stock_reservations" WHERE "stock_reservations"."order_id" = $1 AND "stock_reservations"."product_id" = "stock"."product_id" AND "stock_reservations"."state" = $2;
--   Update on stock
--     ->  Nested Loop
--           ->  Index Scan using stock_reservations_pkey on stock_reservations
--                 Index Cond: (order_id = $1)
--                 Filter: (state = $2)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = stock_reservations.product_id)

UPDATE "stock" SET "reserved" = "stock"."reserved" - "stock_reservations"."quantity", "sold" = "stock"."sold" + "stock_reservations"."quantity" FROM "stock_reservations" WHERE "stock_reservations"."order_id" = $1 AND "stock_reservations"."product_id" = "stock"."product_id" AND "stock_reservations"."state" = $2;
--   Update on stock
--     ->  Nested Loop
--           ->  Index Scan using stock_reservations_pkey on stock_reservations
--                 Index Cond: (order_id = $1)
--                 Filter: (state = $2)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = stock_reservations.product_id)

UPDATE "stock" SET "sold" = "stock"."sold" - "stock_reservations"."quantity", "available" = "stock"."available" + "stock_reservations"."quantity" FROM "stock_reservations" WHERE "stock_reservations"."order_id" = $1 AND "stock_reservations"."product_id" = "stock"."product_id" AND "stock_reservations"."state" = $2;
--   Update on stock
--     ->  Nested Loop
--           ->  Index Scan using stock_reservations_pkey on stock_reservations
--                 Index Cond: (order_id = $1)
--                 Filter: (state = $2)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = stock_reservations.product_id)

UPDATE "stock" SET "total" = "total" + $1, "available" = "available" + $2 WHERE "stock"."product_id" = $3 AND ("available" + $4 BETWEEN $5 AND $6);
--   Update on stock
--     ->  Index Scan using stock_pkey on stock
--           Index Cond: (product_id = $3)
--           Filter: (((available + $4) >= $5) AND ((available + $4) <= $6))

UPDATE "stock_reservations" SET "state" = $1 WHERE "stock_reservations"."order_id" = $2 AND "stock_reservations"."state" = $3;
--   Update on stock_reservations
--     ->  Index Scan using stock_reservations_pkey on stock_reservations
--           Index Cond: (order_id = $2)
--           Filter: (state = $3)

WITH "due" ("seq") AS (SELECT "outbox"."seq" FROM "outbox" WHERE "outbox"."published_at" IS NULL AND "outbox"."available_at" <= $1 AND ("locked_until" IS NULL OR "locked_until" <= $2) AND (NOT EXISTS(SELECT $3 FROM "outbox" AS "earlier" WHERE "earlier"."aggregate_id" = "outbox"."aggregate_id" AND "earlier"."seq" < "outbox"."seq" AND "earlier"."published_at" IS NULL AND "earlier"."available_at" <= $4)) ORDER BY "outbox"."available_at" ASC, "outbox"."seq" ASC LIMIT $5 FOR UPDATE SKIP LOCKED) UPDATE "outbox" SET "locked_until" = $6, "attempts" = "attempts" + $7 WHERE "seq" IN (SELECT "seq" FROM "due") RETURNING "seq", "id", "aggregate_id", "event_type", "body", "traceparent", "available_at", "attempts";
--   Update on outbox
--     CTE due
--       ->  Limit
--             ->  LockRows
--                   ->  Sort
--                         Sort Key: outbox_1.available_at, outbox_1.seq
--                         ->  Hash Anti Join
--                               Hash Cond: (outbox_1.aggregate_id = earlier.aggregate_id)
--                               Join Filter: (earlier.seq < outbox_1.seq)
--                               ->  Index Scan using outbox_unpublished on outbox outbox_1
--                                     Index Cond: (available_at <= $1)
--                                     Filter: ((published_at IS NULL) AND ((locked_until IS NULL) OR (locked_until <= $2)))
--                               ->  Hash
--                                     ->  Index Scan using outbox_unpublished on outbox earlier
--                                           Index Cond: (available_at <= $4)
--                                           Filter: (published_at IS NULL)
--     ->  Nested Loop
--           ->  HashAggregate
--                 Group Key: due.seq
--                 ->  CTE Scan on due
--           ->  Index Scan using outbox_pkey on outbox
--                 Index Cond: (seq = due.seq)
