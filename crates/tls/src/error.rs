//! What can be wrong with certificates, keys and handshakes, in words for who has to mend it.

use rustls::{AlertDescription, CertificateError, Error};

/// Why TLS does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A certificate, key or list of authorities that was given cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// The handshake failed, or the peer sent something that is not TLS.
    #[error("{0}")]
    Protocol(String),
}

impl TlsError {
    pub(crate) fn configuration(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Configuration(format!("{what}: {why}"))
    }
}

impl From<Error> for TlsError {
    fn from(error: Error) -> Self {
        Self::Protocol(explain(&error))
    }
}

/// A failure of rustls, with what to do where that is known.
fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => format!("the peer's certificate is refused: {}", certificate(why)),
        Error::NoCertificatesPresented => {
            "the peer showed no certificate, and this side asks for one (mutual TLS)".to_owned()
        }
        Error::AlertReceived(alert) => format!("the peer ended the handshake: {}", alerted(*alert)),
        Error::InvalidMessage(_) => "the peer does not speak TLS on this port".to_owned(),
        Error::PeerIncompatible(why) => format!("no version or cipher suite in common with the peer ({why:?})"),
        Error::NoApplicationProtocol => "no application protocol in common with the peer (ALPN)".to_owned(),
        other => other.to_string(),
    }
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; renew it, or set the clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; set the clock".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "nobody who is trusted has issued it; give the issuer's certificate as ca".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("{why}; connect by a name that it is for, or set serverName")
        }
        CertificateError::BadSignature => {
            "it was not signed by the authority of that name in ca; is that one another's, or an older one?".to_owned()
        }
        CertificateError::Revoked => "it has been revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not meant for this side of a connection (extended key usage)".to_owned()
        }
        other => other.to_string(),
    }
}

fn alerted(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "it asks for a certificate of this side (mutual TLS); give cert and key".to_owned()
        }
        AlertDescription::UnknownCA => "it does not trust who issued this side's certificate".to_owned(),
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            "it refuses this side's certificate".to_owned()
        }
        AlertDescription::DecryptError => "it refuses this side's signature, or who signed its certificate".to_owned(),
        AlertDescription::CertificateExpired => "this side's certificate has expired; renew it".to_owned(),
        AlertDescription::NoApplicationProtocol => "no application protocol in common (ALPN)".to_owned(),
        AlertDescription::UnrecognisedName => "it has no certificate for the name that was asked for (SNI)".to_owned(),
        AlertDescription::ProtocolVersion => "no version of TLS in common".to_owned(),
        AlertDescription::HandshakeFailure => "no cipher suite in common, or no certificate that fits".to_owned(),
        other => format!("{other:?}"),
    }
}
