-- Every statement that the suites ask of the auth database, with its plan for any parameters,
-- and a limit of 100, over the large data set of crates/plan-gate. Written by `cargo xtask plans --write`.
-- By hand, only add a line `-- Accepted: <reason>` above a statement whose plan is right although the
-- gate refuses it.
-- PostgreSQL 15

DELETE FROM "api_keys" WHERE "user_id" = $1;
--   Delete on api_keys
--     ->  Index Scan using api_keys_list on api_keys
--           Index Cond: (user_id = $1)

DELETE FROM "dead_letters" WHERE "dead_letters"."seq" IN ($1, $2);
--   Delete on dead_letters
--     ->  Index Scan using dead_letters_pkey on dead_letters
--           Index Cond: (seq = ANY (ARRAY[$1, $2]))

DELETE FROM "email_changes" WHERE "email_changes"."expires_at" <= $1;
--   Delete on email_changes
--     ->  Index Scan using email_changes_expiry on email_changes
--           Index Cond: (expires_at <= $1)

DELETE FROM "email_changes" WHERE "email_changes"."user_id" = $1;
--   Delete on email_changes
--     ->  Index Scan using email_changes_user on email_changes
--           Index Cond: (user_id = $1)

DELETE FROM "email_changes" WHERE "email_changes"."user_id" IN (SELECT "email_changes"."user_id" FROM "email_changes" WHERE "email_changes"."token_hash" = $1 AND "email_changes"."expires_at" > $2) RETURNING "id", "user_id", "session_id", "token_hash", "new_email", "created_at", "expires_at";
--   Delete on email_changes
--     ->  Nested Loop
--           ->  Index Scan using email_changes_token_hash_key on email_changes email_changes_1
--                 Index Cond: (token_hash = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using email_changes_user on email_changes
--                 Index Cond: (user_id = email_changes_1.user_id)

DELETE FROM "email_changes" WHERE "user_id" = $1;
--   Delete on email_changes
--     ->  Index Scan using email_changes_user on email_changes
--           Index Cond: (user_id = $1)

DELETE FROM "email_verifications" WHERE "email_verifications"."expires_at" <= $1;
--   Delete on email_verifications
--     ->  Index Scan using email_verifications_expiry on email_verifications
--           Index Cond: (expires_at <= $1)

DELETE FROM "email_verifications" WHERE "email_verifications"."user_id" IN (SELECT "email_verifications"."user_id" FROM "email_verifications" WHERE "email_verifications"."token_hash" = $1 AND "email_verifications"."expires_at" > $2) RETURNING "id", "user_id", "token_hash", "name", "password_hash", "created_at", "expires_at";
--   Delete on email_verifications
--     ->  Nested Loop
--           ->  Index Scan using email_verifications_token_hash_key on email_verifications email_verifications_1
--                 Index Cond: (token_hash = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using email_verifications_user on email_verifications
--                 Index Cond: (user_id = email_verifications_1.user_id)

DELETE FROM "email_verifications" WHERE "user_id" = $1;
--   Delete on email_verifications
--     ->  Index Scan using email_verifications_user on email_verifications
--           Index Cond: (user_id = $1)

DELETE FROM "external_identities" WHERE "external_identities"."id" = $1;
--   Delete on external_identities
--     ->  Index Scan using external_identities_pkey on external_identities
--           Index Cond: (id = $1)

DELETE FROM "external_identities" WHERE "user_id" = $1;
--   Delete on external_identities
--     ->  Index Scan using external_identities_list on external_identities
--           Index Cond: (user_id = $1)

DELETE FROM "external_logins" WHERE "external_logins"."expires_at" <= $1;
--   Delete on external_logins
--     ->  Index Scan using external_logins_expiry on external_logins
--           Index Cond: (expires_at <= $1)

DELETE FROM "external_logins" WHERE "external_logins"."state_hash" = $1 AND "external_logins"."binding_hash" = $2 AND "external_logins"."expires_at" > $3 RETURNING "state_hash", "provider", "binding_hash", "secrets", "user_id", "created_at", "expires_at";
--   Delete on external_logins
--     ->  Index Scan using external_logins_pkey on external_logins
--           Index Cond: (state_hash = $1)
--           Filter: ((expires_at > $3) AND (binding_hash = $2))

DELETE FROM "external_logins" WHERE "user_id" = $1;
--   Delete on external_logins
--     ->  Index Scan using external_logins_user on external_logins
--           Index Cond: (user_id = $1)

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

DELETE FROM "mfa_challenges" WHERE "mfa_challenges"."expires_at" <= $1;
--   Delete on mfa_challenges
--     ->  Index Scan using mfa_challenges_expiry on mfa_challenges
--           Index Cond: (expires_at <= $1)

DELETE FROM "mfa_challenges" WHERE "mfa_challenges"."token_hash" = $1;
--   Delete on mfa_challenges
--     ->  Index Scan using mfa_challenges_pkey on mfa_challenges
--           Index Cond: (token_hash = $1)

DELETE FROM "mfa_challenges" WHERE "mfa_challenges"."user_id" = $1;
--   Delete on mfa_challenges
--     ->  Index Scan using mfa_challenges_user on mfa_challenges
--           Index Cond: (user_id = $1)

DELETE FROM "mfa_challenges" WHERE "user_id" = $1;
--   Delete on mfa_challenges
--     ->  Index Scan using mfa_challenges_user on mfa_challenges
--           Index Cond: (user_id = $1)

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

DELETE FROM "passkey_ceremonies" WHERE "passkey_ceremonies"."expires_at" <= $1;
--   Delete on passkey_ceremonies
--     ->  Index Scan using passkey_ceremonies_expiry on passkey_ceremonies
--           Index Cond: (expires_at <= $1)

DELETE FROM "passkey_ceremonies" WHERE "user_id" = $1;
--   Delete on passkey_ceremonies
--     ->  Index Scan using passkey_ceremonies_user on passkey_ceremonies
--           Index Cond: (user_id = $1)

DELETE FROM "passkeys" WHERE "passkeys"."id" = $1 AND "passkeys"."user_id" = $2;
--   Delete on passkeys
--     ->  Index Scan using passkeys_user on passkeys
--           Index Cond: (user_id = $2)
--           Filter: (id = $1)

DELETE FROM "passkeys" WHERE "user_id" = $1;
--   Delete on passkeys
--     ->  Index Scan using passkeys_user on passkeys
--           Index Cond: (user_id = $1)

DELETE FROM "password_resets" WHERE "password_resets"."expires_at" <= $1;
--   Delete on password_resets
--     ->  Index Scan using password_resets_expiry on password_resets
--           Index Cond: (expires_at <= $1)

DELETE FROM "password_resets" WHERE "password_resets"."user_id" = $1;
--   Delete on password_resets
--     ->  Index Scan using password_resets_user on password_resets
--           Index Cond: (user_id = $1)

DELETE FROM "password_resets" WHERE "password_resets"."user_id" IN (SELECT "password_resets"."user_id" FROM "password_resets" WHERE "password_resets"."token_hash" = $1 AND "password_resets"."expires_at" > $2) RETURNING "id", "user_id", "token_hash", "created_at", "expires_at";
--   Delete on password_resets
--     ->  Nested Loop
--           ->  Index Scan using password_resets_token_hash_key on password_resets password_resets_1
--                 Index Cond: (token_hash = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using password_resets_user on password_resets
--                 Index Cond: (user_id = password_resets_1.user_id)

DELETE FROM "password_resets" WHERE "user_id" = $1;
--   Delete on password_resets
--     ->  Index Scan using password_resets_user on password_resets
--           Index Cond: (user_id = $1)

DELETE FROM "recovery_codes" WHERE "recovery_codes"."user_id" = $1;
--   Delete on recovery_codes
--     ->  Index Scan using recovery_codes_user on recovery_codes
--           Index Cond: (user_id = $1)

DELETE FROM "recovery_codes" WHERE "user_id" = $1;
--   Delete on recovery_codes
--     ->  Index Scan using recovery_codes_user on recovery_codes
--           Index Cond: (user_id = $1)

DELETE FROM "sessions" WHERE "sessions"."expires_at" <= $1;
--   Delete on sessions
--     ->  Index Scan using sessions_expiry on sessions
--           Index Cond: (expires_at <= $1)

DELETE FROM "totp_credentials" WHERE "totp_credentials"."user_id" = $1;
--   Delete on totp_credentials
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $1)

DELETE FROM "totp_credentials" WHERE "user_id" = $1;
--   Delete on totp_credentials
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $1)

DELETE FROM "users" WHERE "users"."email" = $1 AND "users"."email_verified_at" IS NULL AND "users"."disabled_at" IS NULL;
--   Delete on users
--     ->  Index Scan using users_email_start on users
--           Index Cond: (email = $1)
--           Filter: ((email_verified_at IS NULL) AND (disabled_at IS NULL))

INSERT INTO "api_keys" ("id", "user_id", "name", "secret_hash", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
--   Insert on api_keys
--     ->  Result

INSERT INTO "audit_events" ("id", "occurred_at", "actor_kind", "actor_id", "action", "target_kind", "target_id", "ip", "request_id", "outcome", "details") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
--   Insert on audit_events
--     ->  Result

INSERT INTO "dead_letters" ("queue", "message_id", "event_type", "aggregate_id", "body", "traceparent", "reason", "attempt") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT ("queue", "message_id") DO UPDATE SET "reason" = "excluded"."reason", "attempt" = "excluded"."attempt";
--   Insert on dead_letters
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: dead_letters_message
--     ->  Result

INSERT INTO "email_changes" ("id", "user_id", "session_id", "token_hash", "new_email", "created_at", "expires_at") VALUES ($1, $2, $3, $4, $5, $6, $7);
--   Insert on email_changes
--     ->  Result

INSERT INTO "email_verifications" ("id", "user_id", "token_hash", "name", "password_hash", "created_at", "expires_at") SELECT $1, $2, $3, $4, $5, $6, $7 FROM "users" WHERE "users"."id" = $8;
--   Insert on email_verifications
--     ->  Index Only Scan using users_pkey on users
--           Index Cond: (id = $8)

INSERT INTO "email_verifications" ("id", "user_id", "token_hash", "name", "password_hash", "created_at", "expires_at") VALUES ($1, $2, $3, $4, $5, $6, $7);
--   Insert on email_verifications
--     ->  Result

INSERT INTO "external_identities" ("id", "user_id", "provider", "issuer", "subject", "email", "created_at") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("issuer", "subject") DO NOTHING;
--   Insert on external_identities
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: external_identities_subject
--     ->  Result

INSERT INTO "external_logins" ("state_hash", "provider", "binding_hash", "secrets", "user_id", "created_at", "expires_at") VALUES ($1, $2, $3, $4, $5, $6, $7);
--   Insert on external_logins
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

INSERT INTO "mfa_challenges" ("token_hash", "user_id", "amr", "attempts", "created_at", "expires_at") VALUES ($1, $2, $3, $4, $5, $6);
--   Insert on mfa_challenges
--     ->  Result

INSERT INTO "outbox" ("id", "aggregate_type", "aggregate_id", "event_type", "body", "traceparent", "created_at", "available_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on outbox
--     ->  Result

INSERT INTO "outbox" ("id", "aggregate_type", "aggregate_id", "event_type", "body", "traceparent", "created_at", "available_at", "retry_of", "queue", "failed_attempts") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT ("retry_of", "queue") WHERE "retry_of" IS NOT NULL DO UPDATE SET "available_at" = "excluded"."available_at", "failed_attempts" = "excluded"."failed_attempts";
--   Insert on outbox
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: outbox_retry_of
--     ->  Result

INSERT INTO "password_resets" ("id", "user_id", "token_hash", "created_at", "expires_at") SELECT $1, $2, $3, $4, $5 FROM "users" WHERE "users"."id" = $6;
--   Insert on password_resets
--     ->  Index Only Scan using users_pkey on users
--           Index Cond: (id = $6)

INSERT INTO "recovery_codes" ("code_hash", "user_id", "used_at") VALUES ($1, $2, $3);
--   Insert on recovery_codes
--     ->  Result

INSERT INTO "refresh_tokens" ("token_hash", "session_id", "generation") VALUES ($1, $2, $3);
--   Insert on refresh_tokens
--     ->  Result

INSERT INTO "service_accounts" ("id", "name", "secret_hash", "audience", "scopes", "created_at", "disabled_at") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("name") DO NOTHING;
--   Insert on service_accounts
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: service_accounts_name_key
--     ->  Result

INSERT INTO "service_accounts" ("id", "name", "secret_hash", "audience", "scopes", "created_at", "disabled_at") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("name") DO UPDATE SET "secret_hash" = "excluded"."secret_hash", "audience" = "excluded"."audience", "scopes" = "excluded"."scopes";
--   Insert on service_accounts
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: service_accounts_name_key
--     ->  Result

INSERT INTO "sessions" ("id", "user_id", "generation", "rotated_at", "grace_uses", "authenticated_at", "amr", "device", "ip", "last_used_at", "idle_expires_at", "expires_at", "revoked_at", "created_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);
--   Insert on sessions
--     ->  Result

INSERT INTO "signing_keys" ("kid", "status", "algorithm", "private_key", "created_at", "activated_at", "superseded_at", "retired_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
--   Insert on signing_keys
--     ->  Result

INSERT INTO "totp_credentials" ("user_id", "secret", "confirmed_at", "last_step", "failed_attempts", "locked_until", "created_at") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("user_id") DO UPDATE SET "secret" = "excluded"."secret", "created_at" = "excluded"."created_at" WHERE "totp_credentials"."confirmed_at" IS NULL;
--   Insert on totp_credentials
--     Conflict Resolution: UPDATE
--     Conflict Arbiter Indexes: totp_credentials_pkey
--     Conflict Filter: (totp_credentials.confirmed_at IS NULL)
--     ->  Result

INSERT INTO "users" ("id", "email", "name", "role", "password_hash", "email_verified_at", "disabled_at", "deleted_at", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT ("email") DO NOTHING;
--   Insert on users
--     Conflict Resolution: NOTHING
--     Conflict Arbiter Indexes: users_email_key
--     ->  Result

SELECT "api_keys"."id" AS "A_id", "api_keys"."user_id" AS "A_user_id", "api_keys"."name" AS "A_name", "api_keys"."secret_hash" AS "A_secret_hash", "api_keys"."scopes" AS "A_scopes", "api_keys"."created_at" AS "A_created_at", "api_keys"."expires_at" AS "A_expires_at", "api_keys"."last_used_at" AS "A_last_used_at", "api_keys"."revoked_at" AS "A_revoked_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "api_keys" LEFT JOIN "users" ON "api_keys"."user_id" = "users"."id" WHERE "api_keys"."id" = $1 AND "api_keys"."revoked_at" IS NULL AND "api_keys"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using api_keys_pkey on api_keys
--                 Index Cond: (id = $1)
--                 Filter: ((revoked_at IS NULL) AND (expires_at > $2))
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = api_keys.user_id)

SELECT "api_keys"."id", "api_keys"."user_id", "api_keys"."name", "api_keys"."secret_hash", "api_keys"."scopes", "api_keys"."created_at", "api_keys"."expires_at", "api_keys"."last_used_at", "api_keys"."revoked_at" FROM "api_keys" WHERE "api_keys"."user_id" = $1 AND "api_keys"."revoked_at" IS NULL AND "api_keys"."expires_at" > $2 ORDER BY "api_keys"."id" DESC LIMIT $3;
--   Limit
--     ->  Index Scan Backward using api_keys_list on api_keys
--           Index Cond: (user_id = $1)
--           Filter: ((revoked_at IS NULL) AND (expires_at > $2))

SELECT "api_keys"."id", "api_keys"."user_id", "api_keys"."name", "api_keys"."secret_hash", "api_keys"."scopes", "api_keys"."created_at", "api_keys"."expires_at", "api_keys"."last_used_at", "api_keys"."revoked_at" FROM "api_keys" WHERE "api_keys"."user_id" = $1 ORDER BY "api_keys"."id" DESC LIMIT $2;
--   Limit
--     ->  Index Scan Backward using api_keys_list on api_keys
--           Index Cond: (user_id = $1)

SELECT "audit_events"."id", "audit_events"."occurred_at", "audit_events"."actor_kind", "audit_events"."actor_id", "audit_events"."action", "audit_events"."target_kind", "audit_events"."target_id", "audit_events"."ip", "audit_events"."request_id", "audit_events"."outcome", "audit_events"."details" FROM "audit_events" WHERE "audit_events"."actor_id" = $1 AND "audit_events"."action" = $2 AND "audit_events"."id" < $3 ORDER BY "audit_events"."id" DESC LIMIT $4;
--   Limit
--     ->  Index Scan Backward using audit_events_actor on audit_events
--           Index Cond: ((actor_id = $1) AND (id < $3))
--           Filter: (action = $2)

SELECT "audit_events"."id", "audit_events"."occurred_at", "audit_events"."actor_kind", "audit_events"."actor_id", "audit_events"."action", "audit_events"."target_kind", "audit_events"."target_id", "audit_events"."ip", "audit_events"."request_id", "audit_events"."outcome", "audit_events"."details" FROM "audit_events" WHERE "audit_events"."actor_id" = $1 AND "audit_events"."action" = $2 ORDER BY "audit_events"."id" DESC LIMIT $3;
--   Limit
--     ->  Sort
--           Sort Key: id DESC
--           ->  Bitmap Heap Scan on audit_events
--                 Recheck Cond: (actor_id = $1)
--                 Filter: (action = $2)
--                 ->  Bitmap Index Scan on audit_events_actor
--                       Index Cond: (actor_id = $1)

-- Accepted: a person's own events, for the export of their data: those of both indexes, merged
SELECT "audit_events"."id", "audit_events"."occurred_at", "audit_events"."actor_kind", "audit_events"."actor_id", "audit_events"."action", "audit_events"."target_kind", "audit_events"."target_id", "audit_events"."ip", "audit_events"."request_id", "audit_events"."outcome", "audit_events"."details" FROM "audit_events" WHERE "audit_events"."actor_id" = $1 OR "audit_events"."target_id" IN ($2, $3) ORDER BY "audit_events"."id" DESC LIMIT $4;
--   Limit
--     ->  Sort
--           Sort Key: id DESC
--           ->  Bitmap Heap Scan on audit_events
--                 Recheck Cond: ((actor_id = $1) OR (target_id = ANY (ARRAY[$2, $3])))
--                 ->  BitmapOr
--                       ->  Bitmap Index Scan on audit_events_actor
--                             Index Cond: (actor_id = $1)
--                       ->  Bitmap Index Scan on audit_events_target
--                             Index Cond: (target_id = ANY (ARRAY[$2, $3]))

SELECT "audit_events"."id", "audit_events"."occurred_at", "audit_events"."actor_kind", "audit_events"."actor_id", "audit_events"."action", "audit_events"."target_kind", "audit_events"."target_id", "audit_events"."ip", "audit_events"."request_id", "audit_events"."outcome", "audit_events"."details" FROM "audit_events" WHERE "audit_events"."target_id" = $1 ORDER BY "audit_events"."id" DESC LIMIT $2;
--   Limit
--     ->  Sort
--           Sort Key: id DESC
--           ->  Bitmap Heap Scan on audit_events
--                 Recheck Cond: (target_id = $1)
--                 ->  Bitmap Index Scan on audit_events_target
--                       Index Cond: (target_id = $1)

SELECT "audit_events"."id", "audit_events"."occurred_at", "audit_events"."actor_kind", "audit_events"."actor_id", "audit_events"."action", "audit_events"."target_kind", "audit_events"."target_id", "audit_events"."ip", "audit_events"."request_id", "audit_events"."outcome", "audit_events"."details" FROM "audit_events" WHERE TRUE ORDER BY "audit_events"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Scan using audit_events_pkey on audit_events

SELECT "audit_events"."id", "audit_events"."occurred_at", "audit_events"."actor_kind", "audit_events"."actor_id", "audit_events"."action", "audit_events"."target_kind", "audit_events"."target_id", "audit_events"."ip", "audit_events"."request_id", "audit_events"."outcome", "audit_events"."details" FROM "audit_events" WHERE TRUE ORDER BY "audit_events"."id" DESC LIMIT $1;
--   Limit
--     ->  Index Scan Backward using audit_events_pkey on audit_events

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

SELECT "email_changes"."id" AS "A_id", "email_changes"."user_id" AS "A_user_id", "email_changes"."session_id" AS "A_session_id", "email_changes"."token_hash" AS "A_token_hash", "email_changes"."new_email" AS "A_new_email", "email_changes"."created_at" AS "A_created_at", "email_changes"."expires_at" AS "A_expires_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "email_changes" LEFT JOIN "users" ON "email_changes"."user_id" = "users"."id" WHERE "email_changes"."id" = $1 AND "email_changes"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using email_changes_pkey on email_changes
--                 Index Cond: (id = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = email_changes.user_id)

SELECT "email_changes"."id" AS "A_id", "email_changes"."user_id" AS "A_user_id", "email_changes"."session_id" AS "A_session_id", "email_changes"."token_hash" AS "A_token_hash", "email_changes"."new_email" AS "A_new_email", "email_changes"."created_at" AS "A_created_at", "email_changes"."expires_at" AS "A_expires_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "email_changes" LEFT JOIN "users" ON "email_changes"."user_id" = "users"."id" WHERE "email_changes"."token_hash" = $1 AND "email_changes"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using email_changes_token_hash_key on email_changes
--                 Index Cond: (token_hash = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = email_changes.user_id)

SELECT "email_changes"."id", "email_changes"."user_id", "email_changes"."session_id", "email_changes"."token_hash", "email_changes"."new_email", "email_changes"."created_at", "email_changes"."expires_at" FROM "email_changes" WHERE "email_changes"."user_id" = $1 AND "email_changes"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Index Scan using email_changes_user on email_changes
--           Index Cond: (user_id = $1)
--           Filter: (expires_at > $2)

SELECT "email_verifications"."id" AS "A_id", "email_verifications"."user_id" AS "A_user_id", "email_verifications"."token_hash" AS "A_token_hash", "email_verifications"."name" AS "A_name", "email_verifications"."password_hash" AS "A_password_hash", "email_verifications"."created_at" AS "A_created_at", "email_verifications"."expires_at" AS "A_expires_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "email_verifications" LEFT JOIN "users" ON "email_verifications"."user_id" = "users"."id" WHERE "email_verifications"."id" = $1 AND "email_verifications"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using email_verifications_pkey on email_verifications
--                 Index Cond: (id = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = email_verifications.user_id)

SELECT "external_identities"."id" AS "A_id", "external_identities"."user_id" AS "A_user_id", "external_identities"."provider" AS "A_provider", "external_identities"."issuer" AS "A_issuer", "external_identities"."subject" AS "A_subject", "external_identities"."email" AS "A_email", "external_identities"."created_at" AS "A_created_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "external_identities" LEFT JOIN "users" ON "external_identities"."user_id" = "users"."id" WHERE "external_identities"."id" = $1 LIMIT $2;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using external_identities_pkey on external_identities
--                 Index Cond: (id = $1)
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = external_identities.user_id)

SELECT "external_identities"."id" AS "A_id", "external_identities"."user_id" AS "A_user_id", "external_identities"."provider" AS "A_provider", "external_identities"."issuer" AS "A_issuer", "external_identities"."subject" AS "A_subject", "external_identities"."email" AS "A_email", "external_identities"."created_at" AS "A_created_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "external_identities" LEFT JOIN "users" ON "external_identities"."user_id" = "users"."id" WHERE "external_identities"."issuer" = $1 AND "external_identities"."subject" = $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using external_identities_subject on external_identities
--                 Index Cond: ((issuer = $1) AND (subject = $2))
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = external_identities.user_id)

SELECT "external_identities"."id", "external_identities"."user_id", "external_identities"."provider", "external_identities"."issuer", "external_identities"."subject", "external_identities"."email", "external_identities"."created_at" FROM "external_identities" WHERE "external_identities"."user_id" = $1 ORDER BY "external_identities"."created_at" ASC, "external_identities"."id" ASC LIMIT $2;
--   Limit
--     ->  Index Scan using external_identities_list on external_identities
--           Index Cond: (user_id = $1)

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

SELECT "kid", "private_key" FROM "signing_keys" WHERE "private_key" IS NOT NULL AND "private_key" <> $1 AND "kid" > $2 ORDER BY "kid" ASC LIMIT $3;
--   Limit
--     ->  Sort
--           Sort Key: kid
--           ->  Seq Scan on signing_keys
--                 Filter: ((private_key IS NOT NULL) AND (private_key <> $1) AND (kid > $2))

SELECT "kid", "private_key" FROM "signing_keys" WHERE "private_key" IS NOT NULL AND "private_key" <> $1 ORDER BY "kid" ASC LIMIT $2;
--   Limit
--     ->  Sort
--           Sort Key: kid
--           ->  Seq Scan on signing_keys
--                 Filter: ((private_key IS NOT NULL) AND (private_key <> $1))

SELECT "mfa_challenges"."token_hash", "mfa_challenges"."user_id", "mfa_challenges"."amr", "mfa_challenges"."attempts", "mfa_challenges"."created_at", "mfa_challenges"."expires_at" FROM "mfa_challenges" WHERE "mfa_challenges"."token_hash" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using mfa_challenges_pkey on mfa_challenges
--           Index Cond: (token_hash = $1)

SELECT "mfa_challenges"."token_hash", "mfa_challenges"."user_id", "mfa_challenges"."amr", "mfa_challenges"."attempts", "mfa_challenges"."created_at", "mfa_challenges"."expires_at" FROM "mfa_challenges" WHERE "mfa_challenges"."token_hash" = $1 LIMIT $2 FOR UPDATE;
--   Limit
--     ->  LockRows
--           ->  Index Scan using mfa_challenges_pkey on mfa_challenges
--                 Index Cond: (token_hash = $1)

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

SELECT "passkeys"."id", "passkeys"."user_id", "passkeys"."credential_id", "passkeys"."name", "passkeys"."credential", "passkeys"."created_at", "passkeys"."last_used_at" FROM "passkeys" WHERE "passkeys"."user_id" = $1 ORDER BY "passkeys"."id" ASC;
--   Sort
--     Sort Key: id
--     ->  Index Scan using passkeys_user on passkeys
--           Index Cond: (user_id = $1)

SELECT "password_resets"."id" AS "A_id", "password_resets"."user_id" AS "A_user_id", "password_resets"."token_hash" AS "A_token_hash", "password_resets"."created_at" AS "A_created_at", "password_resets"."expires_at" AS "A_expires_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "password_resets" LEFT JOIN "users" ON "password_resets"."user_id" = "users"."id" WHERE "password_resets"."id" = $1 AND "password_resets"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using password_resets_pkey on password_resets
--                 Index Cond: (id = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = password_resets.user_id)

SELECT "password_resets"."id" AS "A_id", "password_resets"."user_id" AS "A_user_id", "password_resets"."token_hash" AS "A_token_hash", "password_resets"."created_at" AS "A_created_at", "password_resets"."expires_at" AS "A_expires_at", "users"."id" AS "B_id", "users"."email" AS "B_email", "users"."name" AS "B_name", "users"."role" AS "B_role", "users"."password_hash" AS "B_password_hash", "users"."email_verified_at" AS "B_email_verified_at", "users"."disabled_at" AS "B_disabled_at", "users"."deleted_at" AS "B_deleted_at", "users"."created_at" AS "B_created_at", "users"."updated_at" AS "B_updated_at" FROM "password_resets" LEFT JOIN "users" ON "password_resets"."user_id" = "users"."id" WHERE "password_resets"."token_hash" = $1 AND "password_resets"."expires_at" > $2 LIMIT $3;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Index Scan using password_resets_token_hash_key on password_resets
--                 Index Cond: (token_hash = $1)
--                 Filter: (expires_at > $2)
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = password_resets.user_id)

SELECT "refresh_tokens"."token_hash" AS "A_token_hash", "refresh_tokens"."session_id" AS "A_session_id", "refresh_tokens"."generation" AS "A_generation", "r1"."id" AS "B_id", "r1"."email" AS "B_email", "r1"."name" AS "B_name", "r1"."role" AS "B_role", "r1"."password_hash" AS "B_password_hash", "r1"."email_verified_at" AS "B_email_verified_at", "r1"."disabled_at" AS "B_disabled_at", "r1"."deleted_at" AS "B_deleted_at", "r1"."created_at" AS "B_created_at", "r1"."updated_at" AS "B_updated_at" FROM "refresh_tokens" LEFT JOIN "sessions" AS "r0" ON "refresh_tokens"."session_id" = "r0"."id" LEFT JOIN "users" AS "r1" ON "r0"."user_id" = "r1"."id" WHERE "refresh_tokens"."token_hash" = $1 LIMIT $2;
--   Limit
--     ->  Nested Loop Left Join
--           ->  Nested Loop Left Join
--                 ->  Index Scan using refresh_tokens_pkey on refresh_tokens
--                       Index Cond: (token_hash = $1)
--                 ->  Index Scan using sessions_pkey on sessions r0
--                       Index Cond: (id = refresh_tokens.session_id)
--           ->  Index Scan using users_pkey on users r1
--                 Index Cond: (id = r0.user_id)

SELECT "service_accounts"."id", "service_accounts"."disabled_at" FROM "service_accounts" WHERE "service_accounts"."disabled_at" >= $1;
--   Seq Scan on service_accounts
--     Filter: (disabled_at >= $1)

SELECT "service_accounts"."id", "service_accounts"."name", "service_accounts"."secret_hash", "service_accounts"."audience", "service_accounts"."scopes", "service_accounts"."created_at", "service_accounts"."disabled_at" FROM "service_accounts" ORDER BY "service_accounts"."name" ASC LIMIT $1;
--   Limit
--     ->  Sort
--           Sort Key: name
--           ->  Seq Scan on service_accounts

SELECT "service_accounts"."id", "service_accounts"."name", "service_accounts"."secret_hash", "service_accounts"."audience", "service_accounts"."scopes", "service_accounts"."created_at", "service_accounts"."disabled_at" FROM "service_accounts" WHERE "service_accounts"."id" = $1 LIMIT $2;
--   Limit
--     ->  Seq Scan on service_accounts
--           Filter: (id = $1)

SELECT "service_accounts"."id", "service_accounts"."name", "service_accounts"."secret_hash", "service_accounts"."audience", "service_accounts"."scopes", "service_accounts"."created_at", "service_accounts"."disabled_at" FROM "service_accounts" WHERE "service_accounts"."name" = $1 LIMIT $2;
--   Limit
--     ->  Seq Scan on service_accounts
--           Filter: (name = $1)

SELECT "sessions"."id", "sessions"."revoked_at" FROM "sessions" WHERE "sessions"."revoked_at" >= $1;
--   Index Scan using sessions_revoked on sessions
--     Index Cond: (revoked_at >= $1)

SELECT "sessions"."id", "sessions"."user_id", "sessions"."generation", "sessions"."rotated_at", "sessions"."grace_uses", "sessions"."authenticated_at", "sessions"."amr", "sessions"."device", "sessions"."ip", "sessions"."last_used_at", "sessions"."idle_expires_at", "sessions"."expires_at", "sessions"."revoked_at", "sessions"."created_at" FROM "sessions" WHERE "sessions"."id" = $1 LIMIT $2 FOR UPDATE;
--   Limit
--     ->  LockRows
--           ->  Index Scan using sessions_pkey on sessions
--                 Index Cond: (id = $1)

SELECT "sessions"."id", "sessions"."user_id", "sessions"."generation", "sessions"."rotated_at", "sessions"."grace_uses", "sessions"."authenticated_at", "sessions"."amr", "sessions"."device", "sessions"."ip", "sessions"."last_used_at", "sessions"."idle_expires_at", "sessions"."expires_at", "sessions"."revoked_at", "sessions"."created_at" FROM "sessions" WHERE "sessions"."user_id" = $1 AND "sessions"."revoked_at" IS NULL AND "sessions"."expires_at" > $2 AND "sessions"."idle_expires_at" > $3 ORDER BY "sessions"."last_used_at" DESC, "sessions"."id" DESC LIMIT $4;
--   Limit
--     ->  Sort
--           Sort Key: last_used_at DESC, id DESC
--           ->  Index Scan using sessions_list on sessions
--                 Index Cond: (user_id = $1)
--                 Filter: ((revoked_at IS NULL) AND (expires_at > $2) AND (idle_expires_at > $3))

SELECT "sessions"."id", "sessions"."user_id", "sessions"."generation", "sessions"."rotated_at", "sessions"."grace_uses", "sessions"."authenticated_at", "sessions"."amr", "sessions"."device", "sessions"."ip", "sessions"."last_used_at", "sessions"."idle_expires_at", "sessions"."expires_at", "sessions"."revoked_at", "sessions"."created_at" FROM "sessions" WHERE "sessions"."user_id" = $1 ORDER BY "sessions"."id" DESC LIMIT $2;
--   Limit
--     ->  Index Scan Backward using sessions_list on sessions
--           Index Cond: (user_id = $1)

SELECT "signing_keys"."kid", "signing_keys"."status", "signing_keys"."algorithm", "signing_keys"."private_key", "signing_keys"."created_at", "signing_keys"."activated_at", "signing_keys"."superseded_at", "signing_keys"."retired_at" FROM "signing_keys" ORDER BY "signing_keys"."created_at" ASC, "signing_keys"."kid" ASC;
--   Sort
--     Sort Key: created_at, kid
--     ->  Seq Scan on signing_keys

SELECT "signing_keys"."kid", "signing_keys"."status", "signing_keys"."algorithm", "signing_keys"."private_key", "signing_keys"."created_at", "signing_keys"."activated_at", "signing_keys"."superseded_at", "signing_keys"."retired_at" FROM "signing_keys" WHERE "signing_keys"."status" <> $1 ORDER BY "signing_keys"."created_at" ASC, "signing_keys"."kid" ASC;
--   Sort
--     Sort Key: created_at, kid
--     ->  Seq Scan on signing_keys
--           Filter: (status <> $1)

SELECT "state_hash", "secrets" FROM "external_logins" WHERE "secrets" IS NOT NULL AND "secrets" <> $1 ORDER BY "state_hash" ASC LIMIT $2;
--   Limit
--     ->  Index Scan using external_logins_pkey on external_logins
--           Filter: ((secrets IS NOT NULL) AND (secrets <> $1))

SELECT "totp_credentials"."user_id", "totp_credentials"."secret", "totp_credentials"."confirmed_at", "totp_credentials"."last_step", "totp_credentials"."failed_attempts", "totp_credentials"."locked_until", "totp_credentials"."created_at" FROM "totp_credentials" WHERE "totp_credentials"."user_id" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $1)

SELECT "totp_credentials"."user_id", "totp_credentials"."secret", "totp_credentials"."confirmed_at", "totp_credentials"."last_step", "totp_credentials"."failed_attempts", "totp_credentials"."locked_until", "totp_credentials"."created_at" FROM "totp_credentials" WHERE "totp_credentials"."user_id" = $1 LIMIT $2 FOR UPDATE;
--   Limit
--     ->  LockRows
--           ->  Index Scan using totp_credentials_pkey on totp_credentials
--                 Index Cond: (user_id = $1)

SELECT "user_id", "secret" FROM "totp_credentials" WHERE "secret" IS NOT NULL AND "secret" <> $1 ORDER BY "user_id" ASC LIMIT $2;
--   Limit
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Filter: ((secret IS NOT NULL) AND (secret <> $1))

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."deleted_at" IS NULL ORDER BY "users"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Filter: (deleted_at IS NULL)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."email" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using users_email_start on users
--           Index Cond: (email = $1)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."email" = $1 LIMIT $2 FOR UPDATE;
--   Limit
--     ->  LockRows
--           ->  Index Scan using users_email_start on users
--                 Index Cond: (email = $1)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."id" = $1 LIMIT $2;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $1)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."id" = $1 LIMIT $2 FOR UPDATE;
--   Limit
--     ->  LockRows
--           ->  Index Scan using users_pkey on users
--                 Index Cond: (id = $1)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."id" IN ($1, $2) AND "users"."deleted_at" IS NULL;
--   Index Scan using users_pkey on users
--     Index Cond: (id = ANY (ARRAY[$1, $2]))
--     Filter: (deleted_at IS NULL)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."role" = $1 AND "users"."deleted_at" IS NULL AND "users"."id" < $2 ORDER BY "users"."id" DESC LIMIT $3;
--   Limit
--     ->  Index Scan Backward using users_pkey on users
--           Index Cond: (id < $2)
--           Filter: ((deleted_at IS NULL) AND (role = $1))

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."role" = $1 AND "users"."deleted_at" IS NULL AND "users"."id" > $2 ORDER BY "users"."id" ASC LIMIT $3;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id > $2)
--           Filter: ((deleted_at IS NULL) AND (role = $1))

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."role" = $1 AND "users"."deleted_at" IS NULL ORDER BY "users"."id" ASC LIMIT $2;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Filter: ((deleted_at IS NULL) AND (role = $1))

