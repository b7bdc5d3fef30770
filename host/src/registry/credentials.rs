//! Who asks a registry: as `docker login` has written it down.

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

use super::RegistryError;

/// What `~/.docker/config.json` (or the one in `$DOCKER_CONFIG`) has for this registry, helpers included; nobody in particular where it
/// has nothing.
pub fn of(registry: &str) -> Result<RegistryAuth, RegistryError> {
    match docker_credential::get_credential(registry) {
        Ok(DockerCredential::UsernamePassword(name, password)) => Ok(RegistryAuth::Basic(name, password)),
        Ok(DockerCredential::IdentityToken(token)) => Ok(RegistryAuth::Bearer(token)),
        Err(
            CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigReadError,
        ) => Ok(RegistryAuth::Anonymous),
        Err(error) => Err(RegistryError::Denied {
            registry: registry.to_owned(),
            why: format!("the credentials in ~/.docker/config.json cannot be used: {error}"),
        }),
    }
}
