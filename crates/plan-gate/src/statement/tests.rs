use proptest::prelude::*;

use super::*;

#[test]
fn blanks_and_comments_are_single_blanks_outside_of_literals() {
    let sql = "\n SELECT  'a  b'  -- why\n ,\t\"x  y\" /* or\n not */ FROM t ";
    assert_eq!(normalise(sql), "SELECT 'a  b' , \"x  y\" FROM t");
}

#[test]
fn a_list_of_any_length_becomes_one_of_two() {
    let two = r#"SELECT 1 FROM "t" WHERE "id" IN ($1, $2) AND "n" = $3"#;
    for (list, last) in [("$1", 2), ("$1, $2", 3), ("$1, $2, $3, $4", 5)] {
        let sql = format!(r#"SELECT 1 FROM "t" WHERE "id" IN ({list}) AND "n" = ${last}"#);
        assert_eq!(normalise(&sql), two, "{list}");
    }
}

#[test]
fn a_list_of_tuples_becomes_one_of_two() {
    assert_eq!(
        normalise("DELETE FROM t WHERE (a, b) IN (($1, $2), ($3, $4), ($5, $6))"),
        "DELETE FROM t WHERE (a, b) IN (($1, $2), ($3, $4))"
    );
}

#[test]
fn a_limit_is_explained_as_that_of_a_page() {
    let sql = "DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT $1) AND a < $2 AND limit_ = $3";
    assert_eq!(
        with_limits(sql),
        "DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 100) AND a < $1 AND limit_ = $2"
    );
}

#[test]
fn a_subquery_and_a_list_of_literals_stay() {
    for sql in [
        "SELECT 1 FROM t WHERE a IN (SELECT b FROM u WHERE c = $1)",
        "SELECT 1 FROM t WHERE status IN ('PAID', 'PLACED')",
    ] {
        assert_eq!(normalise(sql), sql);
    }
}

#[test]
fn many_rows_become_one() {
    assert_eq!(
        normalise("INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ($5, $6) RETURNING a"),
        "INSERT INTO t (a, b) VALUES ($1, $2) RETURNING a"
    );
}

#[test]
fn rows_of_other_shapes_stay() {
    let sql = "INSERT INTO t (a) VALUES ($1), (DEFAULT)";
    assert_eq!(normalise(sql), sql);
}

#[test]
fn a_parameter_that_is_used_twice_stays_one() {
    assert_eq!(
        normalise("SELECT 1 FROM t WHERE a = $3 OR b = $3 OR c = $1"),
        "SELECT 1 FROM t WHERE a = $1 OR b = $1 OR c = $2"
    );
}

#[test]
fn what_looks_like_sql_in_a_literal_is_none() {
    let sql = "SELECT '$7 IN ($1, $2, $3) it''s', \"VALUES ($1), ($2)\" FROM t";
    assert_eq!(normalise(sql), sql);
}

#[test]
fn only_what_reads_or_writes_rows_of_ours_has_a_plan() {
    for (sql, expected) in [
        ("SELECT 1", true),
        ("\n with a as (select 1) select * from a", true),
        ("UPDATE t SET a = $1", true),
        ("CREATE TABLE t (a int)", false),
        ("LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE", false),
        ("SELECT \"version\" FROM \"seaql_migrations\"", false),
        ("SELECT 1 FROM information_schema.columns", false),
        ("/* test */ SELECT 1", false),
        ("", false),
    ] {
        assert_eq!(has_a_plan(sql), expected, "{sql}");
    }
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(sql in r#"(SELECT|IN|VALUES|\(|\)|,|\$[1-9]|'x'|"y"| ){0,40}"#) {
        let once = normalise(&sql);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn any_text_is_taken(sql in r"\PC{0,80}") {
        let _ = normalise(&sql);
    }
}