-- Accepted: when an administrator is demoted or disabled: whoever is left is locked, and the planner can't know that the role is the rare one
SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE "users"."role" = $1 AND "users"."email_verified_at" IS NOT NULL AND "users"."disabled_at" IS NULL AND "users"."deleted_at" IS NULL ORDER BY "users"."id" ASC FOR UPDATE;
--   LockRows
--     ->  Sort
--           Sort Key: id
--           ->  Seq Scan on users
--                 Filter: ((email_verified_at IS NOT NULL) AND (disabled_at IS NULL) AND (deleted_at IS NULL) AND (role = $1))

-- Accepted: for any beginning the planner expects 1 % of all people and walks them by id; with the real one it chooses users_email_start and users_name_start, and each call is planned with it since that costs less
SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE (("email" ~>=~ $1) AND ("email" ~<~ $2)) OR ((LOWER("name") ~>=~ $3) AND (LOWER("name") ~<~ $4)) ORDER BY "users"."id" ASC LIMIT $5;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Filter: (((email ~>=~ $1) AND (email ~<~ $2)) OR ((lower(name) ~>=~ $3) AND (lower(name) ~<~ $4)))

-- Accepted: for any beginning the planner expects 1 % of all people and walks them by id; with the real one it chooses users_email_start and users_name_start, and each call is planned with it since that costs less
SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE ((("email" ~>=~ $1) AND ("email" ~<~ $2)) OR ((LOWER("name") ~>=~ $3) AND (LOWER("name") ~<~ $4))) AND "users"."deleted_at" IS NULL ORDER BY "users"."id" ASC LIMIT $5;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Filter: ((deleted_at IS NULL) AND (((email ~>=~ $1) AND (email ~<~ $2)) OR ((lower(name) ~>=~ $3) AND (lower(name) ~<~ $4))))

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE ((("email" ~>=~ $1) AND ("email" ~<~ $2)) OR ((LOWER("name") ~>=~ $3) AND (LOWER("name") ~<~ $4))) AND "users"."id" > $5 ORDER BY "users"."id" ASC LIMIT $6;
--   Limit
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id > $5)
--           Filter: (((email ~>=~ $1) AND (email ~<~ $2)) OR ((lower(name) ~>=~ $3) AND (lower(name) ~<~ $4)))

