use reqwest::Method;

use crate::harness::TestApp;

#[actix_web::test]
async fn every_documented_operation_exists() {
    let app = TestApp::start().await;
    let document = app.get("/auth/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 7, "{}", paths.len());
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = app.send(method, path, None).await;
            let documented = operation["responses"].as_object().unwrap();
            assert!(
                documented.contains_key(&answer.status.to_string()),
                "{path} answers {}",
                answer.status
            );
            assert!(operation["description"].is_string(), "{path}");
        }
    }
    app.finish().await;
}

#[actix_web::test]
async fn swagger_ui_loads_everything_from_here() {
    let app = TestApp::start().await;
    let page = app.get("/auth/docs").await;
    assert_eq!(page.status, 200, "the folder's redirect is followed");
    let html = page.text();
    let assets: Vec<_> = html
        .split(['"', '\''])
        .filter(|text| {
            [".js", ".css", ".png"]
                .iter()
                .any(|end| text.ends_with(end))
        })
        .collect();
    assert!(assets.len() >= 3, "{html}");
    for asset in assets {
        assert!(!asset.contains("//"), "{asset} is elsewhere");
        let path = format!("/auth/docs/{}", asset.trim_start_matches("./"));
        assert_eq!(app.get(&path).await.status, 200, "{path}");
    }
    let initializer = app.get("/auth/docs/swagger-initializer.js").await;
    assert!(initializer.text().contains("/auth/openapi.json"));
    app.get("/auth/docs/nothing.js")
        .await
        .expect_problem(404, "not-found");
    app.finish().await;
}
