//! What a person sees when the embedded mode has started.

use crate::{Running, seed::demo_users, settings::Settings};

pub(crate) fn banner(running: &Running, settings: &Settings) -> String {
    let url = running.public_url.as_str().trim_end_matches('/');
    let mut text = format!(
        "\n  Plumbline is ready\n\n  \
        Console    {url}/\n  \
        GraphiQL   {url}/graphql\n  \
        REST       {url}/docs and {url}/auth/docs\n  \
        Mailbox    {url}/dev/mailbox\n  \
        Health     {url}/health/ready   Metrics {url}/metrics\n\n  \
        Modes      auth {auth}, orders {orders}, broker {broker}, cache {cache}\n",
        auth = scheme(&settings.auth.database_url),
        orders = scheme(&settings.orders.database_url),
        broker = scheme(&settings.broker.url),
        cache = scheme(&settings.cache.url),
    );
    if settings.demo.enabled {
        let users: Vec<_> = demo_users()
            .iter()
            .map(|user| user.email.to_string())
            .collect();
        text += &format!(
            "  Log in     {}\n             password {}\n\n  \
            Try        open the console, log in, order something and watch it being confirmed\n",
            users.join(", "),
            settings.demo.password,
        );
    }
    text + "  Stop       Ctrl-C; a second one stops at once\n\n"
}

/// The kind of a dependency, never its address: that may hold a password.
fn scheme(url: &str) -> &str {
    url.split_once(':').map_or(url, |(scheme, _)| scheme)
}