-- Accepted: for any beginning the planner expects 1 % of all people and walks them by id; with the real one it chooses users_email_start and users_name_start, and each call is planned with it since that costs less
SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE ((("email" ~>=~ $1) AND ("email" ~<~ $2)) OR ((LOWER("name") ~>=~ $3) AND (LOWER("name") ~<~ $4))) AND "users"."role" = $5 AND "users"."deleted_at" IS NULL ORDER BY "users"."id" ASC LIMIT $6;
--   Limit
--     ->  Sort
--           Sort Key: id
--           ->  Bitmap Heap Scan on users
--                 Recheck Cond: (((email ~>=~ $1) AND (email ~<~ $2)) OR ((lower(name) ~>=~ $3) AND (lower(name) ~<~ $4)))
--                 Filter: ((deleted_at IS NULL) AND (role = $5))
--                 ->  BitmapOr
--                       ->  Bitmap Index Scan on users_email_start
--                             Index Cond: ((email ~>=~ $1) AND (email ~<~ $2))
--                       ->  Bitmap Index Scan on users_name_start
--                             Index Cond: ((lower(name) ~>=~ $3) AND (lower(name) ~<~ $4))

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."password_hash", "users"."email_verified_at", "users"."disabled_at", "users"."deleted_at", "users"."created_at", "users"."updated_at" FROM "users" WHERE TRUE ORDER BY "users"."id" ASC LIMIT $1;
--   Limit
--     ->  Index Scan using users_pkey on users

