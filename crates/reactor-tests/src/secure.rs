//! Both sides with TLS over real sockets.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{io::Write, net::TcpStream, sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use volo_js_tape::Kind;
use volo_js_tls::{Certificates, ClientAuth, ClientTls, ClientTlsOptions, Identity, ServerTls, ServerTlsOptions};
use volo_js_transport::{Address, ClientOptions, Mode, ServerOptions};

use crate::{ECHO, Harness, Make, Message, TELL, failure, read_to_end};

const UNAVAILABLE: i32 = 14;

/// Somebody who issues certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn trusted(&self) -> Certificates {
        Certificates::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    fn identity(&self) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    fn server(&self, client_auth: ClientAuth) -> ServerTlsOptions {
        ServerTlsOptions { identity: self.identity(), by_name: Vec::new(), client_auth, alpn: Vec::new() }
    }

    fn client(&self, identity: Option<Identity>) -> ClientTlsOptions {
        ClientTlsOptions { ca: Some(self.trusted()), identity, server_name: "127.0.0.1".to_owned(), alpn: Vec::new() }
    }
}

/// A server and a client; their ids.
fn pair(harness: &mut Harness, server: &ServerTlsOptions, client: &ClientTlsOptions) -> (u32, u32) {
    harness.tls = (Some(Arc::new(ServerTls::new(server).unwrap())), Some(Arc::new(ClientTls::new(client).unwrap())));
    let (server, bound) = harness.listen(ServerOptions::default());
    let options = ClientOptions {
        mode: Mode::Pipelined,
        connect_timeout: Duration::from_secs(10),
        ..ClientOptions::new(Address::Tcp(bound))
    };
    (server, harness.client(options))
}

pub fn a_connection_that_is_asked_for_has_shaken_hands(make: Make) {
    let authority = Authority::named("all");
    let mut harness = Harness::new(make());
    let (_, client) = pair(&mut harness, &authority.server(ClientAuth::None), &authority.client(None));
    harness.connect(client, 1, 1, 1);
    assert_eq!(harness.kind(Kind::Reply).call, 1);
    assert_eq!(harness.client_stats(client).connections, 1);

    let stranger = Authority::named("nobody");
    let mut harness = Harness::new(make());
    let (_, client) = pair(&mut harness, &stranger.server(ClientAuth::None), &authority.client(None));
    harness.connect(client, 1, 1, 1);
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, text) = failure(&messages, 1);
    assert_eq!((code, sent), (UNAVAILABLE, 0));
    assert!(text.contains("TLS"), "{text}");
}

/// Calls Echo and answers it.
fn echo(harness: &mut Harness, client: u32, slot: u32, text: &str) {
    harness.call(client, slot, 1, ECHO, text);
    let call = harness.kind(Kind::Call);
    assert_eq!(call.text, text);
    harness.reply(&call, text);
    harness.send();
    assert_eq!(harness.kind(Kind::Reply).text, text);
}

/// What a call fails with, and what the server's operator hears.
fn refusal(harness: &mut Harness, client: u32) -> (Message, String) {
    harness.call(client, 0, 1, ECHO, "x");
    let mut messages = harness.until(|message| message.kind == Kind::Failure);
    if !messages.iter().any(|message| message.kind == Kind::Event) {
        messages.extend(harness.until(|message| message.kind == Kind::Event));
    }
    let event = messages.iter().find(|message| message.kind == Kind::Event).unwrap().text.clone();
    (messages.into_iter().find(|message| message.kind == Kind::Failure).unwrap(), event)
}

pub fn encrypted_calls_are_answered_small_and_large(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    let (server, client) = pair(&mut harness, &ca.server(ClientAuth::None), &ca.client(None));
    echo(&mut harness, client, 0, "hello");
    for slot in 1..4 {
        echo(&mut harness, client, slot, &"x".repeat(20_000 * slot as usize));
    }
    assert_eq!(harness.client_stats(client).connects, 1);
    let stats = harness.server_stats(server);
    assert_eq!((stats.calls, stats.protocol_errors), (4, 0));
    harness.subject.close_owner(server, Duration::from_secs(5));
    harness.kind(Kind::Closed);
}

