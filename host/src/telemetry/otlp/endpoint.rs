//! Endpoints as messages may name them.

use reqwest::Url;

/// A URL without what may be secret in it: user, password, query and fragment. What has none of them is shown as it was written.
pub fn shown(text: &str) -> String {
    if !text.contains(['@', '?', '#']) {
        return text.to_owned();
    }
    match Url::parse(text) {
        Ok(mut url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        // Nobody knows where a secret begins in what is no URL.
        _ => ["http", "https"]
            .into_iter()
            .find(|scheme| text.starts_with(&format!("{scheme}://")))
            .map_or_else(|| "…".to_owned(), |scheme| format!("{scheme}://…")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against credentials in logs and on terminals.
    #[test]
    fn an_endpoint_is_shown_without_its_secrets() {
        for (endpoint, told) in [
            ("http://user:secret@127.0.0.1:1/x?token=secret", "http://127.0.0.1:1/x"),
            ("https://secret@host/x#secret", "https://host/x"),
            ("http://localhost:4318", "http://localhost:4318"),
            ("http://user:se/cret@host", "http://…"),
            ("user:secret@host:4317", "…"),
            ("collector", "collector"),
        ] {
            assert_eq!(shown(endpoint), told);
        }
    }
}