SELECT COUNT(*) AS num_items FROM (SELECT "api_keys"."id", "api_keys"."user_id", "api_keys"."name", "api_keys"."secret_hash", "api_keys"."scopes", "api_keys"."created_at", "api_keys"."expires_at", "api_keys"."last_used_at", "api_keys"."revoked_at" FROM "api_keys" WHERE "api_keys"."user_id" = $1 AND "api_keys"."revoked_at" IS NULL AND "api_keys"."expires_at" > $2) AS "sub_query";
--   Aggregate
--     ->  Index Scan using api_keys_list on api_keys
--           Index Cond: (user_id = $1)
--           Filter: ((revoked_at IS NULL) AND (expires_at > $2))

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

SELECT COUNT(*) AS num_items FROM (SELECT "recovery_codes"."code_hash", "recovery_codes"."user_id", "recovery_codes"."used_at" FROM "recovery_codes" WHERE "recovery_codes"."user_id" = $1 AND "recovery_codes"."used_at" IS NULL) AS "sub_query";
--   Aggregate
--     ->  Index Scan using recovery_codes_user on recovery_codes
--           Index Cond: (user_id = $1)
--           Filter: (used_at IS NULL)

SELECT COUNT(*) AS num_items FROM (SELECT "totp_credentials"."user_id", "totp_credentials"."secret", "totp_credentials"."confirmed_at", "totp_credentials"."last_step", "totp_credentials"."failed_attempts", "totp_credentials"."locked_until", "totp_credentials"."created_at" FROM "totp_credentials" WHERE "totp_credentials"."user_id" = $1 AND "totp_credentials"."confirmed_at" IS NOT NULL) AS "sub_query";
--   Aggregate
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $1)
--           Filter: (confirmed_at IS NOT NULL)

