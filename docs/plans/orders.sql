-- Every statement that the suites ask of the orders database, with its plan for any parameters,
-- and a limit of 100, over the large data set of crates/plan-gate. Written by `cargo xtask plans --write`.
-- By hand, only add a line `-- Accepted: <reason>` above a statement whose plan is right although the
-- gate refuses it.
-- PostgreSQL 15

DELETE FROM "dead_letters" WHERE "dead_letters"."seq" IN ($1, $2);
--   Delete on dead_letters
--     ->  Index Scan using dead_letters_pkey on dead_letters
--           Index Cond: (seq = ANY (ARRAY[$1, $2]))

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

DELETE FROM "outbox" WHERE "outbox"."retry_of" IN ($1, $2) AND "outbox"."queue" = $3;
--   Delete on outbox
--     ->  Index Scan using outbox_retry_of on outbox
--           Index Cond: ((retry_of = ANY (ARRAY[$1, $2])) AND (queue = $3))

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

INSERT INTO "dead_letters" ("queue", "message_id", "event_type", "aggregate_id", "body", "traceparent", "reason", "attempt") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT ("queue", "message_id") DO UPDATE SET "reason" = "excluded"."reason", "attempt" = "excluded"."attempt";
--   Insert on dead_letters
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: dead_letters_message
--     ->  Result

INSERT INTO "inbox" ("consumer", "message_id", "received_at") VALUES ($1, $2, $3) ON CONFLICT ("consumer", "message_id") DO NOTHING;
--   Insert on inbox
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: inbox_pkey
--     ->  Result

INSERT INTO "inbox" ("consumer", "message_id", "received_at") VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING "consumer", "message_id";
--   Insert on inbox
--     Conflict Resolution: NOTHING
--     ->  Result

