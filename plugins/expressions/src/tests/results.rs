//! What expressions compute. Protects against a wrong row, and above all against a wrong null.

use super::*;

const NULL: Option<bool> = None;
const T: Option<bool> = Some(true);
const F: Option<bool> = Some(false);

#[test]
fn comparisons() {
    check("n > 0", [T, F, NULL, F]);
    check("0 < n", [T, F, NULL, F]);
    check("n = -7", [F, T, NULL, F]);
    check("n <> 10", [F, T, NULL, T]);
    check("id >= 2", [F, T, T, T]);
    check("id <= n", [T, F, NULL, F]);
    check("n < 2.5", [F, T, NULL, T]);
    check("b = true", [T, F, NULL, T]);
    check("b < true", [F, T, NULL, F]);
    check("s = 'Anna'", [T, F, NULL, F]);
    check("s > 'Z'", [F, T, NULL, F]);
    check("'Z' < s", [F, T, NULL, F]);
    check("\"a b\" = id", [T, F, NULL, F]);
    check("word = 'AA'", [T, F, NULL, F]);
    check("view = 'longer than twelve'", [F, T, NULL, F]);
    check("price > 0.09 and price < 0.11", [F, F, NULL, T]);
    check("n = NULL", [NULL; 4]);
    check("NULL IS NULL", [T; 4]);
}

/// NaN equals itself and is greater than every number.
#[test]
fn nan_is_ordered() {
    check("x > 1000", [F, F, NULL, T]);
    check("x >= 1000", [F, F, NULL, T]);
    check("x < 1000", [T, T, NULL, F]);
    check("x <= 1000", [T, T, NULL, F]);
    check("x = x", [T, T, NULL, T]);
    check("x <> x", [F, F, NULL, F]);
    check("x < CAST('NaN' AS double)", [T, T, NULL, F]);
    check("x = CAST('NaN' AS double)", [F, F, NULL, T]);
    check("x IN (CAST('NaN' AS double), 2.5)", [T, F, NULL, T]);
}

#[test]
fn dates_and_times() {
    check("d = DATE '2024-02-29'", [T, F, NULL, F]);
    check("d < '2023-01-02'", [F, T, NULL, T]);
    check("t >= '1970-01-01'", [T, F, NULL, T]);
    check("t = TIMESTAMP '2024-02-29 13:45:01.25'", [T, F, NULL, F]);
    check("d <= t", [T, T, NULL, F]);
    check("z = '2024-02-29T13:45:01Z'", [T, F, NULL, F]);
    check("z = '2024-02-29 15:45:01'", [T, F, NULL, F]);
    check("berlin > z", [F, F, NULL, F]);
    check("extract(year from d)", [Some(2024), Some(1969), None, Some(2023)]);
    check("date_part('dow', d)", [Some(4), Some(3), None, Some(0)]);
    check("date_part('week', d)", [Some(9), Some(1), None, Some(52)]);
    check("date_part('doy', d)", [Some(60), Some(365), None, Some(1)]);
    check("date_part('quarter', d)", [Some(1), Some(4), None, Some(1)]);
    check("extract(second from t)", [Some(1), Some(59), None, Some(0)]);
    check("date_part('hour', z)", [Some(15), Some(1), None, Some(2)]);
    check("date_part('epoch', t)", [Some(1_709_214_301), Some(-1), None, Some(0)]);
    check("CAST(date_trunc('month', d) AS text)", [Some("2024-02-01"), Some("1969-12-01"), None, Some("2023-01-01")]);
    check("date_trunc('hour', t)::text", [Some("2024-02-29 13:00:00"), Some("1969-12-31 23:00:00"), None, Some("1970-01-01 00:00:00")]);
    check("t::text", [Some("2024-02-29 13:45:01.25"), Some("1969-12-31 23:59:59.999"), None, Some("1970-01-01 00:00:00")]);
    check("z::text", [Some("2024-02-29 15:45:01+02:00"), Some("1970-01-01 01:59:59+02:00"), None, Some("1970-01-01 02:00:00+02:00")]);
    check(
        "date_trunc('day', z)::text",
        [Some("2024-02-29 00:00:00+02:00"), Some("1970-01-01 00:00:00+02:00"), None, Some("1970-01-01 00:00:00+02:00")],
    );
    check("date_trunc('week', d)::text", [Some("2024-02-26"), Some("1969-12-29"), None, Some("2022-12-26")]);
    check("t::date = d", [T, T, NULL, F]);
}