-- Accepted: `plumbline audit` looks at everything, once after a drill or by hand
SELECT COUNT(*) FROM outbox;
--   Aggregate
--     ->  Seq Scan on outbox

SELECT COUNT(*) FROM outbox WHERE published_at IS NULL;
--   Aggregate
--     ->  Index Only Scan using outbox_unpublished_aggregate on outbox

UPDATE "api_keys" SET "last_used_at" = $1 WHERE "api_keys"."id" = $2;
--   Update on api_keys
--     ->  Index Scan using api_keys_pkey on api_keys
--           Index Cond: (id = $2)

UPDATE "api_keys" SET "revoked_at" = $1 WHERE "api_keys"."id" = $2 AND "api_keys"."user_id" = $3 AND "api_keys"."revoked_at" IS NULL AND "api_keys"."expires_at" > $4;
--   Update on api_keys
--     ->  Index Scan using api_keys_list on api_keys
--           Index Cond: ((user_id = $3) AND (id = $2))
--           Filter: ((revoked_at IS NULL) AND (expires_at > $4))

UPDATE "mfa_challenges" SET "attempts" = $1 WHERE "mfa_challenges"."token_hash" = $2;
--   Update on mfa_challenges
--     ->  Index Scan using mfa_challenges_pkey on mfa_challenges
--           Index Cond: (token_hash = $2)

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

