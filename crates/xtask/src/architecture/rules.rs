//! The rules. Changing one is a decision about the architecture: say why in docs/decisions.

/// Each crate of the workspace with those of the workspace that it may depend on. Arrows point
/// down only: a crate names those that stand before it in this list. Services (auth, gateway, order-worker) never name
/// each other; only what may name `orders` can see its tables.
pub const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    // Nothing at all, except in the build of the drills.
    ("fail-points", &[]),
    ("trace-context", &[]),
    ("migrations", &[]),
    ("contracts", &["kernel"]),
    ("database", &["kernel"]),
    ("cache", &["kernel", "contracts", "trace-context"]),
    (
        "messaging",
        &[
            "kernel",
            "fail-points",
            "contracts",
            "database",
            "trace-context",
        ],
    ),
    (
        "service-kit",
        &["kernel", "contracts", "trace-context", "cache"],
    ),
    ("user-directory", &["kernel", "trace-context", "contracts"]),
    ("payment", &["kernel", "trace-context"]),
    ("payment-double", &["kernel", "payment"]),
    (
        "orders",
        &[
            "kernel",
            "fail-points",
            "contracts",
            "trace-context",
            "database",
            "messaging",
            "cache",
        ],
    ),
    (
        "auth",
        &[
            "kernel",
            "contracts",
            "trace-context",
            "database",
            "messaging",
            "cache",
            "service-kit",
            "user-directory",
        ],
    ),
    (
        "gateway",
        &[
            "kernel",
            "contracts",
            "trace-context",
            "database",
            "messaging",
            "cache",
            "service-kit",
            "user-directory",
            "payment",
            "orders",
        ],
    ),
    (
        "order-worker",
        &[
            "kernel",
            "fail-points",
            "contracts",
            "trace-context",
            "database",
            "messaging",
            "cache",
            "service-kit",
            "user-directory",
            "payment",
            "orders",
        ],
    ),
    (
        "plumbline",
        &[
            "kernel",
            "fail-points",
            "contracts",
            "trace-context",
            "database",
            "messaging",
            "cache",
            "service-kit",
            "user-directory",
            "payment",
            "payment-double",
            "migrations",
            "orders",
            "auth",
            "gateway",
            "order-worker",
        ],
    ),
    // Plays the saga through, and compares what it tells with the use-cases.
    (
        "simulation",
        &[
            "kernel",
            "contracts",
            "database",
            "messaging",
            "cache",
            "orders",
            "order-worker",
        ],
    ),
    ("testkit", &[]),
    // Looks at the schema alone, and is no part of the product.
    ("plan-gate", &["migrations", "testkit"]),
    ("baselines", &[]),
    ("loadtests", &["kernel"]),
    ("xtask", &["fail-points", "testkit"]),
];

/// What tests of any crate may use beyond that.
pub const TESTS_MAY_ALSO_USE: &[&str] = &["testkit", "migrations", "payment-double"];

/// Third-party crates that only these may name.
pub const ONLY_IN: &[(&str, &[&str])] = &[
    ("lapin", &["messaging"]),
    ("redis", &["cache"]),
    ("sea-orm-migration", &["migrations"]),
    ("tonic", &["user-directory", "auth"]),
];

/// Crates that must not reach these third-party crates, not even through others.
pub const NEVER_REACH: &[(&str, &[&str])] = &[
    ("kernel", &["tokio", "actix-web", "sea-orm"]),
    ("contracts", &["tokio", "actix-web", "sea-orm"]),
];

/// Where an HTTP route may come to be: everywhere else, nothing may name [`ROUTE_MAKERS`].
pub const MAY_MAKE_ROUTES: &[&str] = &[
    // Declares each with its access.
    "crates/service-kit/src/routes.rs",
    // Its fields declare theirs.
    "crates/gateway/src/graphql/http.rs",
    // Not ours to call: it plays the payment provider.
    "crates/payment-double/src",
    // Servers of a benchmark, on loopback.
    "crates/baselines/src",
];

/// actix's ways to a route that would have no access.
pub const ROUTE_MAKERS: &[&str] = &[
    "web::resource",
    "web::route",
    "web::method",
    "web::get",
    "web::head",
    "web::post",
    "web::put",
    "web::patch",
    "web::delete",
    "web::trace",
    "Resource::new",
    "Route::new",
    ".route",
];

/// Source paths (a file or a folder, without `.rs`) and the crates that nothing there may name.
pub const NEVER_NAME: &[(&str, &[&str])] = &[
    (
        "crates/orders/src/domain",
        &["tokio", "actix", "actix_web", "actix_rt", "sea_orm"],
    ),
    // The ordering context knows no transport.
    (
        "crates/orders/src",
        &[
            "actix_web",
            "async_graphql",
            "lapin",
            "redis",
            "reqwest",
            "tonic",
        ],
    ),
];
