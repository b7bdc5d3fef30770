//! `tracestate` of W3C Trace Context (3.3): what vendors say of a trace, passed on as it came.

/// The name it stands under.
pub const NAME: &str = "tracestate";

/// Members of a list; a longer one is not passed on.
const MEMBERS: usize = 32;
/// Bytes that are passed on: what the specification asks everybody for.
const LENGTH: usize = 512;
/// Bytes of a member from which on it is the first to go where there are too many.
const LARGE: usize = 128;
/// Bytes that are looked at.
const MOST: usize = 8 << 10;

/// What is to be passed on, empty where it is not to the letter.
pub fn accept(text: &str) -> String {
    if text.len() > MOST {
        return String::new();
    }
    let members = text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty());
    let mut members: Vec<_> = members.collect();
    let sound = members.len() <= MEMBERS && members.iter().all(|member| is_member(member));
    let keys = || members.iter().map(|member| key(member));
    if !sound || keys().enumerate().any(|(at, known)| keys().skip(at + 1).any(|other| other == known)) {
        return String::new();
    }
    // As the specification shortens: large members first, then from the end.
    let length = |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1);
    if length(&members) > LENGTH {
        members.retain(|member| member.len() <= LARGE);
    }
    while length(&members) > LENGTH {
        members.pop();
    }
    members.join(",")
}

fn key(member: &str) -> &str {
    member.split('=').next().unwrap_or_default()
}

fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let first = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let keyed = first && key.len() <= 256 && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b));
    let valued = !value.is_empty() && value.len() <= 256 && value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=' && b != b',');
    keyed && valued
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_passed_on_in_order_and_tidied() {
        assert_eq!(accept("rojo=00f067aa0ba902b7, ,\tcongo=t61rcWkgMzE ,1a@b=x y"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,1a@b=x y");
        assert_eq!(accept(""), "");
    }

    /// Protects against state that grows from process to process, and against passing on what breaks others.
    #[test]
    fn it_is_bounded_and_what_is_malformed_is_dropped_whole() {
        for wrong in ["a", "a=", "=b", "A=b", "a=b=c", "a=b,a=c", "a=\u{1}", "a=é", "_a=b", "a b=c"] {
            assert_eq!(accept(wrong), "", "{wrong}");
        }
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(accept(&many(32)), many(32));
        assert_eq!(accept(&many(33)), "");
        let long =
            format!("a=1,large={},{}", "x".repeat(200), (0..20).map(|n| format!("k{n}={}", "y".repeat(20))).collect::<Vec<_>>().join(","));
        let kept = accept(&long);
        assert!(kept.len() <= LENGTH && kept.starts_with("a=1,k0=") && !kept.contains("large") && kept.ends_with("yyyy"), "{kept}");
        assert_eq!(accept(&"a=b,".repeat(10_000)), "");
    }
}
