//! Handshakes in memory, with certificates made for the occasion.

// In a test, and its helpers, `unwrap` is an assertion.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::BytesMut;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use volo_js_tls::{
    Certificates, ClientAuth, ClientTls, ClientTlsOptions, Identity, ServerTls, ServerTlsOptions, Session, TlsError,
};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Each of another name: one of the same name would be taken for a forger.
        let name = format!("Authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn trusted(&self) -> Certificates {
        Certificates::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| ())
    }
}

fn server(identity: Identity) -> ServerTlsOptions {
    ServerTlsOptions { identity, by_name: vec![], client_auth: ClientAuth::None, alpn: vec![b"h2".to_vec()] }
}

fn client(ca: Certificates, name: &str) -> ClientTlsOptions {
    ClientTlsOptions { ca: Some(ca), identity: None, server_name: name.to_owned(), alpn: vec![b"h2".to_vec()] }
}

/// Authorities made so far.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Both ends, each with what it has received.
struct Pair {
    client: Session,
    server: Session,
    at_client: BytesMut,
    at_server: BytesMut,
}

impl Pair {
    fn new(server: &ServerTlsOptions, client: &ClientTlsOptions) -> Self {
        Self {
            client: ClientTls::new(client).unwrap().connect().unwrap(),
            server: ServerTls::new(server).unwrap().accept().unwrap(),
            at_client: BytesMut::new(),
            at_server: BytesMut::new(),
        }
    }

