//! TLS as JavaScript gives and sees it. See `NativeServerTls` and its kin in `js/core/addon.ts`.

use std::sync::Arc;

use napi::{Error, bindgen_prelude::Uint8Array};
use napi_derive::napi;
use volo_js_tls::{
    Certificates, ClientAuth, ClientTls, ClientTlsOptions, Identity, ServerTls, ServerTlsOptions, Summary, TlsError,
};

use crate::core::coded;

/// A certificate and its key, in PEM form, for one name.
#[napi(object)]
pub struct NativeNamedIdentity {
    pub name: String,
    pub cert: String,
    pub key: String,
}

/// A server's TLS.
#[napi(object)]
pub struct NativeServerTls {
    pub cert: String,
    pub key: String,
    pub ca: Option<String>,
    pub client_certificate: String,
    pub by_name: Vec<NativeNamedIdentity>,
}

/// A client's TLS.
#[napi(object)]
pub struct NativeClientTls {
    pub ca: Option<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
    pub server_name: String,
}

/// What was agreed on with a peer.
#[napi(object)]
pub struct NativePeerTls {
    pub version: String,
    pub cipher: String,
    pub alpn: Option<String>,
    pub server_name: Option<String>,
    /// DER.
    pub certificate: Option<Uint8Array>,
}

impl From<Summary> for NativePeerTls {
    fn from(summary: Summary) -> Self {
        Self {
            version: summary.version.replacen('_', ".", 1),
            cipher: summary.cipher,
            alpn: summary.alpn.map(|name| String::from_utf8_lossy(&name).into_owned()),
            server_name: summary.server_name,
            certificate: summary.peer_certificate.map(Into::into),
        }
    }
}

/// The TLS of a server or client that can be given other certificates, with its application protocols.
pub(crate) enum KnownTls {
    Server(Arc<ServerTls>, bool),
    Client(Arc<ClientTls>, bool),
}

fn wrong(error: &TlsError) -> Error<String> {
    coded("ERR_TLS", error.to_string())
}

/// Application protocols: HTTP/2 where gRPC is spoken.
fn alpn(grpc: bool) -> Vec<Vec<u8>> {
    if grpc { vec![b"h2".to_vec()] } else { Vec::new() }
}

impl NativeServerTls {
    fn options(&self, grpc: bool) -> Result<ServerTlsOptions, TlsError> {
        let by_name = self.by_name.iter().map(|NativeNamedIdentity { name, cert, key }| {
            let identity = Identity::from_pem(cert.as_bytes(), key.as_bytes());
            let in_words = |error| TlsError::Configuration(format!("byName {name:?}: {error}"));
            identity.map(|identity| (name.clone(), identity)).map_err(in_words)
        });
        let authorities = || match &self.ca {
            Some(ca) => Certificates::from_pem(ca.as_bytes()),
            None => Err(TlsError::Configuration(
                "ca: certificates of clients are asked for; give the authorities that issue them".to_owned(),
            )),
        };
        Ok(ServerTlsOptions {
            identity: Identity::from_pem(self.cert.as_bytes(), self.key.as_bytes())?,
            by_name: by_name.collect::<Result<_, TlsError>>()?,
            client_auth: match self.client_certificate.as_str() {
                "required" => ClientAuth::Required(authorities()?),
                "optional" => ClientAuth::Optional(authorities()?),
                _ => ClientAuth::None,
            },
            alpn: alpn(grpc),
        })
    }

    pub(crate) fn make(&self, grpc: bool) -> Result<Arc<ServerTls>, Error<String>> {
        let made = self.options(grpc).and_then(|options| ServerTls::new(&options));
        made.map(Arc::new).map_err(|error| wrong(&error))
    }

    pub(crate) fn replace(&self, tls: &ServerTls, grpc: bool) -> Result<(), Error<String>> {
        self.options(grpc).and_then(|options| tls.reload(&options)).map_err(|error| wrong(&error))
    }
}

impl NativeClientTls {
    fn options(&self, grpc: bool) -> Result<ClientTlsOptions, TlsError> {
        let identity = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some(Identity::from_pem(cert.as_bytes(), key.as_bytes())?),
            (None, None) => None,
            _ => return Err(TlsError::Configuration("cert and key: give both, or neither".to_owned())),
        };
        Ok(ClientTlsOptions {
            ca: self.ca.as_ref().map(|ca| Certificates::from_pem(ca.as_bytes())).transpose()?,
            identity,
            server_name: self.server_name.clone(),
            alpn: alpn(grpc),
        })
    }

    pub(crate) fn make(&self, grpc: bool) -> Result<Arc<ClientTls>, Error<String>> {
        let made = self.options(grpc).and_then(|options| ClientTls::new(&options));
        made.map(Arc::new).map_err(|error| wrong(&error))
    }

    pub(crate) fn replace(&self, tls: &ClientTls, grpc: bool) -> Result<(), Error<String>> {
        self.options(grpc).and_then(|options| tls.reload(&options)).map_err(|error| wrong(&error))
    }
}