UPDATE "recovery_codes" SET "used_at" = $1 WHERE "recovery_codes"."code_hash" = $2 AND "recovery_codes"."user_id" = $3 AND "recovery_codes"."used_at" IS NULL;
--   Update on recovery_codes
--     ->  Index Scan using recovery_codes_pkey on recovery_codes
--           Index Cond: (code_hash = $2)
--           Filter: ((used_at IS NULL) AND (user_id = $3))

UPDATE "service_accounts" SET "disabled_at" = $1 WHERE "service_accounts"."id" = $2 AND "service_accounts"."disabled_at" IS NULL;
--   Update on service_accounts
--     ->  Seq Scan on service_accounts
--           Filter: ((disabled_at IS NULL) AND (id = $2))

UPDATE "sessions" SET "authenticated_at" = $1, "amr" = $2, "last_used_at" = $3 WHERE "sessions"."id" = $4 AND "sessions"."user_id" = $5 AND "sessions"."revoked_at" IS NULL AND "sessions"."expires_at" > $6 AND "sessions"."idle_expires_at" > $7;
--   Update on sessions
--     ->  Index Scan using sessions_list on sessions
--           Index Cond: ((user_id = $5) AND (id = $4))
--           Filter: ((revoked_at IS NULL) AND (expires_at > $6) AND (idle_expires_at > $7))

