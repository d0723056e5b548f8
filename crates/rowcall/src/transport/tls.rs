//! The certificate authorities that vouch for an `https://` server: the system's, and those that the user adds.

use std::path::Path;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Problem;
use crate::hint::{Hint, Setting};

/// TLS that trusts the system's authorities (or those in `SSL_CERT_FILE`, as OpenSSL reads it) and the ones in this PEM file.
///
/// # Errors
/// If the file has no certificate, or there is no authority to trust at all.
pub(super) fn trusting(own: Option<&Path>) -> Result<ClientConfig, Problem> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = own {
        let unusable = |reason: String| {
            let message = format!("the certificate file `{}` cannot be used: {reason}", path.display());
            let hint = Hint::from("give ").with(Setting::CaCert);
            Problem::new(message).hint(hint.with(" a PEM file with certificates of authorities"))
        };
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unusable(error.to_string()))?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(unusable("it contains no certificate".to_owned()));
        }
    }
    if roots.is_empty() {
        let message = "the system's root certificates cannot be read, so no `https://` server can be trusted";
        let hint =
            Hint::from("install the system's certificates (Debian: `ca-certificates`) or give some with ");
        return Err(Problem::new(message).hint(hint.with(Setting::CaCert)));
    }
    Ok(with(roots))
}

/// Whether `error` says that the server's certificate is not valid or that nobody vouches for it. TLS errors come
/// within I/O errors.
pub(super) fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => error.get_ref().is_some_and(|inner| is_untrusted(inner)),
        None => matches!(
            error.downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
        ),
    }
}

/// TLS for plain HTTP servers: it rejects every certificate.
pub(super) fn trusting_none() -> ClientConfig {
    with(RootCertStore::empty())
}

/// A connector that uses TLS for `https://` servers, with HTTP/2 if they offer it, and plain HTTP for others.
pub(super) fn connector<C>(tls: &ClientConfig, inner: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(inner)
}

fn with(roots: RootCertStore) -> ClientConfig {
    // The crypto provider is passed in; installing it for the whole process is up to the application.
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|error| unreachable!("ring supports the default protocol versions: {error}"))
        .with_root_certificates(roots)
        .with_no_client_auth()
}
