//! Who may do what (`plumbline permissions`): the matrix role × permission, and what every route,
//! GraphQL field and worker command needs, read from the tables that enforce it.

use std::fmt::Write as _;

use gateway::FieldAccess;
use kernel::{Permission, Role};
use service_kit::{
    health, mail,
    routes::{Access, DeclaredRoute, RouteTable},
    telemetry,
};

/// Every route of every role, and who may call it.
#[must_use]
pub fn declared_routes() -> Vec<DeclaredRoute> {
    let of_every_process = [
        health::routes(),
        telemetry::metrics_routes(),
        mail::dev_mailbox_routes(),
    ];
    let of_every_process = of_every_process.iter().flat_map(RouteTable::declared);
    let mut routes: Vec<_> = of_every_process.cloned().collect();
    routes.extend(auth::declared_routes());
    routes.extend(gateway::declared_routes());
    routes.sort_by(|a, b| (&a.path, a.method.as_str()).cmp(&(&b.path, b.method.as_str())));
    routes
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Markdown,
}

struct Table {
    title: &'static str,
    /// Why the table is as it is, for the document.
    remark: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

pub(crate) fn render(format: Format) -> String {
    let tables = [matrix(), routes(), fields(), commands()];
    let mut text = String::new();
    if format == Format::Markdown {
        text += "# Permissions\n\n\
            Everything is denied that is not in these tables. Generated from the code that enforces\n\
            them by `cargo xtask generate`; `plumbline permissions` prints the same.\n";
    }
    for table in &tables {
        match format {
            Format::Text => table.write_text(&mut text),
            Format::Markdown => table.write_markdown(&mut text),
        }
    }
    text
}

fn matrix() -> Table {
    let row = |permission: &Permission| {
        let granted = Role::ALL.map(|role| mark(role.grants(*permission)));
        let mut row = vec![permission.as_str().to_owned()];
        row.extend(granted);
        row.push(mark(permission.is_delegable()));
        row.push(mark(permission.is_privileged()));
        row
    };
    let mut head = vec!["permission"];
    head.extend(Role::ALL.map(Role::as_str));
    head.extend(["API keys", "privileged"]);
    Table {
        title: "Roles",
        remark: "An API key may have the permissions marked so, if its owner has them. A privileged \
                 permission is refused while nobody can tell which sessions have been revoked.",
        head,
        rows: Permission::ALL.iter().map(row).collect(),
    }
}

fn routes() -> Table {
    let row = |route: DeclaredRoute| {
        let method = route.method.to_string();
        vec![method, route.path, describe(route.access)]
    };
    Table {
        title: "Routes",
        remark: "HEAD goes with GET. `recent` asks for a log-in or step-up of at most five minutes \
                 ago; `client` authenticates a program by its own secret or signature. `/metrics` \
                 has a port of its own unless everything runs in one process, and the mailbox is \
                 there in embedded mode only.",
        head: vec!["method", "path", "needs"],
        rows: declared_routes().into_iter().map(row).collect(),
    }
}

fn fields() -> Table {
    let row = |declared: &gateway::DeclaredField| {
        let needs = match declared.access {
            FieldAccess::Public => "-".to_owned(),
            FieldAccess::Needs(permission) => permission.as_str().to_owned(),
        };
        vec![format!("{}.{}", declared.object, declared.field), needs]
    };
    Table {
        title: "GraphQL fields",
        remark: "Other fields are as open as the object they belong to.",
        head: vec!["field", "needs"],
        rows: gateway::declared_fields().iter().map(row).collect(),
    }
}

fn commands() -> Table {
    let row = |command: order_worker::DeclaredCommand| {
        let permission = command.permission.as_str();
        [command.name, command.event_type, permission]
            .map(str::to_owned)
            .into()
    };
    Table {
        title: "Commands of the order worker",
        remark: "The worker acts as a service. An event asks for a command.",
        head: vec!["command", "event", "needs"],
        rows: order_worker::declared_commands().map(row).collect(),
    }
}

fn mark(is_granted: bool) -> String {
    if is_granted { "yes" } else { "-" }.to_owned()
}

fn describe(access: Access) -> String {
    match access {
        Access::Public => "-".to_owned(),
        Access::Client => "client".to_owned(),
        Access::Needs(permission) => permission.as_str().to_owned(),
        Access::NeedsRecent(permission) => format!("{}, recent", permission.as_str()),
    }
}

impl Table {
    fn write_markdown(&self, text: &mut String) {
        let Self { title, remark, .. } = self;
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<_> = self.head.iter().map(ToString::to_string).collect();
        let _ = write!(text, "\n## {title}\n\n{remark}\n\n{}", line(&head));
        *text += &format!("|{}\n", "---|".repeat(head.len()));
        for row in &self.rows {
            let code = |cell: &String| match cell.as_str() {
                "-" | "yes" => cell.clone(),
                _ => format!("`{cell}`"),
            };
            *text += &line(&row.iter().map(code).collect::<Vec<_>>());
        }
    }

    fn write_text(&self, text: &mut String) {
        let head = self.head.iter().map(ToString::to_string).collect();
        let rows: Vec<&Vec<String>> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: Vec<_> = (0..self.head.len()).map(width).collect();
        let _ = writeln!(text, "{}", self.title);
        for row in rows {
            let cells = row.iter().zip(&widths);
            let cells: Vec<_> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_route_is_declared_twice() {
        let mut seen = BTreeSet::new();
        for DeclaredRoute { method, path, .. } in declared_routes() {
            assert!(seen.insert(format!("{method} {path}")), "{method} {path}");
        }
    }

    #[test]
    fn every_permission_is_granted_to_somebody_and_printed() {
        let text = render(Format::Text);
        for permission in Permission::ALL {
            assert!(Role::ALL.iter().any(|role| role.grants(*permission)));
            assert!(text.contains(permission.as_str()));
        }
    }
}