UPDATE "sessions" SET "device" = $1, "ip" = $2 WHERE "sessions"."user_id" = $3;
--   Update on sessions
--     ->  Index Scan using sessions_list on sessions
--           Index Cond: (user_id = $3)

UPDATE "sessions" SET "generation" = $1, "rotated_at" = $2, "grace_uses" = $3, "ip" = $4, "last_used_at" = $5, "idle_expires_at" = $6, "expires_at" = $7, "revoked_at" = $8 WHERE "sessions"."id" = $9;
--   Update on sessions
--     ->  Index Scan using sessions_pkey on sessions
--           Index Cond: (id = $9)

UPDATE "sessions" SET "revoked_at" = $1 WHERE "sessions"."user_id" = $2 AND "sessions"."revoked_at" IS NULL AND "sessions"."expires_at" > $3 AND "sessions"."idle_expires_at" > $4 AND "sessions"."id" <> $5 RETURNING "id", "user_id", "generation", "rotated_at", "grace_uses", "authenticated_at", "amr", "device", "ip", "last_used_at", "idle_expires_at", "expires_at", "revoked_at", "created_at";
--   Update on sessions
--     ->  Index Scan using sessions_list on sessions
--           Index Cond: (user_id = $2)
--           Filter: ((revoked_at IS NULL) AND (expires_at > $3) AND (idle_expires_at > $4) AND (id <> $5))