#[test]
fn logic_is_threefold() {
    check("b AND n > 0", [T, F, NULL, F]);
    check("b AND false", [F, F, F, F]);
    check("b OR true", [T, T, T, T]);
    check("b OR n > 0", [T, F, NULL, T]);
    check("b OR id = 3", [T, F, T, T]);
    check("b AND id = 3", [F, F, NULL, F]);
    check("b AND id <> 3", [T, F, F, T]);
    check("NOT b", [F, T, NULL, F]);
    check("b AND NULL", [NULL, F, NULL, NULL]);
    check("NULL OR b", [T, NULL, NULL, T]);
    check("b IS TRUE", [T, F, F, T]);
    check("b IS NOT FALSE", [T, F, T, T]);
    check("b IS NOT TRUE", [F, T, T, F]);
    check("b IS FALSE", [F, T, F, F]);
    check("n IS NULL", [F, F, T, F]);
    check("blob IS NOT NULL", [T, T, F, T]);
    check("id IS NULL", [F; 4]);
    check("NOT n > 0 AND id = 2", [F, T, F, F]);
}

#[test]
fn ranges_lists_and_patterns() {
    check("n BETWEEN -7 AND 0", [F, T, NULL, T]);
    check("n NOT BETWEEN -7 AND 0", [T, F, NULL, F]);
    check("n IN (10, 0)", [T, F, NULL, T]);
    check("n NOT IN (10, 0)", [F, T, NULL, F]);
    check("n IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", [T, F, NULL, F]);
    check("n IN (10, NULL)", [T, NULL, NULL, NULL]);
    check("n IN (id, 10)", [T, F, NULL, F]);
    check("s IN ('Anna', 'x')", [T, F, NULL, F]);
    check("b IN (true)", [T, F, NULL, T]);
    check("x IN (2, -0.5)", [F, T, NULL, F]);
    check("d IN ('2024-02-29')", [T, F, NULL, F]);
    check("s LIKE 'A%'", [T, F, NULL, F]);
    check("s LIKE '%nn%'", [T, F, NULL, F]);
    check("s LIKE '%_b'", [F, T, NULL, F]);
    check("s LIKE 'b__b'", [F, T, NULL, F]);
    check("s LIKE 'A%n%a'", [T, F, NULL, F]);
    check("s LIKE '!%%' ESCAPE '!'", [F, F, NULL, T]);
    check("s NOT LIKE '%a'", [F, T, NULL, T]);
    check("s ILIKE 'a%A'", [T, F, NULL, F]);
    check("s ILIKE 'BÖ%'", [F, T, NULL, F]);
}

#[test]
fn arithmetic() {
    check("n + 1", [Some(11), Some(-6), None, Some(1)]);
    check("1 - n", [Some(-9), Some(8), None, Some(1)]);
    check("n * id", [Some(10), Some(-14), None, Some(0)]);
    check("n / 4", [Some(2.5), Some(-1.75), None, Some(0.0)]);
    check("n % 4", [Some(2), Some(-3), None, Some(0)]);
    check("10 % n", [Some(0), Some(3), None, None]);
    check("10 / n", [Some(1.0), Some(10.0 / -7.0), None, None]);
    check("n + 0.5", [Some(10.5), Some(-6.5), None, Some(0.5)]);
    check("-n", [Some(-10), Some(7), None, Some(0)]);
    check("- -n", [Some(10), Some(-7), None, Some(0)]);
    check("n + NULL", [None::<i64>; 4]);
    check("n / 0", [None::<f64>; 4]);
    check("n % 0", [None::<i64>; 4]);
    assert_eq!(kind("n / 2"), Type::Float);
    assert_eq!(kind("n + 2"), Type::Int);
    assert_eq!(folded("1 + 2 * 3 - -4"), Scalar::Int(11));
    assert_eq!(folded("-9223372036854775808"), Scalar::Int(i64::MIN));
}