INSERT INTO "order_history" ("order_id", "version", "status", "at", "event_id", "trace_id", "origin", "started_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
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

INSERT INTO "outbox" ("id", "aggregate_type", "aggregate_id", "event_type", "body", "traceparent", "created_at", "available_at", "retry_of", "queue", "failed_attempts") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT ("retry_of", "queue") WHERE "retry_of" IS NOT NULL DO UPDATE SET "available_at" = "excluded"."available_at", "failed_attempts" = "excluded"."failed_attempts";
--   Insert on outbox
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: outbox_retry_of
--     ->  Result

INSERT INTO "payment_attempts" ("id", "order_id", "intent_id", "status", "amount", "currency", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on payment_attempts
--     ->  Result

INSERT INTO "payment_attempts" ("id", "order_id", "intent_id", "status", "amount", "currency", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT ("id") DO UPDATE SET "status" = "excluded"."status", "intent_id" = "excluded"."intent_id", "updated_at" = "excluded"."updated_at";
--   Insert on payment_attempts
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: payment_attempts_pkey
--     ->  Result

INSERT INTO "payment_notices" ("event_id", "intent_id", "event_type", "received_at") VALUES ($1, $2, $3, $4) ON CONFLICT ("event_id") DO NOTHING;
--   Insert on payment_notices
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: payment_notices_pkey
--     ->  Result

INSERT INTO "products" ("id", "name", "description", "price_amount", "price_currency", "created_at", "updated_at", "version") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on products
--     ->  Result

INSERT INTO "reconciliations" ("name", "watermark", "locked_until") VALUES ($1, $2, $3) ON CONFLICT ("name") DO NOTHING;
--   Insert on reconciliations
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: reconciliations_pkey
--     ->  Result

INSERT INTO "refunds" ("id", "order_id", "intent_id", "provider_refund_id", "status", "amount", "currency", "requested_by", "created_at", "updated_at", "due_at", "failure") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING;
--   Insert on refunds
--     Conflict Resolution: NOTHING
--     ->  Result

INSERT INTO "stock" ("product_id", "total", "available", "reserved", "sold") VALUES ($1, $2, $3, $4, $5);
--   Insert on stock
--     ->  Result

INSERT INTO "stock_reservations" ("order_id", "product_id", "quantity", "state") SELECT "order_id", "product_id", "quantity", $1 FROM "order_lines" WHERE "order_id" IN ($2, $3) RETURNING "product_id";
--   Insert on stock_reservations
--     ->  Index Scan using order_lines_pkey on order_lines
--           Index Cond: (order_id = ANY (ARRAY[$2, $3]))

SELECT "catalogue_requests"."actor_id", "catalogue_requests"."idempotency_key", "catalogue_requests"."body_hash", "catalogue_requests"."product_id", "catalogue_requests"."created_at" FROM "catalogue_requests" WHERE "catalogue_requests"."actor_id" = $1 AND "catalogue_requests"."idempotency_key" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using catalogue_requests_pkey on catalogue_requests
--           Index Cond: ((actor_id = $1) AND (idempotency_key = $2))

SELECT "dead_letters"."seq", "dead_letters"."queue", "dead_letters"."message_id", "dead_letters"."event_type", "dead_letters"."aggregate_id", "dead_letters"."body", "dead_letters"."traceparent", "dead_letters"."reason", "dead_letters"."attempt" FROM "dead_letters" WHERE "dead_letters"."queue" = $1 AND "dead_letters"."seq" <= $2 AND "dead_letters"."message_id" = $3 ORDER BY "dead_letters"."seq" ASC LIMIT $4;
--   Limit
--     ->  Sort
--           Sort Key: seq
--           ->  Index Scan using dead_letters_message on dead_letters
--                 Index Cond: ((queue = $1) AND (message_id = $3))
--                 Filter: (seq <= $2)

SELECT "dead_letters"."seq", "dead_letters"."queue", "dead_letters"."message_id", "dead_letters"."event_type", "dead_letters"."aggregate_id", "dead_letters"."body", "dead_letters"."traceparent", "dead_letters"."reason", "dead_letters"."attempt" FROM "dead_letters" WHERE "dead_letters"."queue" = $1 AND "dead_letters"."seq" <= $2 ORDER BY "dead_letters"."seq" ASC LIMIT $3;
--   Limit
--     ->  Index Scan using dead_letters_pkey on dead_letters
--           Index Cond: (seq <= $2)
--           Filter: (queue = $1)

SELECT "dead_letters"."seq", "dead_letters"."queue", "dead_letters"."message_id", "dead_letters"."event_type", "dead_letters"."aggregate_id", "dead_letters"."body", "dead_letters"."traceparent", "dead_letters"."reason", "dead_letters"."attempt" FROM "dead_letters" WHERE "dead_letters"."queue" = $1 ORDER BY "dead_letters"."seq" DESC LIMIT $2;
--   Limit
--     ->  Index Scan Backward using dead_letters_pkey on dead_letters
--           Filter: (queue = $1)

SELECT "id" FROM "orders" WHERE "id" IN ($1, $2) AND "status" IN ($3, $4) ORDER BY "id" ASC FOR UPDATE;
--   LockRows
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = ANY (ARRAY[$1, $2]))
--           Filter: (status = ANY (ARRAY[$3, $4]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "id" FROM "orders" WHERE $1 = $2 AND "status" IN ($3, $4) ORDER BY "id" ASC FOR UPDATE;
--   LockRows
--     ->  Result
--           One-Time Filter: ($1 = $2)
--           ->  Index Scan using orders_pkey on orders
--                 Filter: (status = ANY (ARRAY[$3, $4]))

SELECT "inbox"."consumer", "inbox"."message_id", "inbox"."received_at" FROM "inbox" WHERE "inbox"."consumer" = $1 AND "inbox"."message_id" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using inbox_pkey on inbox
--           Index Cond: ((consumer = $1) AND (message_id = $2))

SELECT "inbox"."consumer", "inbox"."message_id", "inbox"."received_at" FROM "inbox" WHERE "inbox"."consumer" IN ($1, $2) AND "inbox"."message_id" IN ($3, $4);
--   Index Scan using inbox_pkey on inbox
--     Index Cond: ((consumer = ANY (ARRAY[$1, $2])) AND (message_id = ANY (ARRAY[$3, $4])))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "inbox"."consumer", "inbox"."message_id", "inbox"."received_at" FROM "inbox" WHERE "inbox"."consumer" IN ($1, $2) AND $3 = $4;
--   Result
--     One-Time Filter: ($3 = $4)
--     ->  Seq Scan on inbox
--           Filter: (consumer = ANY (ARRAY[$1, $2]))

SELECT "order_history"."order_id", "order_history"."version", "order_history"."status", "order_history"."at", "order_history"."event_id", "order_history"."trace_id", "order_history"."origin", "order_history"."started_at" FROM "order_history" WHERE "order_history"."order_id" IN ($1, $2);
--   Index Scan using order_history_pkey on order_history
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "order_history"."order_id", "order_history"."version", "order_history"."status", "order_history"."at", "order_history"."event_id", "order_history"."trace_id", "order_history"."origin", "order_history"."started_at" FROM "order_history" WHERE "order_history"."order_id" IN ($1, $2) ORDER BY "order_history"."order_id" ASC, "order_history"."version" ASC;
--   Index Scan using order_history_pkey on order_history
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "order_lines"."order_id", "order_lines"."position", "order_lines"."product_id", "order_lines"."product_name", "order_lines"."quantity", "order_lines"."unit_amount" FROM "order_lines" WHERE "order_lines"."order_id" IN ($1, $2);
--   Index Scan using order_lines_pkey on order_lines
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "order_lines"."order_id", "order_lines"."position", "order_lines"."product_id", "order_lines"."product_name", "order_lines"."quantity", "order_lines"."unit_amount" FROM "order_lines" WHERE "order_lines"."order_id" IN ($1, $2) ORDER BY "order_lines"."order_id" ASC, "order_lines"."position" ASC;
--   Index Scan using order_lines_pkey on order_lines
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "order_lines"."order_id", "order_lines"."position", "order_lines"."product_id", "order_lines"."product_name", "order_lines"."quantity", "order_lines"."unit_amount" FROM "order_lines" WHERE $1 = $2;
--   Result
--     One-Time Filter: ($1 = $2)
--     ->  Seq Scan on order_lines

SELECT "orders"."created_at" FROM "orders" ORDER BY "orders"."created_at" ASC, "orders"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Only Scan using orders_page on orders

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

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."deadline_at" <= $1 AND "orders"."status" <> $2 AND (NOT EXISTS(SELECT $3 FROM "outbox" WHERE "outbox"."aggregate_id" = "orders"."id" AND "outbox"."published_at" IS NULL)) ORDER BY "orders"."deadline_at" ASC LIMIT $4;
--   Limit
--     ->  Nested Loop Anti Join
--           ->  Index Scan using orders_deadline on orders
--                 Index Cond: (deadline_at <= $1)
--                 Filter: (status <> $2)
--           ->  Index Only Scan using outbox_unpublished_aggregate on outbox
--                 Index Cond: (aggregate_id = orders.id)

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

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."id" IN ($1, $2) AND "orders"."status" IN ($3, $4) ORDER BY "orders"."id" ASC FOR UPDATE;
--   LockRows
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = ANY (ARRAY[$1, $2]))
--           Filter: (status = ANY (ARRAY[$3, $4]))

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."number" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using orders_number_key on orders
--           Index Cond: (number = $1)

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

SELECT "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."version", "orders"."total_amount", "orders"."total_currency", "orders"."payment_method", "orders"."idempotency_key", "orders"."body_hash", "orders"."created_at", "orders"."updated_at", "orders"."deadline_at" FROM "orders" WHERE "orders"."status" = $1 AND "orders"."updated_at" <= $2 AND "orders"."deadline_at" IS NOT NULL AND (NOT EXISTS(SELECT $3 FROM "outbox" WHERE "outbox"."aggregate_id" = "orders"."id" AND "outbox"."published_at" IS NULL)) ORDER BY "orders"."deadline_at" ASC LIMIT $4;
--   Limit
--     ->  Nested Loop Anti Join
--           ->  Index Scan using orders_deadline on orders
--                 Filter: ((updated_at <= $2) AND (status = $1))
--           ->  Index Only Scan using outbox_unpublished_aggregate on outbox
--                 Index Cond: (aggregate_id = orders.id)

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

SELECT "orders"."id", "orders"."status" FROM "orders" WHERE "orders"."id" IN ($1, $2);
--   Index Scan using orders_pkey on orders
--     Index Cond: (id = ANY (ARRAY[$1, $2]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "orders"."id", "orders"."status" FROM "orders" WHERE $1 = $2;
--   Result
--     One-Time Filter: ($1 = $2)
--     ->  Seq Scan on orders

-- Accepted: only tests look at all rows of an outbox
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox";
--   Seq Scan on outbox

-- Accepted: only tests look at all rows of an outbox
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" ORDER BY "outbox"."seq" ASC;
--   Index Scan using outbox_pkey on outbox

-- Accepted: only tests look at all rows of an outbox
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE "outbox"."aggregate_id" = $1 ORDER BY "outbox"."seq" ASC;
--   Sort
--     Sort Key: seq
--     ->  Seq Scan on outbox
--           Filter: (aggregate_id = $1)

SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE "outbox"."failed_attempts" = $1 AND "outbox"."published_at" IS NULL LIMIT $2;
--   Limit
--     ->  Index Scan using outbox_unpublished_aggregate on outbox
--           Filter: (failed_attempts = $1)

-- Accepted: only tests look at all rows of an outbox
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE "outbox"."failed_attempts" > $1 LIMIT $2;
--   Limit
--     ->  Seq Scan on outbox
--           Filter: (failed_attempts > $1)

SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE "outbox"."id" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using outbox_id_key on outbox
--           Index Cond: (id = $1)

SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE "outbox"."id" IN ($1, $2);
--   Index Scan using outbox_id_key on outbox
--     Index Cond: (id = ANY (ARRAY[$1, $2]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE $1 = $2;
--   Result
--     One-Time Filter: ($1 = $2)
--     ->  Seq Scan on outbox

SELECT "payment_attempts"."id" AS "A_id", "payment_attempts"."order_id" AS "A_order_id", "payment_attempts"."intent_id" AS "A_intent_id", "payment_attempts"."status" AS "A_status", "payment_attempts"."amount" AS "A_amount", "payment_attempts"."currency" AS "A_currency", "payment_attempts"."created_at" AS "A_created_at", "payment_attempts"."updated_at" AS "A_updated_at", "orders"."id" AS "B_id", "orders"."number" AS "B_number", "orders"."customer_id" AS "B_customer_id", "orders"."status" AS "B_status", "orders"."version" AS "B_version", "orders"."total_amount" AS "B_total_amount", "orders"."total_currency" AS "B_total_currency", "orders"."payment_method" AS "B_payment_method", "orders"."idempotency_key" AS "B_idempotency_key", "orders"."body_hash" AS "B_body_hash", "orders"."created_at" AS "B_created_at", "orders"."updated_at" AS "B_updated_at", "orders"."deadline_at" AS "B_deadline_at" FROM "payment_attempts" INNER JOIN "orders" ON "payment_attempts"."order_id" = "orders"."id" WHERE "orders"."id" IN ($1, $2) AND "orders"."status" IN ($3, $4) AND "payment_attempts"."status" = $5 ORDER BY "orders"."id" ASC FOR UPDATE;
--   LockRows
--     ->  Nested Loop
--           ->  Index Scan using orders_pkey on orders
--                 Index Cond: (id = ANY (ARRAY[$1, $2]))
--                 Filter: (status = ANY (ARRAY[$3, $4]))
--           ->  Index Scan using payment_attempts_order on payment_attempts
--                 Index Cond: (order_id = orders.id)
--                 Filter: (status = $5)

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" = $1 AND "payment_attempts"."status" = $2 LIMIT $3;
--   Limit
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $1)
--           Filter: (status = $2)

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" = $1 ORDER BY "payment_attempts"."created_at" DESC, "payment_attempts"."id" DESC LIMIT $2 FOR UPDATE;
--   Limit
--     ->  LockRows
--           ->  Sort
--                 Sort Key: created_at DESC, id DESC
--                 ->  Index Scan using payment_attempts_order on payment_attempts
--                       Index Cond: (order_id = $1)

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" IN ($1, $2);
--   Index Scan using payment_attempts_order on payment_attempts
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" IN ($1, $2) AND "payment_attempts"."status" = $3;
--   Index Scan using payment_attempts_order on payment_attempts
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))
--     Filter: (status = $3)

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" IN ($1, $2) ORDER BY "payment_attempts"."created_at" ASC, "payment_attempts"."id" ASC;
--   Sort
--     Sort Key: created_at, id
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE "payment_attempts"."order_id" IN ($1, $2) ORDER BY "payment_attempts"."order_id" ASC, "payment_attempts"."created_at" ASC, "payment_attempts"."id" ASC;
--   Incremental Sort
--     Sort Key: order_id, created_at, id
--     Presorted Key: order_id
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = ANY (ARRAY[$1, $2]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "payment_attempts"."id", "payment_attempts"."order_id", "payment_attempts"."intent_id", "payment_attempts"."status", "payment_attempts"."amount", "payment_attempts"."currency", "payment_attempts"."created_at", "payment_attempts"."updated_at" FROM "payment_attempts" WHERE $1 = $2 ORDER BY "payment_attempts"."created_at" ASC, "payment_attempts"."id" ASC;
--   Sort
--     Sort Key: created_at, id
--     ->  Result
--           One-Time Filter: ($1 = $2)
--           ->  Seq Scan on payment_attempts

SELECT "payment_notices"."event_id" FROM "payment_notices" INNER JOIN "payment_attempts" ON "payment_notices"."intent_id" = "payment_attempts"."intent_id" WHERE "payment_notices"."event_id" IN ($1, $2) AND "payment_notices"."event_type" = $3 AND "payment_attempts"."status" = $4;
--   Nested Loop
--     ->  Index Scan using payment_notices_pkey on payment_notices
--           Index Cond: (event_id = ANY (ARRAY[$1, $2]))
--           Filter: (event_type = $3)
--     ->  Index Scan using payment_attempts_intent on payment_attempts
--           Index Cond: (intent_id = payment_notices.intent_id)
--           Filter: (status = $4)

SELECT "payment_notices"."event_id", "payment_notices"."intent_id", "payment_notices"."event_type", "payment_notices"."received_at" FROM "payment_notices" WHERE "payment_notices"."intent_id" IN ($1, $2);
--   Index Scan using payment_notices_intent on payment_notices
--     Index Cond: (intent_id = ANY (ARRAY[$1, $2]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "payment_notices"."event_id", "payment_notices"."intent_id", "payment_notices"."event_type", "payment_notices"."received_at" FROM "payment_notices" WHERE $1 = $2;
--   Result
--     One-Time Filter: ($1 = $2)
--     ->  Seq Scan on payment_notices

SELECT "product_id", "available" FROM "stock" WHERE "product_id" IN (SELECT "product_id" FROM "order_lines" WHERE "order_id" IN ($1, $2)) ORDER BY "product_id" ASC FOR UPDATE;
--   LockRows
--     ->  Sort
--           Sort Key: stock.product_id
--           ->  Nested Loop
--                 ->  HashAggregate
--                       Group Key: order_lines.product_id
--                       ->  Index Scan using order_lines_pkey on order_lines
--                             Index Cond: (order_id = ANY (ARRAY[$1, $2]))
--                 ->  Index Scan using stock_pkey on stock
--                       Index Cond: (product_id = order_lines.product_id)

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "product_id", "available" FROM "stock" WHERE "product_id" IN (SELECT "product_id" FROM "order_lines" WHERE $1 = $2) ORDER BY "product_id" ASC FOR UPDATE;
--   LockRows
--     ->  Sort
--           Sort Key: stock.product_id
--           ->  Result
--                 One-Time Filter: ($1 = $2)
--                 ->  Hash Join
--                       Hash Cond: (stock.product_id = order_lines.product_id)
--                       ->  Seq Scan on stock
--                       ->  Hash
--                             ->  HashAggregate
--                                   Group Key: order_lines.product_id
--                                   ->  Seq Scan on order_lines

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

SELECT "reconciliations"."name", "reconciliations"."watermark", "reconciliations"."locked_until" FROM "reconciliations" WHERE "reconciliations"."name" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using reconciliations_pkey on reconciliations
--           Index Cond: (name = $1)

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."id" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using refunds_pkey on refunds
--           Index Cond: (id = $1)

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."intent_id" = $1 AND "refunds"."status" <> $2 LIMIT $3;
--   Limit
--     ->  Index Scan using refunds_any_of_intent on refunds
--           Index Cond: (intent_id = $1)
--           Filter: (status <> $2)

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."order_id" = $1 AND "refunds"."status" = $2 AND ("refunds"."due_at" IS NULL OR "refunds"."due_at" <= $3) ORDER BY "refunds"."created_at" ASC LIMIT $4;
--   Limit
--     ->  Sort
--           Sort Key: created_at
--           ->  Index Scan using refunds_by_status on refunds
--                 Index Cond: (status = $2)
--                 Filter: (((due_at IS NULL) OR (due_at <= $3)) AND (order_id = $1))

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."order_id" IN ($1, $2);
--   Index Scan using refunds_any_of_order on refunds
--     Index Cond: (order_id = ANY (ARRAY[$1, $2]))

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."status" = $1 AND "refunds"."updated_at" <= $2 AND ("refunds"."due_at" IS NULL OR "refunds"."due_at" <= $3) AND (NOT EXISTS(SELECT $4 FROM "orders" WHERE "orders"."id" = "refunds"."order_id" AND EXISTS(SELECT $5 FROM "outbox" WHERE "outbox"."aggregate_id" = "orders"."id" AND "outbox"."published_at" IS NULL))) ORDER BY "refunds"."created_at" ASC LIMIT $6;
--   Limit
--     ->  Sort
--           Sort Key: refunds.created_at
--           ->  Nested Loop Anti Join
--                 ->  Index Scan using refunds_by_status on refunds
--                       Index Cond: (status = $1)
--                       Filter: ((updated_at <= $2) AND ((due_at IS NULL) OR (due_at <= $3)))
--                 ->  Nested Loop Semi Join
--                       ->  Index Only Scan using orders_pkey on orders
--                             Index Cond: (id = refunds.order_id)
--                       ->  Index Only Scan using outbox_unpublished_aggregate on outbox
--                             Index Cond: (aggregate_id = orders.id)

SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."status" = $1 AND (NOT EXISTS(SELECT $2 FROM "refunds" AS "other" WHERE "other"."intent_id" = "refunds"."intent_id" AND "other"."status" <> $3)) ORDER BY "refunds"."updated_at" DESC LIMIT $4;
--   Limit
--     ->  Sort
--           Sort Key: refunds.updated_at DESC
--           ->  Nested Loop Anti Join
--                 ->  Index Scan using refunds_by_status on refunds
--                       Index Cond: (status = $1)
--                 ->  Index Scan using refunds_any_of_intent on refunds other
--                       Index Cond: (intent_id = refunds.intent_id)
--                       Filter: (status <> $3)

SELECT "refunds"."intent_id" FROM "refunds" WHERE "refunds"."intent_id" IN ($1, $2);
--   Index Only Scan using refunds_any_of_intent on refunds
--     Index Cond: (intent_id = ANY (ARRAY[$1, $2]))

-- Accepted: for an empty list: `1 = 2` is a one-time filter, and nothing is read
SELECT "refunds"."intent_id" FROM "refunds" WHERE $1 = $2;
--   Result
--     One-Time Filter: ($1 = $2)
--     ->  Seq Scan on refunds

-- Accepted: the in-process broker alone, used with SQLite: a queue keeps at most 1,000 of them
SELECT COUNT(*) AS num_items FROM (SELECT "dead_letters"."seq", "dead_letters"."queue", "dead_letters"."message_id", "dead_letters"."event_type", "dead_letters"."aggregate_id", "dead_letters"."body", "dead_letters"."traceparent", "dead_letters"."reason", "dead_letters"."attempt" FROM "dead_letters" WHERE "dead_letters"."queue" = $1) AS "sub_query";
--   Aggregate
--     ->  Seq Scan on dead_letters
--           Filter: (queue = $1)

-- Accepted: only tests of crates/messaging count all rows
SELECT COUNT(*) AS num_items FROM (SELECT "inbox"."consumer", "inbox"."message_id", "inbox"."received_at" FROM "inbox") AS "sub_query";
--   Aggregate
--     ->  Seq Scan on inbox

SELECT COUNT(*) AS num_items FROM (SELECT "outbox"."seq", "outbox"."id", "outbox"."aggregate_type", "outbox"."aggregate_id", "outbox"."event_type", "outbox"."body", "outbox"."traceparent", "outbox"."created_at", "outbox"."available_at", "outbox"."attempts", "outbox"."locked_until", "outbox"."published_at", "outbox"."retry_of", "outbox"."queue", "outbox"."failed_attempts" FROM "outbox" WHERE "outbox"."published_at" IS NULL) AS "sub_query";
--   Aggregate
--     ->  Index Only Scan using outbox_unpublished_aggregate on outbox

-- Accepted: once at the start of a demo: is the catalogue empty?
SELECT COUNT(*) AS num_items FROM (SELECT "products"."id", "products"."name", "products"."description", "products"."price_amount", "products"."price_currency", "products"."created_at", "products"."updated_at", "products"."version" FROM "products") AS "sub_query";
--   Aggregate
--     ->  Seq Scan on products

SELECT COUNT(*) AS num_items FROM (SELECT "refunds"."id", "refunds"."order_id", "refunds"."intent_id", "refunds"."provider_refund_id", "refunds"."status", "refunds"."amount", "refunds"."currency", "refunds"."requested_by", "refunds"."created_at", "refunds"."updated_at", "refunds"."due_at", "refunds"."failure" FROM "refunds" WHERE "refunds"."intent_id" = $1 AND "refunds"."status" = $2) AS "sub_query";
--   Aggregate
--     ->  Index Scan using refunds_by_status on refunds
--           Index Cond: (status = $2)
--           Filter: (intent_id = $1)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM (SELECT customer_id, idempotency_key FROM orders GROUP BY customer_id, idempotency_key HAVING COUNT(*) > 1) twice;
--   Aggregate
--     ->  HashAggregate
--           Group Key: orders.customer_id, orders.idempotency_key
--           Filter: (count(*) > 1)
--           ->  Seq Scan on orders

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM (SELECT intent_id FROM refunds GROUP BY intent_id HAVING COUNT(*) = SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END)) given_up;
--   Aggregate
--     ->  HashAggregate
--           Group Key: refunds.intent_id
--           Filter: (count(*) = sum(CASE WHEN (refunds.status = 'failed'::text) THEN 1 ELSE 0 END))
--           ->  Seq Scan on refunds

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
SELECT COUNT(*) FROM order_lines l JOIN orders o ON o.id = l.order_id LEFT JOIN stock_reservations r ON r.order_id = l.order_id AND r.product_id = l.product_id WHERE r.quantity <> l.quantity OR (o.status IN ('PLACED', 'REJECTED') AND r.state IS NOT NULL) OR (o.status IN ('STOCK_RESERVED', 'PAYMENT_PENDING', 'PAYMENT_UNKNOWN', 'PAID', 'PAYMENT_FAILED') AND COALESCE(r.state, 'none') <> 'reserved') OR (o.status = 'CONFIRMED' AND COALESCE(r.state, 'none') <> 'sold') OR (o.status IN ('REFUNDING', 'REFUND_FAILED') AND r.state IS NULL) OR (o.status = 'REFUNDED' AND COALESCE(r.state, 'none') <> 'released') OR (o.status = 'CANCEL_REQUESTED' AND r.state <> 'reserved') OR (o.status = 'CANCELLED' AND r.state <> 'released');
--   Aggregate
--     ->  Hash Join
--           Hash Cond: (l.order_id = o.id)
--           Join Filter: ((r.quantity <> l.quantity) OR ((o.status = ANY ('{PLACED,REJECTED}'::text[])) AND (r.state IS NOT NULL)) OR ((o.status = ANY ('{STOCK_RESERVED,PAYMENT_PENDING,PAYMENT_UNKNOWN,PAID,PAYMENT_FAILED}'::text[])) AND (COALESCE(r.state, 'none'::text) <> 'reserved'::text)) OR ((o.status = 'CONFIRMED'::text) AND (COALESCE(r.state, 'none'::text) <> 'sold'::text)) OR ((o.status = ANY ('{REFUNDING,REFUND_FAILED}'::text[])) AND (r.state IS NULL)) OR ((o.status = 'REFUNDED'::text) AND (COALESCE(r.state, 'none'::text) <> 'released'::text)) OR ((o.status = 'CANCEL_REQUESTED'::text) AND (r.state <> 'reserved'::text)) OR ((o.status = 'CANCELLED'::text) AND (r.state <> 'released'::text)))
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
SELECT COUNT(*) FROM orders WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'REFUNDED', 'REFUND_FAILED');
--   Aggregate
--     ->  Seq Scan on orders
--           Filter: (status <> ALL ('{CONFIRMED,REJECTED,CANCELLED,REFUNDED,REFUND_FAILED}'::text[]))

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o LEFT JOIN ( SELECT m.aggregate_id, COUNT(DISTINCT m.id) AS events FROM outbox m WHERE m.event_type LIKE 'orders.order.%' GROUP BY m.aggregate_id ) told ON told.aggregate_id = o.id WHERE (o.id IN (SELECT m.aggregate_id FROM outbox m WHERE m.event_type = 'orders.order.placed.v1') OR o.created_at > (SELECT MIN(m.published_at) FROM outbox m)) AND o.version > COALESCE(told.events, 0);
--   Aggregate
--     InitPlan 3 (returns $2)
--       ->  Result
--             InitPlan 2 (returns $1)
--               ->  Limit
--                     ->  Index Only Scan using outbox_published on outbox m_2
--     ->  Hash Left Join
--           Hash Cond: (o.id = m.aggregate_id)
--           Filter: (o.version > COALESCE((count(DISTINCT m.id)), '0'::bigint))
--           ->  Seq Scan on orders o
--                 Filter: ((hashed SubPlan 1) OR (created_at > $2))
--                 SubPlan 1
--                   ->  Seq Scan on outbox m_1
--                         Filter: (event_type = 'orders.order.placed.v1'::text)
--           ->  Hash
--                 ->  GroupAggregate
--                       Group Key: m.aggregate_id
--                       ->  Sort
--                             Sort Key: m.aggregate_id
--                             ->  Seq Scan on outbox m
--                                   Filter: (event_type ~~ 'orders.order.%'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE (o.status = 'REFUNDED') <> EXISTS ( SELECT 1 FROM refunds r JOIN payment_attempts p ON p.intent_id = r.intent_id WHERE r.order_id = o.id AND p.order_id = o.id AND r.status = 'succeeded' AND p.status = 'succeeded' AND r.amount = o.total_amount AND r.currency = o.total_currency) OR (o.status = 'REFUNDING') <> EXISTS ( SELECT 1 FROM refunds r JOIN payment_attempts p ON p.intent_id = r.intent_id WHERE r.order_id = o.id AND p.order_id = o.id AND r.status = 'open' AND p.status = 'succeeded');
--   Aggregate
--     ->  Seq Scan on orders o
--           Filter: (((status = 'REFUNDED'::text) <> (hashed SubPlan 2)) OR ((status = 'REFUNDING'::text) <> (hashed SubPlan 4)))
--           SubPlan 2
--             ->  Nested Loop
--                   ->  Index Scan using refunds_by_status on refunds r
--                         Index Cond: (status = 'succeeded'::text)
--                   ->  Index Scan using payment_attempts_intent on payment_attempts p
--                         Index Cond: (intent_id = r.intent_id)
--                         Filter: (status = 'succeeded'::text)
--           SubPlan 4
--             ->  Nested Loop
--                   ->  Index Scan using refunds_by_status on refunds r_1
--                         Index Cond: (status = 'open'::text)
--                   ->  Index Scan using payment_attempts_intent on payment_attempts p_1
--                         Index Cond: (intent_id = r_1.intent_id)
--                         Filter: (status = 'succeeded'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE (o.status IN ('PAID', 'CONFIRMED', 'REFUNDING', 'REFUNDED', 'REFUND_FAILED')) <> EXISTS ( SELECT 1 FROM payment_attempts p WHERE p.order_id = o.id AND p.status = 'succeeded' AND p.amount = o.total_amount AND p.currency = o.total_currency);
--   Aggregate
--     ->  Seq Scan on orders o
--           Filter: ((status = ANY ('{PAID,CONFIRMED,REFUNDING,REFUNDED,REFUND_FAILED}'::text[])) <> (hashed SubPlan 2))
--           SubPlan 2
--             ->  Seq Scan on payment_attempts p
--                   Filter: (status = 'succeeded'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE o.id IN (SELECT m.aggregate_id FROM outbox m WHERE m.event_type = 'orders.order.placed.v1') OR o.created_at > (SELECT MIN(m.published_at) FROM outbox m);
--   Aggregate
--     InitPlan 3 (returns $2)
--       ->  Result
--             InitPlan 2 (returns $1)
--               ->  Limit
--                     ->  Index Only Scan using outbox_published on outbox m_1
--     ->  Seq Scan on orders o
--           Filter: ((hashed SubPlan 1) OR (created_at > $2))
--           SubPlan 1
--             ->  Seq Scan on outbox m
--                   Filter: (event_type = 'orders.order.placed.v1'::text)

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
SELECT COUNT(*) FROM orders o WHERE o.version > 1 AND o.id IN (SELECT m.aggregate_id FROM outbox m);
--   Aggregate
--     ->  Hash Semi Join
--           Hash Cond: (o.id = m.aggregate_id)
--           ->  Seq Scan on orders o
--                 Filter: (version > 1)
--           ->  Hash
--                 ->  Seq Scan on outbox m

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE o.version > 1 AND o.id IN (SELECT m.aggregate_id FROM outbox m) AND o.id NOT IN (SELECT m.aggregate_id FROM outbox m JOIN inbox i ON i.message_id = m.id WHERE i.consumer = 'a worker');
--   Aggregate
--     ->  Hash Semi Join
--           Hash Cond: (o.id = m.aggregate_id)
--           ->  Seq Scan on orders o
--                 Filter: ((version > 1) AND (NOT (hashed SubPlan 1)))
--                 SubPlan 1
--                   ->  Nested Loop
--                         ->  Index Only Scan using inbox_pkey on inbox i
--                               Index Cond: (consumer = 'a worker'::text)
--                         ->  Index Scan using outbox_id_key on outbox m_1
--                               Index Cond: (id = i.message_id)
--           ->  Hash
--                 ->  Seq Scan on outbox m

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM orders o WHERE o.version > 1 AND o.id IN (SELECT m.aggregate_id FROM outbox m) AND o.id NOT IN (SELECT m.aggregate_id FROM outbox m JOIN inbox i ON i.message_id = m.id WHERE i.consumer = 'orders.saga');
--   Aggregate
--     ->  Hash Semi Join
--           Hash Cond: (o.id = m.aggregate_id)
--           ->  Seq Scan on orders o
--                 Filter: ((version > 1) AND (NOT (hashed SubPlan 1)))
--                 SubPlan 1
--                   ->  Nested Loop
--                         ->  Index Only Scan using inbox_pkey on inbox i
--                               Index Cond: (consumer = 'orders.saga'::text)
--                         ->  Index Scan using outbox_id_key on outbox m_1
--                               Index Cond: (id = i.message_id)
--           ->  Hash
--                 ->  Seq Scan on outbox m

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

SELECT COUNT(*) FROM refunds r WHERE r.status = 'open' AND NOT EXISTS ( SELECT 1 FROM payment_attempts p WHERE p.intent_id = r.intent_id AND p.status = 'succeeded');
--   Aggregate
--     ->  Nested Loop Anti Join
--           ->  Index Scan using refunds_by_status on refunds r
--                 Index Cond: (status = 'open'::text)
--           ->  Index Scan using payment_attempts_intent on payment_attempts p
--                 Index Cond: (intent_id = r.intent_id)
--                 Filter: (status = 'succeeded'::text)

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
SELECT COUNT(DISTINCT intent_id) FROM refunds;
--   Aggregate
--     ->  Seq Scan on refunds

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(DISTINCT r.intent_id) FROM refunds r WHERE NOT EXISTS ( SELECT 1 FROM payment_attempts p WHERE p.intent_id = r.intent_id AND p.status = 'succeeded');
--   Aggregate
--     ->  Hash Anti Join
--           Hash Cond: (r.intent_id = p.intent_id)
--           ->  Seq Scan on refunds r
--           ->  Hash
--                 ->  Seq Scan on payment_attempts p
--                       Filter: (status = 'succeeded'::text)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT id, total_amount, total_currency, status FROM orders WHERE status IN ('PAID', 'CONFIRMED', 'REFUNDING', 'REFUNDED', 'REFUND_FAILED');
--   Seq Scan on orders
--     Filter: (status = ANY ('{PAID,CONFIRMED,REFUNDING,REFUNDED,REFUND_FAILED}'::text[]))

UPDATE "orders" SET "deadline_at" = $1 WHERE "orders"."id" IN ($2, $3) AND "orders"."deadline_at" IS NOT NULL;
--   Update on orders
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = ANY (ARRAY[$2, $3]))
--           Filter: (deadline_at IS NOT NULL)

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

UPDATE "orders" SET "status" = $1, "version" = "version" + $2, "updated_at" = $3, "deadline_at" = $4 WHERE "orders"."id" IN ($5, $6) AND "orders"."status" IN ($7, $8) RETURNING "id", "number", "customer_id", "status", "version", "total_amount", "total_currency", "payment_method", "idempotency_key", "body_hash", "created_at", "updated_at", "deadline_at";
--   Update on orders
--     ->  Index Scan using orders_pkey on orders
--           Index Cond: (id = ANY (ARRAY[$5, $6]))
--           Filter: (status = ANY (ARRAY[$7, $8]))

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
UPDATE "outbox" SET "published_at" = $1, "locked_until" = $2 WHERE "outbox"."published_at" IS NOT NULL AND "outbox"."event_type" IN ($3, $4) AND ("outbox"."queue" IS NULL OR "outbox"."queue" = $5) AND COALESCE("outbox"."retry_of", "outbox"."id") NOT IN (SELECT "inbox"."message_id" FROM "inbox" WHERE "inbox"."consumer" = $6) AND COALESCE("outbox"."retry_of", "outbox"."id") NOT IN (SELECT "dead_letters"."message_id" FROM "dead_letters" WHERE "dead_letters"."queue" = $7) AND (NOT EXISTS(SELECT $8 FROM "outbox" AS "retry" WHERE "retry"."retry_of" = "outbox"."id" AND "retry"."queue" = $9));
--   Update on outbox
--     ->  Hash Anti Join
--           Hash Cond: (outbox.id = retry.retry_of)
--           ->  Seq Scan on outbox
--                 Filter: ((published_at IS NOT NULL) AND (event_type = ANY (ARRAY[$3, $4])) AND ((queue IS NULL) OR (queue = $5)) AND (NOT (hashed SubPlan 1)) AND (NOT (hashed SubPlan 2)))
--                 SubPlan 1
--                   ->  Seq Scan on inbox
--                         Filter: (consumer = $6)
--                 SubPlan 2
--                   ->  Seq Scan on dead_letters
--                         Filter: (queue = $7)
--           ->  Hash
--                 ->  Index Scan using outbox_retry_of on outbox retry
--                       Index Cond: (queue = $9)

UPDATE "outbox" SET "published_at" = $1, "locked_until" = $2 WHERE "outbox"."seq" IN ($3, $4);
--   Update on outbox
--     ->  Index Scan using outbox_pkey on outbox
--           Index Cond: (seq = ANY (ARRAY[$3, $4]))

UPDATE "payment_attempts" SET "status" = $1, "updated_at" = $2 WHERE "payment_attempts"."order_id" = $3 AND "payment_attempts"."status" = $4;
--   Update on payment_attempts
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $3)
--           Filter: (status = $4)

UPDATE "payment_attempts" SET "status" = $1, "updated_at" = $2, "intent_id" = $3 WHERE "payment_attempts"."id" = $4;
--   Update on payment_attempts
--     ->  Index Scan using payment_attempts_pkey on payment_attempts
--           Index Cond: (id = $4)

UPDATE "payment_attempts" SET "status" = $1, "updated_at" = $2, "intent_id" = $3 WHERE ("payment_attempts"."intent_id" IS NULL OR "payment_attempts"."intent_id" = $4) AND "payment_attempts"."order_id" = $5 AND "payment_attempts"."status" = $6;
--   Update on payment_attempts
--     ->  Index Scan using payment_attempts_order on payment_attempts
--           Index Cond: (order_id = $5)
--           Filter: (((intent_id IS NULL) OR (intent_id = $4)) AND (status = $6))

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

UPDATE "reconciliations" SET "locked_until" = $1 WHERE "reconciliations"."name" = $2 AND "reconciliations"."locked_until" <= $3;
--   Update on reconciliations
--     ->  Index Scan using reconciliations_pkey on reconciliations
--           Index Cond: (name = $2)
--           Filter: (locked_until <= $3)

UPDATE "reconciliations" SET "watermark" = $1 WHERE "reconciliations"."name" = $2 AND "reconciliations"."watermark" < $3;
--   Update on reconciliations
--     ->  Index Scan using reconciliations_pkey on reconciliations
--           Index Cond: (name = $2)
--           Filter: (watermark < $3)

UPDATE "refunds" SET "status" = $1, "updated_at" = $2, "failure" = $3 WHERE "refunds"."id" = $4 AND "refunds"."status" IN ($5, $6);
--   Update on refunds
--     ->  Index Scan using refunds_pkey on refunds
--           Index Cond: (id = $4)
--           Filter: (status = ANY (ARRAY[$5, $6]))

UPDATE "refunds" SET "status" = $1, "updated_at" = $2, "provider_refund_id" = $3 WHERE "refunds"."id" = $4 AND "refunds"."status" IN ($5, $6);
--   Update on refunds
--     ->  Index Scan using refunds_pkey on refunds
--           Index Cond: (id = $4)
--           Filter: (status = ANY (ARRAY[$5, $6]))

UPDATE "refunds" SET "status" = $1, "updated_at" = $2, "provider_refund_id" = $3, "failure" = $4 WHERE "refunds"."id" = $5 AND "refunds"."status" IN ($6, $7);
--   Update on refunds
--     ->  Index Scan using refunds_pkey on refunds
--           Index Cond: (id = $5)
--           Filter: (status = ANY (ARRAY[$6, $7]))

UPDATE "stock" SET "total" = "total" + $1, "available" = "available" + $2 WHERE "stock"."product_id" = $3 AND ("available" + $4 BETWEEN $5 AND $6);
--   Update on stock
--     ->  Index Scan using stock_pkey on stock
--           Index Cond: (product_id = $3)
--           Filter: (((available + $4) >= $5) AND ((available + $4) <= $6))

UPDATE "stock_reservations" SET "state" = $1 WHERE "stock_reservations"."order_id" IN ($2, $3) AND "stock_reservations"."state" = $4;
--   Update on stock_reservations
--     ->  Index Scan using stock_reservations_pkey on stock_reservations
--           Index Cond: (order_id = ANY (ARRAY[$2, $3]))
--           Filter: (state = $4)

WITH "demand" ("demanded_product", "demanded_quantity") AS (SELECT "product_id" AS "demanded_product", CAST(SUM("quantity") AS bigint) AS "demanded_quantity" FROM "order_lines" WHERE "order_id" IN ($1, $2) GROUP BY "product_id") UPDATE "stock" SET "available" = "stock"."available" - "demand"."demanded_quantity", "reserved" = "stock"."reserved" + "demand"."demanded_quantity" FROM "demand" WHERE "stock"."product_id" = "demand"."demanded_product" AND "stock"."available" >= "demand"."demanded_quantity" RETURNING "product_id";
--   Update on stock
--     ->  Nested Loop
--           ->  Subquery Scan on demand
--                 ->  GroupAggregate
--                       Group Key: order_lines.product_id
--                       ->  Sort
--                             Sort Key: order_lines.product_id
--                             ->  Index Scan using order_lines_pkey on order_lines
--                                   Index Cond: (order_id = ANY (ARRAY[$1, $2]))
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = demand.demanded_product)
--                 Filter: (available >= demand.demanded_quantity)

WITH "demand" ("demanded_product", "demanded_quantity") AS (SELECT "product_id" AS "demanded_product", CAST(SUM("quantity") AS bigint) AS "demanded_quantity" FROM "stock_reservations" WHERE "order_id" IN ($1, $2) AND "state" = $3 GROUP BY "product_id") UPDATE "stock" SET "reserved" = "stock"."reserved" - "demand"."demanded_quantity", "available" = "stock"."available" + "demand"."demanded_quantity" FROM "demand" WHERE "stock"."product_id" = "demand"."demanded_product";
--   Update on stock
--     ->  Nested Loop
--           ->  Subquery Scan on demand
--                 ->  GroupAggregate
--                       Group Key: stock_reservations.product_id
--                       ->  Sort
--                             Sort Key: stock_reservations.product_id
--                             ->  Index Scan using stock_reservations_pkey on stock_reservations
--                                   Index Cond: (order_id = ANY (ARRAY[$1, $2]))
--                                   Filter: (state = $3)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = demand.demanded_product)

WITH "demand" ("demanded_product", "demanded_quantity") AS (SELECT "product_id" AS "demanded_product", CAST(SUM("quantity") AS bigint) AS "demanded_quantity" FROM "stock_reservations" WHERE "order_id" IN ($1, $2) AND "state" = $3 GROUP BY "product_id") UPDATE "stock" SET "reserved" = "stock"."reserved" - "demand"."demanded_quantity", "sold" = "stock"."sold" + "demand"."demanded_quantity" FROM "demand" WHERE "stock"."product_id" = "demand"."demanded_product";
--   Update on stock
--     ->  Nested Loop
--           ->  Subquery Scan on demand
--                 ->  GroupAggregate
--                       Group Key: stock_reservations.product_id
--                       ->  Sort
--                             Sort Key: stock_reservations.product_id
--                             ->  Index Scan using stock_reservations_pkey on stock_reservations
--                                   Index Cond: (order_id = ANY (ARRAY[$1, $2]))
--                                   Filter: (state = $3)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = demand.demanded_product)

WITH "demand" ("demanded_product", "demanded_quantity") AS (SELECT "product_id" AS "demanded_product", CAST(SUM("quantity") AS bigint) AS "demanded_quantity" FROM "stock_reservations" WHERE "order_id" IN ($1, $2) AND "state" = $3 GROUP BY "product_id") UPDATE "stock" SET "sold" = "stock"."sold" - "demand"."demanded_quantity", "available" = "stock"."available" + "demand"."demanded_quantity" FROM "demand" WHERE "stock"."product_id" = "demand"."demanded_product";
--   Update on stock
--     ->  Nested Loop
--           ->  Subquery Scan on demand
--                 ->  GroupAggregate
--                       Group Key: stock_reservations.product_id
--                       ->  Sort
--                             Sort Key: stock_reservations.product_id
--                             ->  Index Scan using stock_reservations_pkey on stock_reservations
--                                   Index Cond: (order_id = ANY (ARRAY[$1, $2]))
--                                   Filter: (state = $3)
--           ->  Index Scan using stock_pkey on stock
--                 Index Cond: (product_id = demand.demanded_product)

WITH "due" ("seq") AS (SELECT "outbox"."seq" FROM "outbox" WHERE "outbox"."published_at" IS NULL AND "outbox"."available_at" <= $1 AND ("locked_until" IS NULL OR "locked_until" <= $2) AND "outbox"."seq" = (SELECT MIN("earlier"."seq") FROM "outbox" AS "earlier" WHERE "earlier"."aggregate_id" = "outbox"."aggregate_id" AND "earlier"."published_at" IS NULL AND "earlier"."available_at" <= $3) ORDER BY "outbox"."available_at" ASC, "outbox"."seq" ASC LIMIT $4 FOR UPDATE SKIP LOCKED) UPDATE "outbox" SET "locked_until" = $5, "attempts" = "attempts" + $6 WHERE "seq" IN (SELECT "seq" FROM "due") RETURNING "seq", "id", "aggregate_id", "event_type", "body", "traceparent", "available_at", "attempts", "retry_of", "queue", "failed_attempts";
--   Update on outbox
--     CTE due
--       ->  Limit
--             ->  LockRows
--                   ->  Index Scan using outbox_unpublished on outbox outbox_1
--                         Index Cond: (available_at <= $1)
--                         Filter: ((published_at IS NULL) AND ((locked_until IS NULL) OR (locked_until <= $2)) AND (seq = (SubPlan 2)))
--                         SubPlan 2
--                           ->  Result
--                                 InitPlan 1 (returns $1)
--                                   ->  Limit
--                                         ->  Index Scan using outbox_unpublished_aggregate on outbox earlier
--                                               Index Cond: ((aggregate_id = outbox_1.aggregate_id) AND (seq IS NOT NULL))
--                                               Filter: (available_at <= $3)
--     ->  Nested Loop
--           ->  HashAggregate
--                 Group Key: due.seq
--                 ->  CTE Scan on due
--           ->  Index Scan using outbox_pkey on outbox
--                 Index Cond: (seq = due.seq)
