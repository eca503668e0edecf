//! Whether the auditor sees what it is there to see.

use fail_points::Safeguard;

/// A drill with one safeguard removed: the auditor must notice.
#[derive(Debug, Clone, Copy)]
pub struct Control {
    pub name: &'static str,
    pub safeguard: Safeguard,
    pub drill: &'static str,
    /// What the auditor must call broken.
    pub invariant: &'static str,
    /// What stands behind the safeguard in PostgreSQL, and is removed with it.
    pub remove: Option<&'static str>,
}

pub const CONTROLS: &[Control] = &[
    Control {
        name: "without-inbox",
        safeguard: Safeguard::Inbox,
        drill: "duplicates",
        invariant: "left its receipt",
        remove: None,
    },
    Control {
        name: "without-outbox",
        safeguard: Safeguard::Outbox,
        drill: "killed-after-commit",
        invariant: "has its event",
        remove: None,
    },
    Control {
        name: "without-stock-guard",
        safeguard: Safeguard::StockGuard,
        drill: "oversell",
        invariant: "stock is never negative",
        remove: Some(
            "DO $$ DECLARE name text; BEGIN
                FOR name IN SELECT conname FROM pg_constraint
                    WHERE conrelid = 'stock'::regclass AND contype = 'c'
                LOOP EXECUTE format('ALTER TABLE stock DROP CONSTRAINT %I', name); END LOOP;
            END $$",
        ),
    },
    Control {
        name: "without-idempotency",
        safeguard: Safeguard::Idempotency,
        drill: "clients-hang-up",
        invariant: "one order for each idempotency key",
        remove: Some(
            "DO $$ DECLARE name text; BEGIN
                FOR name IN SELECT indexname FROM pg_indexes
                    WHERE tablename = 'orders' AND indexdef LIKE '%UNIQUE%idempotency_key%'
                LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
            END $$",
        ),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::catalogue::{DRILLS, find};
    use super::*;

    #[test]
    fn no_two_drills_have_the_same_name() {
        let names = DRILLS.iter().map(|drill| drill.name);
        let names: HashSet<_> = names.chain(CONTROLS.iter().map(|one| one.name)).collect();
        assert_eq!(names.len(), DRILLS.len() + CONTROLS.len());
    }

    #[test]
    fn every_safeguard_has_its_control_and_every_control_its_drill() {
        for safeguard in Safeguard::ALL {
            let controls = CONTROLS.iter().filter(|one| one.safeguard == safeguard);
            assert_eq!(controls.count(), 1, "{safeguard:?}");
        }
        for control in CONTROLS {
            assert!(find(control.drill).is_some(), "{}", control.name);
        }
    }
}