/// Protects against integers that wrap around, and against failing for rows that are null or not asked for.
#[test]
fn nothing_wraps_around() {
    let said = rows("big + 1").unwrap_err();
    assert!(said.contains("row 0: 9223372036854775807 + 1 is beyond int64 at byte 4 of `big + 1`"), "{said}");
    assert!(rows("big * 2").unwrap_err().contains("row 0"));
    assert!(rows("-9223372036854775807 - big").unwrap_err().contains("row 0"));
    check("CASE WHEN id = 1 THEN 0 ELSE big * 2 END", [Some(0), Some(2), None, Some(6_000_000_000)]);
    check("abs(big - 1)", [Some(i64::MAX - 1), Some(0), None, Some(2_999_999_999)]);
}

#[test]
fn choices() {
    check("CASE WHEN n > 0 THEN 'plus' WHEN n < 0 THEN 'minus' END", [Some("plus"), Some("minus"), None, None]);
    check("CASE WHEN n > 0 THEN s ELSE 'other' END", [Some("Anna"), Some("other"), Some("other"), Some("other")]);
    check("CASE n WHEN 10 THEN 1 WHEN 0 THEN 2.5 ELSE 0 END", [Some(1.0), Some(0.0), Some(0.0), Some(2.5)]);
    check("CASE WHEN true THEN n END", [Some(10), Some(-7), None, Some(0)]);
    check("CASE WHEN b THEN b ELSE id = 2 END", [T, T, F, T]);
    check("COALESCE(n, 5)", [Some(10), Some(-7), Some(5), Some(0)]);
    check("COALESCE(NULL, s, 'none')", [Some("Anna"), Some("bö_b"), Some("none"), Some("%c ")]);
    check("COALESCE(n, x)", [Some(10.0), Some(-7.0), None, Some(0.0)]);
    check("NULLIF(n, 0)", [Some(10), Some(-7), None, None]);
    check("COALESCE(d, '2000-01-01')::text", [Some("2024-02-29"), Some("1969-12-31"), Some("2000-01-01"), Some("2023-01-01")]);
}

#[test]
fn functions_of_numbers() {
    check("abs(n)", [Some(10), Some(7), None, Some(0)]);
    check("abs(x)", [Some(2.5), Some(0.5), None, Some(f64::NAN)]);
    check("round(x)", [Some(3.0), Some(-1.0), None, Some(f64::NAN)]);
    check("floor(x)", [Some(2.0), Some(-1.0), None, Some(f64::NAN)]);
    check("ceil(x)", [Some(3.0), Some(-0.0), None, Some(f64::NAN)]);
    check("round(n / 3, 2)", [Some(3.33), Some(-2.33), None, Some(0.0)]);
    check("round(n, -1)", [Some(10.0), Some(-10.0), None, Some(0.0)]);
    check("sqrt(n + 6)", [Some(4.0), None, None, Some(6f64.sqrt())]);
    check("floor(n)", [Some(10), Some(-7), None, Some(0)]);
}

