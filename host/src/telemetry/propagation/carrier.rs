//! What context travels in: names and values, whatever the transport makes of them.

use std::{borrow::Cow, collections::HashMap};

use crate::words::carry::Pair;

/// Something that context travels in.
pub trait Carrier {
    /// What stands under a name, which is lower-case.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;
    /// Puts something under a name, in place of what stood there.
    fn set(&mut self, name: &'static str, value: String);
}

/// Headers of HTTP: names in any case, repeated ones joined with commas as RFC 9110 (5.3) says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headers(pub Vec<(String, String)>);

// === impl Carrier ===

impl Carrier for Headers {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut found = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let first = found.next()?;
        Some(found.fold(Cow::Borrowed(first), |all, more| Cow::Owned(format!("{all},{more}"))))
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value));
    }
}

/// Metadata of Arrow schemas: names are what they are.
impl Carrier for HashMap<String, String> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        HashMap::get(self, name).map(|value| Cow::Borrowed(value.as_str()))
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.insert(name.to_owned(), value);
    }
}

/// What is on its way out: key-value metadata of Parquet, headers of a request.
impl Carrier for Vec<Pair> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| Cow::Borrowed(value.as_str()))
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.retain(|(known, _)| *known != name);
        self.push((name, value));
    }
}

/// What is only looked at, such as the metadata of a file that was read.
impl Carrier for &dyn Fn(&str) -> Option<String> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self(name).map(Cow::Owned)
    }

    /// There is nowhere to put it.
    fn set(&mut self, _: &'static str, _: String) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a header that a proxy has written in another case, or in two pieces.
    #[test]
    fn headers_have_no_case_and_may_be_repeated() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = Headers(vec![pair("TraceState", "a=1"), pair("accept", "*/*"), pair("tracestate", "b=2")]);
        assert_eq!(headers.get("tracestate").as_deref(), Some("a=1,b=2"));
        headers.set("tracestate", "c=3".into());
        assert_eq!(headers.0, [pair("accept", "*/*"), pair("tracestate", "c=3")]);
    }
}
