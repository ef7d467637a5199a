//! The serving side.

use std::sync::{Arc, RwLock};

use rustls::{
    ServerConfig, ServerConnection,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
};

use crate::{Certificates, Identity, Session, TlsError, credentials::provider};

/// Whether clients show certificates.
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// They are not asked.
    None,
    /// They are asked, and those who have none may come in.
    Optional(Certificates),
    /// Only who shows one of these authorities' comes in: mutual TLS.
    Required(Certificates),
}

/// What a server with TLS is made of.
#[derive(Debug, Clone)]
pub struct ServerTlsOptions {
    /// Its certificate and key.
    pub identity: Identity,
    /// Others, for clients that ask for these names (SNI). `*.example.com` is for all names with one more part.
    pub by_name: Vec<(String, Identity)>,
    /// Certificates of clients.
    pub client_auth: ClientAuth,
    /// Application protocols in the order of preference (ALPN), `h2` for example. None: whatever the client asks for is ignored.
    pub alpn: Vec<Vec<u8>>,
}

/// A server's TLS. It is shared by all threads, and may be replaced while connections are open: they go on as they began.
#[derive(Debug)]
pub struct ServerTls(RwLock<Arc<ServerConfig>>);

impl ServerTls {
    /// Checks and prepares the options.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn new(options: &ServerTlsOptions) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(config(options)?)))
    }

    /// Connections that come from now on get these certificates. On an error all is as before.
    ///
    /// # Errors
    /// What does not fit together.
    ///
    /// # Panics
    /// Never: nothing panics while the lock is held.
    pub fn reload(&self, options: &ServerTlsOptions) -> Result<(), TlsError> {
        let fresh = config(options)?;
        *self.0.write().expect("nobody panics with it") = fresh;
        Ok(())
    }

    /// One connection.
    ///
    /// # Errors
    /// None that is known of; rustls may refuse.
    ///
    /// # Panics
    /// Never, as above.
    pub fn accept(&self) -> Result<Session, TlsError> {
        let config = self.0.read().expect("nobody panics with it").clone();
        Ok(Session::new(ServerConnection::new(config)?.into()))
    }
}

fn config(options: &ServerTlsOptions) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |error: rustls::Error| TlsError::Configuration(error.to_string());
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(wrong)?;
    let verifier = |ca: &Certificates| WebPkiClientVerifier::builder_with_provider(ca.0.clone(), provider());
    let refused = |error| TlsError::configuration("ca", error);
    let builder = match &options.client_auth {
        ClientAuth::None => builder.with_no_client_auth(),
        ClientAuth::Optional(ca) => {
            builder.with_client_cert_verifier(verifier(ca).allow_unauthenticated().build().map_err(refused)?)
        }
        ClientAuth::Required(ca) => builder.with_client_cert_verifier(verifier(ca).build().map_err(refused)?),
    };
    let by_name = options.by_name.iter().map(|(name, identity)| (name.to_ascii_lowercase(), identity.0.clone()));
    let resolver = ByName { default: options.identity.0.clone(), by_name: by_name.collect() };
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols.clone_from(&options.alpn);
    Ok(Arc::new(config))
}

/// Chooses a certificate by the name a client asks for.
#[derive(Debug)]
struct ByName {
    default: Arc<CertifiedKey>,
    by_name: Vec<(String, Arc<CertifiedKey>)>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        let wildcard = asked.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        let fits = |name: &str| name == asked || Some(name) == wildcard.as_deref();
        let found = self.by_name.iter().find(|(name, _)| fits(name)).map(|(_, key)| key);
        Some(found.unwrap_or(&self.default).clone())
    }
}