#[test]
fn functions_of_texts() {
    check("lower(s)", [Some("anna"), Some("bö_b"), None, Some("%c ")]);
    check("upper(s)", [Some("ANNA"), Some("BÖ_B"), None, Some("%C ")]);
    check("upper(word)", [Some("AA"), Some("UA"), None, Some("DL")]);
    check("length(s)", [Some(4), Some(4), None, Some(3)]);
    check("trim(s)", [Some("Anna"), Some("bö_b"), None, Some("%c")]);
    check("ltrim(s, 'Ab')", [Some("nna"), Some("ö_b"), None, Some("%c ")]);
    check("rtrim(s, 'ab ')", [Some("Ann"), Some("bö_"), None, Some("%c")]);
    check("substr(s, 2)", [Some("nna"), Some("ö_b"), None, Some("c ")]);
    check("substring(s, 2, 2)", [Some("nn"), Some("ö_"), None, Some("c ")]);
    check("substr(s, -2, 1)", [Some("n"), Some("_"), None, Some("c")]);
    check("substr(s, 0, 2)", [Some("A"), Some("b"), None, Some("%")]);
    check("concat(s, '-', n)", [Some("Anna-10"), Some("bö_b--7"), Some("-"), Some("%c -0")]);
    check("s || '!'", [Some("Anna!"), Some("bö_b!"), None, Some("%c !")]);
    check("replace(s, 'n', 'mm')", [Some("Ammmma"), Some("bö_b"), None, Some("%c ")]);
    check("starts_with(s, 'A')", [T, F, NULL, F]);
    check("ends_with(s, ' ')", [F, F, NULL, T]);
    check("contains(s, '_')", [F, T, NULL, F]);
    assert_eq!(folded("concat('a', upper('b'), 1, NULL)"), Scalar::Text("aB1".into()));
}

#[test]
fn casts() {
    check("n::text", [Some("10"), Some("-7"), None, Some("0")]);
    check("x::text", [Some("2.5"), Some("-0.5"), None, Some("NaN")]);
    check("b::text", [Some("true"), Some("false"), None, Some("true")]);
    check("b::int", [Some(1), Some(0), None, Some(1)]);
    check("CAST(n AS boolean)", [T, T, NULL, F]);
    check("CAST(n / 4 AS bigint)", [Some(2), Some(-2), None, Some(0)]);
    check("TRY_CAST(digits AS int)", [Some(12), Some(7), None, None]);
    check("TRY_CAST(digits AS double precision)", [Some(12.0), Some(7.0), None, None]);
    check("TRY_CAST(x AS int)", [Some(2), Some(-0), None, None]);
    check("TRY_CAST(s AS date)::text", [None::<&str>; 4]);
    check("CASE WHEN id < 4 THEN digits::int END", [Some(12), Some(7), None, None]);
    let said = rows("digits::int").unwrap_err();
    assert!(said.contains("row 3: '4x' is no int64 at byte 6"), "{said}");
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(compiled("CAST(s AS timestamp with time zone)").unwrap().data_type(), wanted);
}

/// Protects against reading more than is mentioned, or the same twice.
#[test]
fn what_is_mentioned() {
    let schema = schema();
    let names = |text: &str| {
        compiled(text).unwrap().mentions().iter().map(|index| schema.field(*index).name().as_str().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("n > 0 OR -n < id AND n <> 1"), ["n", "id"]);
    assert!(names("1 + 1 = 2").is_empty());
}

/// Protects against a column that is said never to be null and is, and against nullable where it need not be.
#[test]
fn what_can_be_null() {
    let nullable = |text: &str| compiled(text).unwrap().is_nullable();
    for text in [
        "n",
        "id + n",
        "id / id",
        "id % id",
        "sqrt(id)",
        "CASE WHEN id > 1 THEN id END",
        "NULLIF(id, 1)",
        "TRY_CAST('x' || id::text AS int)",
    ] {
        assert!(nullable(text), "`{text}`");
    }
    for text in [
        "id",
        "id + 1",
        "id / 2",
        "n IS NULL",
        "COALESCE(n, id)",
        "CASE WHEN n > 1 THEN id ELSE 0 END",
        "concat(s)",
        "id::text",
        "b IS TRUE",
    ] {
        assert!(!nullable(text), "`{text}`");
    }
}
