//! W3C Baggage (<https://www.w3.org/TR/baggage/>): what somebody upstream wants everybody downstream to know, passed on as it came.

/// The name it stands under.
pub const NAME: &str = "baggage";

/// Members that are passed on, and bytes of all of them: as many as the specification asks everybody for.
const MEMBERS: usize = 64;
const LENGTH: usize = 8192;

/// Members as they came, in order, each to the letter of the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage(Vec<String>);

// === impl Baggage ===

impl Baggage {
    /// None.
    pub const EMPTY: Baggage = Baggage(Vec::new());

    /// What can be understood of it, up to the bounds. A malformed member is left out, the others stay.
    pub fn parse(text: &str) -> Self {
        let mut members: Vec<String> = Vec::new();
        let mut length = 0;
        // Cut before it is looked at: an endless header is not worth reading to its end.
        for member in text.get(..text.floor_char_boundary(2 * LENGTH)).unwrap_or_default().split(',').map(trimmed) {
            if !is_member(member) {
                continue;
            }
            length += member.len() + usize::from(!members.is_empty());
            if members.len() == MEMBERS || length > LENGTH {
                break;
            }
            members.push(member.to_owned());
        }
        Baggage(members)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it is written.
    pub fn write(&self) -> String {
        self.0.join(",")
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// `key OWS = OWS value *( OWS ; OWS property )`
fn is_member(member: &str) -> bool {
    let mut parts = member.split(';').map(trimmed);
    let pair = parts.next().and_then(|pair| pair.split_once('='));
    let Some((key, value)) = pair else { return false };
    is_token(trimmed(key)) && is_value(trimmed(value)) && parts.all(is_property)
}

fn is_property(property: &str) -> bool {
    match property.split_once('=') {
        Some((key, value)) => is_token(trimmed(key)) && is_value(trimmed(value)),
        None => is_token(property),
    }
}

/// RFC 7230's token.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// `*baggage-octet`: printable ASCII without space, quotes, comma, semicolon and backslash; anything else is percent-encoded.
fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_passed_on_as_it_came() {
        for good in ["a=b", "a=b=c", "a=", "userId=Am%C3%A9lie;secret;ttl=3", "a = b ; p = q,serverNode=DF%2028"] {
            assert_eq!(Baggage::parse(good).write(), good);
        }
        assert_eq!(Baggage::parse(" a=1 , wrong, b=é, =x, c=2;é ,d=\"q\", e=5").write(), "a=1,e=5");
    }

    /// Protects against baggage that grows without end.
    #[test]
    fn it_is_bounded() {
        let many = (0..100).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(Baggage::parse(&many).0.len(), MEMBERS);
        let long = (0..60).map(|n| format!("k{n}={}", "v".repeat(300))).collect::<Vec<_>>().join(",");
        let written = Baggage::parse(&long).write();
        assert!(written.len() <= LENGTH && written.len() > LENGTH - 400, "{}", written.len());
        assert!(Baggage::parse(&"é".repeat(20_000)).is_empty());
    }
}
