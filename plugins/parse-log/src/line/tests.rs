//! Lines as servers write them.

use super::*;

const START: &str = r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "#;

fn auto(line: &str) -> Entry<'_> {
    read(line, Format::Auto).unwrap_or_else(|mistake| panic!("{line}: {mistake:?}"))
}

/// Protects against the examples of Apache's own documentation not being understood.
#[test]
fn both_formats_are_read() {
    let common = format!(r#"{START}"GET /apache_pb.gif HTTP/1.0" 200 2326"#);
    let combined = format!(r#"{common} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#);
    let entry = auto(&combined);
    assert_eq!((entry.host, entry.identity, entry.user), ("127.0.0.1", None, Some("frank")));
    assert_eq!((entry.time, entry.status, entry.bytes), (971_211_336_000_000, 200, Some(2326)));
    assert_eq!(entry.request, Some(Request { method: "GET", path: "/apache_pb.gif", protocol: Some("HTTP/1.0") }));
    assert_eq!(entry.referer, Some("http://www.example.com/start.html"));
    assert_eq!(entry.user_agent, Some("Mozilla/4.08 [en] (Win98; I ;Nav)"));
    assert_eq!((auto(&common).referer, auto(&common).bytes), (None, Some(2326)));
    assert_eq!(read(&combined, Format::Combined), Ok(entry));
    let mistake = read(&combined, Format::Common).unwrap_err();
    assert_eq!((mistake.at, mistake.expected), (common.len(), "the end of the line"));
    let mistake = read(&common, Format::Combined).unwrap_err();
    assert_eq!((mistake.at, mistake.expected), (common.len(), "a blank"));
}

/// Protects against lines of the real world being refused.
#[test]
fn the_odd_ones_are_read() {
    let line = r#"2001:db8::1 ident John Doe [10/Oct/2000:13:55:36 +0000] "GET /a b?c=\"d\" HTTP/2.0" 499 - "-" "a \"b\" \\""#;
    let entry = auto(line);
    assert_eq!((entry.host, entry.identity, entry.user, entry.bytes), ("2001:db8::1", Some("ident"), Some("John Doe"), None));
    assert_eq!(entry.request.unwrap().path, r#"/a b?c=\"d\""#);
    assert_eq!((entry.referer, entry.user_agent), (None, Some(r#"a \"b\" \\"#)));
    let user = |user: &str| format!(r#"h - {user} [10/Oct/2000:13:55:36 +0000] "-" 408 0"#);
    assert_eq!(auto(&user("\"\"")).user, Some(""));
    assert_eq!(auto(&user("jürgen")).user, Some("jürgen"));
}

/// Protects against a request that is none being cut into a method and a path.
#[test]
fn what_is_no_request_is_null() {
    for text in ["-", "", r"\x16\x03\x01", r"\x16\x03 \x01 \x02", "GET", "GET ", " / HTTP/1.1", "GET  HTTP/1.1 x", "G(T / HTTP/1.1"] {
        let line = format!("{START}\"{text}\" 400 226");
        assert_eq!(auto(&line).request, None, "{text}");
    }
    let line = format!("{START}\"GET /old\" 200 1\r\n");
    assert_eq!(auto(&line).request, Some(Request { method: "GET", path: "/old", protocol: None }));
}

/// Protects against rejected lines whose reason does not say what is wrong, and where.
#[test]
fn mistakes_have_their_byte() {
    for (line, at, expected) in [
        ("", 0, "a host"),
        (" - - [", 0, "a host"),
        ("h", 1, "a blank"),
        ("h -", 3, "a blank"),
        ("h - ", 4, "`[`"),
        (r#"10.0.0.1 - - 10/Oct/2000:13:55:36 "GET / HTTP/1.1" 200 1"#, 13, "`[`"),
        (r#"h - - [x] "" 200 1"#, 7, "a day of two digits"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700]"GET" 200 1"#, 34, "a blank"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] GET 200 1"#, 35, "a request in quotes"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / 200 1"#, 47, "a closing `\"`"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET \"#, 41, "a closing `\"`"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" 20 1"#, 38, "a status of three digits"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" - 1"#, 38, "a status of three digits"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" 200"#, 41, "a blank"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" 200 -1"#, 42, "a number of bytes or `-`"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" 200 9223372036854775808"#, 42, "a number of bytes or `-`"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" 200 1 x"#, 44, "a referer in quotes"),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "" 200 1 "-" "-" 3"#, 51, "the end of the line"),
    ] {
        assert_eq!(read(line, Format::Auto), Err(Mistake { at, expected }), "{line}");
    }
}

/// Protects against a panic on bytes that nobody thought of: every line is cut and damaged at every byte.
#[test]
fn nothing_panics() {
    let line = r#"höst - ü [10/Oct/2000:13:55:36 -0700] "GET /ü HTTP/1.0" 200 2326 "\"ü" "é""#;
    for (at, _) in line.char_indices() {
        let _ = read(&line[..at], Format::Auto);
        for with in ["\"", "\\", " ", "[", "é", "\0", "9", "-"] {
            let _ = read(&format!("{}{with}{}", &line[..at], &line[at..]), Format::Auto);
        }
    }
}