pub fn encrypted_oneway_calls_arrive_before_the_client_closes(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    let (_, client) = pair(&mut harness, &ca.server(ClientAuth::None), &ca.client(None));
    harness.call(client, 0, 1, TELL, "news");
    harness.subject.close_owner(client, Duration::from_secs(5));
    assert_eq!(harness.kind(Kind::Call).text, "news");
}

pub fn a_server_that_nobody_vouches_for_is_not_called(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    let client = Authority::named("another").client(None);
    let (server, client) = pair(&mut harness, &ca.server(ClientAuth::None), &client);
    let (failed, event) = refusal(&mut harness, client);
    let (code, sent, _) = failure(std::slice::from_ref(&failed), 0);
    assert_eq!((code, sent), (UNAVAILABLE, 0), "{failed:?}");
    assert!(failed.text.contains("nobody who is trusted has issued it"), "{}", failed.text);
    assert!(event.contains("does not trust who issued"), "{event}");
    assert_eq!(harness.server_stats(server).calls, 0);
}

pub fn a_client_without_the_certificate_that_is_asked_for_is_told_so(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    let (server, stranger) = pair(&mut harness, &ca.server(ClientAuth::Required(ca.trusted())), &ca.client(None));
    let (failed, event) = refusal(&mut harness, stranger);
    assert_eq!(failure(std::slice::from_ref(&failed), 0).0, UNAVAILABLE);
    assert!(failed.text.contains("give cert and key"), "{}", failed.text);
    assert!(event.contains("showed no certificate"), "{event}");
    assert_eq!(harness.server_stats(server).calls, 0);
    let known = ca.client(Some(ca.identity()));
    let (_, client) = pair(&mut harness, &ca.server(ClientAuth::Required(ca.trusted())), &known);
    echo(&mut harness, client, 0, "hello");
}

pub fn a_peer_that_begins_no_handshake_is_dropped(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    harness.tls.0 = Some(Arc::new(ServerTls::new(&ca.server(ClientAuth::None)).unwrap()));
    let options = ServerOptions { frame_timeout: Duration::from_millis(50), ..ServerOptions::default() };
    let (server, bound) = harness.listen(options);
    let _peer = TcpStream::connect(bound).unwrap();
    assert!(harness.kind(Kind::Event).text.contains("handshake was not over after 50ms"));
    assert_eq!(harness.server_stats(server).frame_timeouts, 1);
}

pub fn what_is_no_tls_is_named(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    harness.tls.0 = Some(Arc::new(ServerTls::new(&ca.server(ClientAuth::None)).unwrap()));
    let (_, bound) = harness.listen(ServerOptions::default());
    let mut peer = TcpStream::connect(bound).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(harness.kind(Kind::Event).text.contains("does not speak TLS"));
    // It gets an alert, and then the end.
    harness.settle();
    assert!(!read_to_end(&mut peer).is_empty());
}

pub fn new_certificates_are_for_new_connections(make: Make) {
    let (mut harness, old, new) = (Harness::new(make()), Authority::named("old"), Authority::named("new"));
    let (_, first) = pair(&mut harness, &old.server(ClientAuth::None), &old.client(None));
    let tls = harness.tls.0.clone().unwrap();
    echo(&mut harness, first, 0, "before");
    tls.reload(&new.server(ClientAuth::None)).unwrap();
    echo(&mut harness, first, 1, "an open connection goes on");
    assert_eq!(harness.client_stats(first).connects, 1);
}

pub fn an_encrypted_connection_is_closed_instead_of_handed_over(make: Make) {
    let (mut harness, ca) = (Harness::new(make()), Authority::named("one"));
    let (server, client) = pair(&mut harness, &ca.server(ClientAuth::None), &ca.client(None));
    echo(&mut harness, client, 0, "hello");
    harness.subject.hand_over(server, Duration::from_secs(5));
    let messages = harness.until(|message| message.kind == Kind::Closed);
    assert!(messages.iter().all(|message| message.kind != Kind::Handed), "{messages:?}");
}
