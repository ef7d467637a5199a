//! The calling side.

use std::sync::{Arc, RwLock};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};

use crate::{Certificates, Identity, Session, TlsError, credentials::provider};

/// What a client with TLS is made of.
#[derive(Debug, Clone)]
pub struct ClientTlsOptions {
    /// Whom it trusts. None: it trusts everybody, so that anybody between can read and change all; for tests.
    pub ca: Option<Certificates>,
    /// Who it is, for servers that ask (mutual TLS).
    pub identity: Option<Identity>,
    /// The name that the server's certificate has to be for, and that is asked for (SNI): a host name or an IP address.
    pub server_name: String,
    /// Application protocols in the order of preference (ALPN).
    pub alpn: Vec<Vec<u8>>,
}

/// A client's TLS, shared by all of its connections. It may be replaced while some are open: they go on as they began.
#[derive(Debug)]
pub struct ClientTls(RwLock<(Arc<ClientConfig>, ServerName<'static>)>);

impl ClientTls {
    /// Checks and prepares the options.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn new(options: &ClientTlsOptions) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(config(options)?)))
    }

    /// Connections that are made from now on use these. On an error all is as before.
    ///
    /// # Errors
    /// What does not fit together.
    ///
    /// # Panics
    /// Never: nothing panics while the lock is held.
    pub fn reload(&self, options: &ClientTlsOptions) -> Result<(), TlsError> {
        let fresh = config(options)?;
        *self.0.write().expect("nobody panics with it") = fresh;
        Ok(())
    }

    /// One connection. It has something to send at once: the client speaks first.
    ///
    /// # Errors
    /// None that is known of; rustls may refuse.
    ///
    /// # Panics
    /// Never, as above.
    pub fn connect(&self) -> Result<Session, TlsError> {
        let (config, name) = self.0.read().expect("nobody panics with it").clone();
        Ok(Session::new(ClientConnection::new(config, name)?.into()))
    }
}

fn config(options: &ClientTlsOptions) -> Result<(Arc<ClientConfig>, ServerName<'static>), TlsError> {
    let wrong = |error: rustls::Error| TlsError::Configuration(error.to_string());
    let name = ServerName::try_from(options.server_name.clone()).map_err(|_| {
        TlsError::configuration("serverName", format!("{:?} is no host name or IP address", options.server_name))
    })?;
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(wrong)?;
    let builder = match &options.ca {
        Some(ca) => builder.with_root_certificates(ca.0.clone()),
        None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider()))),
    };
    let mut config = match &options.identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(Always(identity.0.clone()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols.clone_from(&options.alpn);
    Ok((Arc::new(config), name))
}

/// Shows the one certificate there is, whoever asks.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Trusts whoever has the key of the certificate they show.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