UPDATE "sessions" SET "revoked_at" = $1 WHERE "sessions"."user_id" = $2 AND "sessions"."revoked_at" IS NULL AND "sessions"."expires_at" > $3 AND "sessions"."idle_expires_at" > $4 AND "sessions"."id" = $5 RETURNING "id", "user_id", "generation", "rotated_at", "grace_uses", "authenticated_at", "amr", "device", "ip", "last_used_at", "idle_expires_at", "expires_at", "revoked_at", "created_at";
--   Update on sessions
--     ->  Index Scan using sessions_list on sessions
--           Index Cond: ((user_id = $2) AND (id = $5))
--           Filter: ((revoked_at IS NULL) AND (expires_at > $3) AND (idle_expires_at > $4))

UPDATE "sessions" SET "revoked_at" = $1 WHERE "sessions"."user_id" = $2 AND "sessions"."revoked_at" IS NULL AND "sessions"."expires_at" > $3 AND "sessions"."idle_expires_at" > $4 RETURNING "id", "user_id", "generation", "rotated_at", "grace_uses", "authenticated_at", "amr", "device", "ip", "last_used_at", "idle_expires_at", "expires_at", "revoked_at", "created_at";
--   Update on sessions
--     ->  Index Scan using sessions_list on sessions
--           Index Cond: (user_id = $2)
--           Filter: ((revoked_at IS NULL) AND (expires_at > $3) AND (idle_expires_at > $4))

UPDATE "signing_keys" SET "activated_at" = "created_at";
--   Update on signing_keys
--     ->  Seq Scan on signing_keys

UPDATE "signing_keys" SET "private_key" = $1 WHERE "kid" = $2 AND "private_key" = $3;
--   Update on signing_keys
--     ->  Seq Scan on signing_keys
--           Filter: ((kid = $2) AND (private_key = $3))

UPDATE "signing_keys" SET "private_key" = $1 WHERE "signing_keys"."kid" = $2 RETURNING "kid", "status", "algorithm", "private_key", "created_at", "activated_at", "superseded_at", "retired_at";
--   Update on signing_keys
--     ->  Seq Scan on signing_keys
--           Filter: (kid = $2)

UPDATE "signing_keys" SET "status" = $1, "activated_at" = $2, "superseded_at" = $3, "retired_at" = $4 WHERE "signing_keys"."kid" = $5 RETURNING "kid", "status", "algorithm", "private_key", "created_at", "activated_at", "superseded_at", "retired_at";
--   Update on signing_keys
--     ->  Seq Scan on signing_keys
--           Filter: (kid = $5)

UPDATE "totp_credentials" SET "confirmed_at" = $1, "last_step" = $2 WHERE "totp_credentials"."user_id" = $3;
--   Update on totp_credentials
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $3)

UPDATE "totp_credentials" SET "failed_attempts" = $1, "locked_until" = $2 WHERE "totp_credentials"."user_id" = $3;
--   Update on totp_credentials
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $3)

UPDATE "totp_credentials" SET "last_step" = $1, "failed_attempts" = $2, "locked_until" = $3 WHERE "totp_credentials"."user_id" = $4;
--   Update on totp_credentials
--     ->  Index Scan using totp_credentials_pkey on totp_credentials
--           Index Cond: (user_id = $4)

UPDATE "users" SET "disabled_at" = $1, "updated_at" = $2 WHERE "users"."id" = $3;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $3)

UPDATE "users" SET "email" = $1, "email_verified_at" = $2, "updated_at" = $3 WHERE "users"."id" = $4;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $4)

UPDATE "users" SET "email" = $1, "name" = $2, "role" = $3, "password_hash" = $4, "disabled_at" = $5, "deleted_at" = $6, "updated_at" = $7 WHERE "users"."id" = $8;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $8)

UPDATE "users" SET "email_verified_at" = $1, "name" = $2, "password_hash" = $3, "updated_at" = $4 WHERE "users"."id" = $5 AND "users"."email_verified_at" IS NULL;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $5)
--           Filter: (email_verified_at IS NULL)

UPDATE "users" SET "name" = $1, "password_hash" = $2, "updated_at" = $3 WHERE "users"."id" = $4 AND "users"."email_verified_at" IS NULL;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $4)
--           Filter: (email_verified_at IS NULL)

UPDATE "users" SET "name" = $1, "updated_at" = $2 WHERE "users"."id" = $3;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $3)

UPDATE "users" SET "password_hash" = $1 WHERE "users"."id" = $2 AND "users"."password_hash" = $3;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $2)
--           Filter: (password_hash = $3)

UPDATE "users" SET "password_hash" = $1, "updated_at" = $2 WHERE "users"."id" = $3;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $3)

UPDATE "users" SET "role" = $1, "updated_at" = $2 WHERE "users"."id" = $3;
--   Update on users
--     ->  Index Scan using users_pkey on users
--           Index Cond: (id = $3)

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
