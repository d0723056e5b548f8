//! The simulator's identity under TLS: a certificate for this machine, signed by an authority made for this start
//! only.

use std::error::Error;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::error::SimError;
use crate::options::Http;

/// HTTP/2's name in ALPN (RFC 9113).
pub(crate) const H2: &[u8] = b"h2";
/// HTTP/1.1's name in ALPN (RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";

/// The certificate that the server presents, and what a client needs to trust it.
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    /// The authority's certificate.
    pub(crate) ca_pem: String,
}

impl Identity {
    /// A new authority, and a server certificate signed by it for `127.0.0.1` and `localhost`. The authority's key is
    /// dropped here, so that a client that trusts it trusts only this server.
    pub(crate) fn new(http: Http) -> Result<Self, SimError> {
        Self::signed(http).map_err(|source| SimError::Certificate { source })
    }

    fn signed(http: Http) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut params = named("rowcall simulator's authority", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut params = named("rowcall simulator", &["127.0.0.1", "localhost"])?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python's ssl requires it since 3.13.
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;

        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())?;
        let offered: &[&[u8]] = match http {
            Http::Both => &[H2, HTTP_1_1],
            Http::One => &[HTTP_1_1],
            Http::Two => &[H2],
        };
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        Ok(Self { config: Arc::new(config), ca_pem: authority.pem() })
    }
}

fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
