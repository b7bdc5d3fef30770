//! The HTTP client of everything that telemetry sends.

use std::time::Duration;

use reqwest::{Client, ClientBuilder};

/// A client that waits for so long. Without `tls` it cannot speak any: then there is nothing to verify, and a machine without
/// certificates of its own must not stop us.
pub fn client(timeout: Duration, tls: bool) -> ClientBuilder {
    // Whoever installed a provider before us is right, too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(timeout);
    if tls { client } else { client.tls_certs_only([]) }
}
