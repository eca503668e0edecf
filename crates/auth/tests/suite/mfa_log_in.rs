//! The second step of a log-in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::{Clock as _, Role};
use serde_json::{Value, json};

use crate::harness::{Answer, EMAIL, PASSWORD, TestApp};

fn claims(answer: &Value) -> Value {
    let token = answer["access_token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn assert_one_granted(answers: &[Answer], refusals: &[&str]) {
    let granted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(granted, 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let body = refused.expect(401);
        assert!(refusals.contains(&body["code"].as_str().unwrap()), "{body}");
    }
}

#[actix_web::test]
async fn a_code_after_the_password_gives_a_session_of_higher_assurance() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let answer = app.log_in(EMAIL, PASSWORD).await;
    let challenge = answer.expect(202);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(challenge["mfa_required"], true);
    assert_eq!(challenge["expires_in"], 300);
    assert_eq!(challenge["methods"], json!(["code", "recovery_code"]));
    assert!(challenge.get("access_token").is_none());
    assert_eq!(app.store.count("sessions").await, 1, "only that of before");

    let code = authenticator.code_at(app.clock.now());
    let challenge = challenge["challenge"].as_str().unwrap();
    let answer = app.answer_with_code(challenge, &code).await;
    let session = answer.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let issued = claims(&session);
    assert_eq!(issued["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(issued["acr"], "aal2");

    app.clock.advance(TimeDelta::minutes(10));
    let refresh_token = session["refresh_token"].as_str().unwrap();
    let refreshed = claims(&app.refresh(refresh_token).await.expect(200));
    for claim in ["amr", "acr", "auth_time", "sid"] {
        assert_eq!(refreshed[claim], issued[claim], "{claim}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_code_that_was_used_is_refused() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let code = authenticator.code_at(app.clock.now());
    app.answer_with_code(&app.challenge().await, &code)
        .await
        .expect(201);
    app.answer_with_code(&app.challenge().await, &code)
        .await
        .expect_problem(401, "invalid-second-factor");
    app.finish().await;
}

#[actix_web::test]
async fn the_code_of_the_step_before_is_accepted_once_and_none_ahead_of_its_time() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    app.clock.advance(TimeDelta::minutes(2));
    let now = app.clock.now();
    let code = |steps: i64| authenticator.code_at(now + TimeDelta::seconds(30 * steps));
    let challenge = app.challenge().await;
    for (steps, status) in [(1, 401), (-2, 401), (-1, 201)] {
        let answer = app.answer_with_code(&challenge, &code(steps)).await;
        assert_eq!(answer.status, status, "{steps} steps from now");
    }
    let challenge = app.challenge().await;
    app.answer_with_code(&challenge, &code(-1))
        .await
        .expect_problem(401, "invalid-second-factor");
    app.answer_with_code(&challenge, &code(0)).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn after_a_later_code_an_earlier_one_is_refused() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    app.clock.advance(TimeDelta::minutes(1));
    let now = app.clock.now();
    app.answer_with_code(&app.challenge().await, &authenticator.code_at(now))
        .await
        .expect(201);
    let before = authenticator.code_at(now - TimeDelta::seconds(30));
    app.answer_with_code(&app.challenge().await, &before)
        .await
        .expect_problem(401, "invalid-second-factor");
    app.finish().await;
}

#[actix_web::test]
async fn the_sixth_try_of_a_challenge_is_refused_even_if_it_is_right() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let challenge = app.challenge().await;
    let now = app.clock.now();
    for code in [&authenticator.wrong_code(now), "", "1", "no code", "½½½½½½"] {
        app.answer_with_code(&challenge, code)
            .await
            .expect_problem(401, "invalid-second-factor");
    }
    let code = authenticator.code_at(now);
    app.answer_with_code(&challenge, &code)
        .await
        .expect_problem(401, "invalid-challenge");
    app.answer_with_code(&app.challenge().await, &code)
        .await
        .expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn ten_wrong_codes_lock_the_app_for_a_right_code_as_for_a_wrong_one() {
    let app = TestApp::start().await;
    let (authenticator, token) = app.seed_with_mfa().await;
    let wrong = authenticator.wrong_code(app.clock.now());
    for _ in 0..2 {
        let challenge = app.challenge().await;
        for _ in 0..5 {
            app.answer_with_code(&challenge, &wrong)
                .await
                .expect_problem(401, "invalid-second-factor");
        }
    }
    let challenge = app.challenge().await;
    let right = authenticator.code_at(app.clock.now());
    for code in [&right, &wrong] {
        let answer = app.answer_with_code(&challenge, code).await;
        answer.expect_problem(429, "second-factor-locked");
        assert_eq!(answer.header("retry-after"), "900");
    }
    let proof = json!({"password": PASSWORD, "code": right});
    let answer = app.step_up(&token, proof).await;
    answer.expect_problem(429, "second-factor-locked");
    app.told("Somebody is guessing the codes of your two-step log-in")
        .await;

    app.clock.advance(TimeDelta::minutes(15));
    let right = authenticator.code_at(app.clock.now());
    app.answer_with_code(&app.challenge().await, &right)
        .await
        .expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn who_knows_the_password_can_not_lock_out_who_has_a_recovery_code() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    app.store
        .execute("UPDATE totp_credentials SET failed_attempts = 9")
        .await;
    let challenge = app.challenge().await;
    let wrong = authenticator.wrong_code(app.clock.now());
    app.answer_with_code(&challenge, &wrong).await.expect(401);
    app.answer_with_code(&challenge, &wrong).await.expect(429);
    app.answer_with_recovery_code(&challenge, &authenticator.recovery_codes[3])
        .await
        .expect(201);
    // That was the owner: the lock is off.
    let right = authenticator.code_at(app.clock.now());
    app.answer_with_code(&app.challenge().await, &right)
        .await
        .expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn a_recovery_code_works_once_however_it_is_typed() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let typed = authenticator.recovery_codes[0]
        .to_lowercase()
        .replace('-', " ");
    let answer = app
        .answer_with_recovery_code(&app.challenge().await, &typed)
        .await;
    let claims = claims(&answer.expect(201));
    assert_eq!(claims["amr"], json!(["pwd", "recovery", "mfa"]));
    assert_eq!(claims["acr"], "aal2");
    app.answer_with_recovery_code(&app.challenge().await, &typed)
        .await
        .expect_problem(401, "invalid-second-factor");
    app.told("One of your recovery codes was used").await;
    app.finish().await;
}

#[actix_web::test]
async fn twenty_answers_at_once_give_one_session() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let challenge = app.challenge().await;
    let code = authenticator.code_at(app.clock.now());
    let answers = join_all((0..20).map(|_| app.answer_with_code(&challenge, &code))).await;
    assert_one_granted(&answers, &["invalid-challenge"]);
    assert_eq!(app.store.count("sessions").await, 2, "with that of before");
    app.finish().await;
}

#[actix_web::test]
async fn of_twenty_challenges_at_once_one_is_answered_by_the_same_code() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let mut challenges = Vec::new();
    for _ in 0..20 {
        challenges.push(app.challenge().await);
    }
    let recovery_code = &authenticator.recovery_codes[0];
    let answers = join_all(
        challenges
            .iter()
            .map(|challenge| app.answer_with_recovery_code(challenge, recovery_code)),
    );
    assert_one_granted(&answers.await, &["invalid-second-factor"]);
    let used = "SELECT COUNT(*) FROM recovery_codes WHERE used_at IS NOT NULL";
    assert_eq!(app.store.scalar::<i64>(used).await, 1);

    app.store
        .execute("UPDATE totp_credentials SET failed_attempts = -100, locked_until = NULL")
        .await;
    let code = authenticator.code_at(app.clock.now());
    let answers = join_all(
        challenges
            .iter()
            .map(|challenge| app.answer_with_code(challenge, &code)),
    );
    let answers = answers.await;
    let granted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(granted, 1);
    app.finish().await;
}

#[actix_web::test]
async fn a_challenge_works_for_five_minutes_and_a_guessed_one_never() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let challenge = app.challenge().await;
    app.clock.advance(TimeDelta::minutes(5));
    let code = authenticator.code_at(app.clock.now());
    for challenge in [&challenge, "", "x", &"A".repeat(43), "\u{0}", "💣"] {
        app.answer_with_code(challenge, &code)
            .await
            .expect_problem(401, "invalid-challenge");
    }
    let challenge = app.challenge().await;
    app.clock
        .advance(TimeDelta::minutes(5) - TimeDelta::seconds(1));
    let code = authenticator.code_at(app.clock.now());
    app.answer_with_code(&challenge, &code).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn somebody_elses_codes_do_not_answer_a_challenge() {
    let app = TestApp::start().await;
    let (ada, _) = app.seed_with_mfa().await;
    let bob = "bob@example.com";
    app.seed(bob, Role::Customer).await;
    let session = app.log_in(bob, PASSWORD).await.expect(201);
    let bobs = app
        .enable_mfa(session["access_token"].as_str().unwrap())
        .await;

    let adas_challenge = app.challenge().await;
    let now = app.clock.now();
    app.answer_with_code(&adas_challenge, &bobs.code_at(now))
        .await
        .expect_problem(401, "invalid-second-factor");
    app.answer_with_recovery_code(&adas_challenge, &bobs.recovery_codes[0])
        .await
        .expect_problem(401, "invalid-second-factor");
    let answer = app
        .answer_with_code(&adas_challenge, &ada.code_at(now))
        .await;
    let session = answer.expect(201);
    let me = app
        .me(&format!(
            "Bearer {}",
            session["access_token"].as_str().unwrap()
        ))
        .await;
    assert_eq!(me.expect(200)["email"], EMAIL);
    app.finish().await;
}

#[actix_web::test]
async fn who_was_disabled_after_the_password_gets_no_session() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let challenge = app.challenge().await;
    app.store
        .execute("UPDATE users SET disabled_at = created_at")
        .await;
    let code = authenticator.code_at(app.clock.now());
    app.answer_with_code(&challenge, &code)
        .await
        .expect_problem(401, "invalid-challenge");
    app.finish().await;
}

#[actix_web::test]
async fn an_answer_has_one_code_and_nothing_else() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let challenge = app.challenge().await;
    let code = authenticator.code_at(app.clock.now());
    let recovery_code = &authenticator.recovery_codes[0];
    for (body, field) in [
        (json!({"challenge": challenge}), "code"),
        (
            json!({"challenge": challenge, "code": code, "recovery_code": recovery_code}),
            "recovery_code",
        ),
        (
            json!({"challenge": challenge, "code": code, "user_id": "x"}),
            "user_id",
        ),
        (
            json!({"challenge": challenge, "code": code, "amr": "pwd otp"}),
            "amr",
        ),
    ] {
        let answer = app.post("/auth/v1/sessions/mfa", body).await;
        let problem = answer.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    app.answer_with_code(&challenge, &code).await.expect(201);
    app.finish().await;
}
