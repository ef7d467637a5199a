//! Certificates and keys, from PEM.

use std::sync::Arc;

use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use crate::TlsError;

/// What signs and encrypts.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Who this side is: a certificate, with those that lead to its issuer, and its key.
#[derive(Debug, Clone)]
pub struct Identity(pub(crate) Arc<CertifiedKey>);

impl Identity {
    /// Reads PEM. The first certificate is this side's own; the key may be PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    /// If there is none, if one cannot be read, or if they do not belong together.
    pub fn from_pem(cert: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(cert, "cert")?;
        if contains(key, b"ENCRYPTED") {
            return Err(TlsError::configuration("key", "it is encrypted; give it without a passphrase"));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TlsError::configuration("key", format!("no private key in PEM form ({error})")))?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::configuration("key", "it does not belong to cert"),
            other => TlsError::configuration("cert and key", other),
        })?;
        Ok(Self(Arc::new(certified)))
    }
}

/// Authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Certificates(pub(crate) Arc<RootCertStore>);

impl Certificates {
    /// Reads PEM with any number of certificates.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn from_pem(ca: &[u8]) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(ca, "ca")? {
            store.add(certificate).map_err(|error| TlsError::configuration("ca", error))?;
        }
        Ok(Self(Arc::new(store)))
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::configuration(what, format!("not PEM ({error})")))?;
    if all.is_empty() {
        return Err(TlsError::configuration(what, "no certificate in PEM form (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(all)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