    /// Carries bytes back and forth, `step` at a time, until nobody has any. What fails is told, the client's error first.
    fn run(&mut self, step: usize) -> Result<(), TlsError> {
        let mut failed = None;
        for _ in 0..20 {
            let mut wire = BytesMut::new();
            self.client.take(&mut wire).unwrap();
            for part in wire.chunks(step) {
                if let Err(error) = self.server.receive(part, &mut self.at_server) {
                    failed.get_or_insert(error);
                }
            }
            let mut wire = BytesMut::new();
            self.server.take(&mut wire).unwrap();
            for part in wire.chunks(step) {
                self.client.receive(part, &mut self.at_client)?;
            }
            if !self.client.has_output() && !self.server.has_output() {
                break;
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// What a handshake fails with; a server that refuses is heard of by the client.
fn refusal(server: &ServerTlsOptions, client: &ClientTlsOptions) -> String {
    Pair::new(server, client).run(usize::MAX).expect_err("the handshake fails").to_string()
}

#[test]
fn what_is_sent_arrives_however_it_is_cut() {
    let ca = Authority::new();
    for step in [1, 7, 1000, usize::MAX] {
        let mut pair = Pair::new(&server(ca.issue(&["shop.test"])), &client(ca.trusted(), "shop.test"));
        // Before the handshake is over it waits.
        pair.client.send(b"early ").unwrap();
        pair.run(step).unwrap();
        assert!(pair.client.is_established() && pair.server.is_established());
        let large = vec![7; 100_000];
        pair.client.send(&large).unwrap();
        pair.server.send(b"answer").unwrap();
        pair.run(step).unwrap();
        assert_eq!(pair.at_server.len(), 6 + large.len());
        assert_eq!(&pair.at_server[..6], b"early ");
        assert_eq!(&pair.at_client[..], b"answer");
        let summary = pair.server.summary();
        assert_eq!(summary.version, "TLSv1_3");
        assert_eq!(summary.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(summary.server_name.as_deref(), Some("shop.test"));
    }
}

#[test]
fn the_end_of_one_side_is_told_to_the_other() {
    let ca = Authority::new();
    let mut pair = Pair::new(&server(ca.issue(&["shop.test"])), &client(ca.trusted(), "shop.test"));
    pair.run(usize::MAX).unwrap();
    pair.client.close();
    let mut wire = BytesMut::new();
    pair.client.take(&mut wire).unwrap();
    assert!(pair.server.receive(&wire, &mut pair.at_server).unwrap().ended);
}

#[test]
fn a_refused_certificate_is_named() {
    let ca = Authority::new();
    let trusted = || ca.trusted();
    let cases = [
        (Authority::new().issue(&["shop.test"]), "shop.test", "nobody who is trusted has issued it"),
        (ca.issue(&["other.test"]), "shop.test", "other.test"),
        (
            ca.issue_with(&["shop.test"], |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1)),
            "shop.test",
            "it has expired",
        ),
        (
            ca.issue_with(&["shop.test"], |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1)),
            "shop.test",
            "it is not valid yet",
        ),
        (
            ca.issue_with(&["shop.test"], |params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
            "shop.test",
            "not meant for this side",
        ),
    ];
    for (identity, name, told) in cases {
        let text = refusal(&server(identity), &client(trusted(), name));
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn clients_can_be_asked_for_certificates() {
    let ca = Authority::new();
    let with = |client_auth| ServerTlsOptions { client_auth, ..server(ca.issue(&["shop.test"])) };
    let nobody = client(ca.trusted(), "shop.test");
    let known = ClientTlsOptions { identity: Some(ca.issue(&["me"])), ..nobody.clone() };
    let unknown = ClientTlsOptions { identity: Some(Authority::new().issue(&["me"])), ..nobody.clone() };

    let mut pair = Pair::new(&with(ClientAuth::Required(ca.trusted())), &known);
    pair.run(usize::MAX).unwrap();
    assert!(pair.server.summary().peer_certificate.is_some());

    let text = refusal(&with(ClientAuth::Required(ca.trusted())), &nobody);
    assert!(text.contains("certificate"), "{text}");
    let text = refusal(&with(ClientAuth::Required(ca.trusted())), &unknown);
    assert!(text.contains("trust"), "{text}");

    let mut pair = Pair::new(&with(ClientAuth::Optional(ca.trusted())), &nobody);
    pair.run(usize::MAX).unwrap();
    assert_eq!(pair.server.summary().peer_certificate, None);
}

#[test]
fn who_trusts_everybody_takes_any_certificate() {
    let anybody = ClientTlsOptions { ca: None, ..client(Authority::new().trusted(), "shop.test") };
    Pair::new(&server(Authority::new().issue(&["x.test"])), &anybody).run(usize::MAX).unwrap();
}

#[test]
fn names_choose_certificates() {
    let ca = Authority::new();
    let mut options = server(ca.issue(&["shop.test"]));
    options.by_name = vec![
        ("Other.test".to_owned(), ca.issue(&["other.test"])),
        ("*.many.test".to_owned(), ca.issue(&["*.many.test"])),
    ];
    for name in ["shop.test", "other.test", "a.many.test"] {
        Pair::new(&options, &client(ca.trusted(), name)).run(usize::MAX).unwrap();
    }
    let text = refusal(&options, &client(ca.trusted(), "a.b.many.test"));
    assert!(text.contains("serverName"), "{text}");
}

#[test]
fn certificates_change_while_connections_are_open() {
    let (old, new) = (Authority::new(), Authority::new());
    let tls = ServerTls::new(&server(old.issue(&["shop.test"]))).unwrap();
    let open = |ca: &Authority| {
        let mut pair = Pair::new(&server(ca.issue(&["shop.test"])), &client(ca.trusted(), "shop.test"));
        pair.server = tls.accept().unwrap();
        pair
    };
    let mut before = open(&old);
    before.run(usize::MAX).unwrap();
    tls.reload(&server(new.issue(&["shop.test"]))).unwrap();
    open(&new).run(usize::MAX).unwrap();
    open(&old).run(usize::MAX).expect_err("the old authority's certificate is gone");
    before.client.send(b"still there").unwrap();
    before.run(usize::MAX).unwrap();
    assert_eq!(&before.at_server[..], b"still there");
}

#[test]
fn what_is_no_tls_is_told_so() {
    let ca = Authority::new();
    let mut session = ServerTls::new(&server(ca.issue(&["shop.test"]))).unwrap().accept().unwrap();
    let error = session.receive(b"GET / HTTP/1.1\r\n\r\n", &mut BytesMut::new()).unwrap_err();
    assert_eq!(error, TlsError::Protocol("the peer does not speak TLS on this port".to_owned()));
}

#[test]
fn wrong_files_are_told_by_their_option() {
    let ca = Authority::new();
    let key = KeyPair::generate().unwrap().serialize_pem();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let cert = params.signed_by(&KeyPair::from_pem(&key).unwrap(), &ca.0).unwrap().pem();
    let told = |cert: &str, key: &str| Identity::from_pem(cert.as_bytes(), key.as_bytes()).unwrap_err().to_string();
    assert_eq!(told(&cert, &other), "key: it does not belong to cert");
    assert!(told("nothing", &key).starts_with("cert: no certificate in PEM form"));
    assert!(told(&cert, "nothing").starts_with("key: no private key in PEM form"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(told(&cert, encrypted), "key: it is encrypted; give it without a passphrase");
    assert!(Certificates::from_pem(b"").unwrap_err().to_string().starts_with("ca: no certificate"));
    let wrong = ClientTlsOptions { server_name: "not a name".to_owned(), ..client(ca.trusted(), "x") };
    assert_eq!(
        ClientTls::new(&wrong).unwrap_err().to_string(),
        "serverName: \"not a name\" is no host name or IP address"
    );
}
