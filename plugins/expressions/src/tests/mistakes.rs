//! What is said of a wrong expression, and where. Protects against a person having to guess.

use super::*;

/// The expression; what is said; the byte; the advice, or a part of it.
const MISTAKES: &[(&str, &str, u32, &str)] = &[
    ("digit = 1", "there is no column `digit`", 0, "did you mean `digits`?"),
    ("n > 0 AND aab > 1", "there is no column `aab`", 10, "did you mean `\"a b\"`?"),
    ("n > 0 AND carrier = 'x'", "there is no column `carrier`", 10, "the columns are `id`, `n`"),
    ("lowr(s) = 'x'", "there is no function `lowr`", 0, "did you mean `lower`?"),
    ("sum(n)", "there is no function `sum`", 0, "std:aggregate"),
    ("n > 'x'", "> compares int64 with utf8", 2, "without quotes"),
    ("s = 1", "= compares utf8 with int64", 2, "without quotes"),
    ("d = 1", "= compares date32 with int64", 2, "one type"),
    ("b > 1", "> compares boolean with int64", 2, "one type"),
    ("s + 1", "+ takes numbers, and here are utf8 and int64", 2, "||"),
    ("n AND b", "AND takes boolean operands, and this is int64", 0, "x > 0"),
    ("NOT s", "NOT takes boolean operands, and this is utf8", 4, "x > 0"),
    ("blob = 'x'", "nothing is computed from Binary", 0, "IS NULL"),
    ("codes IS NULL", "nothing is asked of Dictionary(Int8, Int64)", 0, ""),
    ("lower(n)", "lower takes utf8, and this is int64", 6, "CAST(x AS text)"),
    ("length(s, 1)", "length takes 1 arguments, and here are 2", 0, ""),
    ("round(s)", "round takes numbers, and this is utf8", 6, ""),
    ("n || s", "|| joins utf8, and here are int64 and utf8", 2, "concat"),
    ("date_part('yaer', d)", "date_part knows no part `yaer`", 10, "did you mean `year`?"),
    ("date_part('year', n)", "date_part takes a date32 or a timestamp, and this is int64", 18, "timestamp"),
    ("date_part('hour', berlin)", "date_part needs to know the hour in Europe/Berlin, and zones of regions are not known here", 18, "UTC"),
    ("d > DATE '2024-02-30'", "'2024-02-30' is no date32", 4, ""),
    ("d > '2024-13-01'", "'2024-13-01' is no date32", 4, ""),
    ("CAST(n AS date)", "int64 cannot be cast to date32", 0, ""),
    ("CAST(n AS itn)", "there is no type `itn` to cast to", 10, "did you mean `int`?"),
    ("9223372036854775807 + 1", "9223372036854775807 + 1 is beyond int64", 20, ""),
    ("n > 99999999999999999999", "99999999999999999999 is beyond int64", 4, "99999999999999999999.0"),
    ("s LIKE s", "the pattern of LIKE is a constant", 7, "contains"),
    ("s LIKE 'x!' ESCAPE '!'", "the pattern ends in its escape character", 7, ""),
    ("n LIKE 'x'", "LIKE takes utf8 on both sides, and this is int64", 0, "CAST"),
    ("n IN (1, 'x')", "IN compares int64 with utf8", 9, "one type"),
    ("CASE WHEN n THEN 1 END", "WHEN takes boolean operands, and this is int64", 10, ""),
    ("CASE WHEN b THEN 1 ELSE 'x' END", "the branches of CASE have one type, and this is utf8 where another is int64", 24, "cast"),
    ("coalesce(n, s)", "the arguments of coalesce have one type, and this is utf8 where another is int64", 12, "cast"),
    ("n // 2", "there is no operator `//`", 2, "floor(a / b)"),
    ("n >", "the expression ends here, expected a value", 3, ""),
    ("n > > 1", "found `>`, expected a value", 4, ""),
    ("(n > 1", "the expression ends here, expected `)`", 6, ""),
    ("n > 1)", "found `)`, expected an operator or the end", 5, ""),
    ("n > 1;", "found `;`, expected an operator or the end", 5, "semicolon"),
    ("dep delay > 1", "found `delay`, expected an operator or the end", 4, "double quotes"),
    ("f.n > 1", "`f` is followed by a dot, and columns belong to no table here", 1, "double quotes"),
    ("s = 'x", "unterminated string literal", 4, ""),
    ("", "the expression ends here, expected a value", 0, ""),
    ("CASE WHEN b THEN 1", "the expression ends here, expected `WHEN`, `ELSE` or `END`", 18, ""),
    ("s IN ()", "found `)`, expected a value", 6, ""),
    ("(SELECT 1)", "found `SELECT`, expected a value", 1, ""),
    // Lines, and characters of more than a byte.
    ("s = 'ö' AND\n  öx > 1", "there is no column `öx`", 15, ""),
    ("-- note\nn > 'x'", "> compares int64 with utf8", 10, ""),
];

#[test]
fn what_is_said_and_where() {
    for (text, message, offset, help) in MISTAKES {
        let found = mistake(text);
        let said = found.message.split(" at Line").next().unwrap_or_default();
        assert_eq!((said, found.offset), (*message, *offset), "`{text}`");
        assert!(found.help.as_deref().unwrap_or_default().contains(help), "`{text}`: {:?}", found.help);
    }
}

#[test]
fn a_condition_is_boolean() {
    let scope = Scope::of(&schema());
    let found = Expression::condition("n + 1", &scope).unwrap_err();
    assert_eq!((found.message.as_str(), found.offset), ("a condition is boolean, and this is int64", 2));
    assert!(Expression::condition("NULL", &scope).is_ok());
}

/// Protects against a text that overruns the stack of a component.
#[test]
fn depth_is_bounded() {
    // Frames of a test build are many times those of a component.
    std::thread::Builder::new().stack_size(64 << 20).spawn(deep).unwrap().join().unwrap();
}

fn deep() {
    let nested = format!("{}n{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(mistake(&nested).message.contains("more than 128 deep"));
    let chain = vec!["b"; 130].join(" AND ");
    let found = mistake(&chain);
    assert!(found.message.contains("more than 128 deep; in a chain") && found.help.unwrap().contains("split it"));
    assert!(mistake(&format!("{}b", "NOT ".repeat(1_000))).message.contains("more than 128 deep"));
    let list = format!("n IN ({})", vec!["7"; 5_000].join(", "));
    assert!(compiled(&list).is_ok());
    // The deepest that is accepted is also computed.
    let deepest = vec!["b"; 128].join(" AND ");
    rows(&deepest).unwrap();
}
