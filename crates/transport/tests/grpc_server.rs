//! gRPC's serving side, with a peer in memory.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bytes::BytesMut;
use support::{BOTH, Client, DOWN, Isolate, UNARY, UP, framed};
use volo_js_grpc::{FloodLimits, Http2Options, KeepAlive, Reason, put_prefix};
use volo_js_tape::Kind;
use volo_js_transport::{Action, GrpcOptions, GrpcServerSetup, ServerOptions, ServerSetup};

fn start() -> (Isolate, u32, Client) {
    start_with(GrpcOptions::default(), ServerOptions::default())
}

fn start_with(options: GrpcOptions, server: ServerOptions) -> (Isolate, u32, Client) {
    let mut isolate = Isolate::new();
    isolate.server(options, server);
    let id = isolate.accept();
    let mut client = Client::new(Http2Options::default());
    assert!(client.exchange(&mut isolate, id).is_empty());
    (isolate, id, client)
}

const HEAD: &str = "head 200 content-type=application/grpc";

#[test]
fn a_unary_call_is_told_and_answered() {
    let (mut isolate, id, mut client) = start();
    client.open(
        Client::head("/test.Texts/Unary").header("grpc-timeout", "2S").header("a", "1").header("b-bin", "AAE"),
        framed("question"),
        true,
    );
    let told = client.exchange(&mut isolate, id);
    let [request] = &told[..] else { panic!("{told:?}") };
    assert_eq!((request.kind, request.method, request.owner), (Kind::Request, UNARY, support::SERVER));
    assert_eq!(request.text.as_deref(), Some("question"));
    assert!((request.timeout - 2000.0).abs() < 1e-9);
    assert_eq!(request.strings[1], "a\n1\nb-bin\nAAE");
    isolate.say(Kind::Response, request, Some("answer"), 0, &["x\n1", "y-bin\nAA"]);
    isolate.submit();
    client.exchange(&mut isolate, id);
    assert_eq!(client.story(), [&format!("{HEAD},x=1"), "message answer", "end grpc-status=0,y-bin=AA"]);
    // A second answer reaches nobody.
    isolate.respond(request, "again");
    client.exchange(&mut isolate, id);
    assert!(client.story().is_empty());
}

#[test]
fn what_is_no_call_is_answered_without_javascript() {
    let mut isolate = Isolate::new();
    let counters = isolate.server(GrpcOptions::default(), ServerOptions::default());
    let id = isolate.accept();
    let mut client = Client::new(Http2Options::default());
    client.exchange(&mut isolate, id);
    let table = [
        (
            Client::head("/test.Texts/Nothing"),
            "head 200 content-type=application/grpc,grpc-message=unknown method /test.Texts/Nothing,grpc-status=12",
        ),
        (
            volo_js_grpc::http::Request::get("http://test/test.Texts/Unary"),
            "head 405 allow=POST,content-type=text/plain",
        ),
        (volo_js_grpc::http::Request::post("http://test/test.Texts/Unary"), "head 415 content-type=text/plain"),
    ];
    for (head, response) in table {
        client.open(head, framed("x"), true);
        assert!(client.exchange(&mut isolate, id).is_empty());
        assert_eq!(client.story()[0], response);
    }
    for (body, status) in [
        (framed("")[..3].to_vec(), "13"),
        (b"\x02\0\0\0\0".to_vec(), "13"),
        (b"\0\x7f\0\0\0".to_vec(), "8"),
        (Vec::new(), "13"),
        (framed("a").repeat(2), "13"),
        (b"\0\0\0\0\x01\x07".to_vec(), "13"),
    ] {
        client.open(Client::head("/test.Texts/Unary"), body.clone().into(), true);
        assert!(client.exchange(&mut isolate, id).is_empty());
        let story = client.story();
        assert!(story[0].ends_with(&format!("grpc-status={status}")), "{body:?}: {story:?}");
    }
    let stats = counters.read();
    assert_eq!((stats.calls, stats.exceptions, stats.in_flight), (9, 9, 0), "what is answered counts as a call, once");
}

#[test]
fn streams_go_both_ways() {
    let (mut isolate, id, mut client) = start();
    let stream = client.open(Client::head("/test.Texts/Both"), framed("one"), false);
    let told = client.exchange(&mut isolate, id);
    let [request, first] = &told[..] else { panic!("{told:?}") };
    assert_eq!((request.kind, request.method, request.text.as_deref()), (Kind::Request, BOTH, None));
    assert_eq!((first.kind, first.text.as_deref()), (Kind::StreamMessage, Some("one")));
    isolate.say(Kind::Headers, request, None, 0, &[""]);
    isolate.submit();
    isolate.say(Kind::StreamMessage, request, Some("eins"), 0, &[]);
    isolate.say(Kind::StreamMessage, request, Some("zwei"), 1, &[]);
    isolate.submit();
    let told = client.exchange(&mut isolate, id);
    assert_eq!(client.story(), [HEAD, "message eins", "message zwei"]);
    assert_eq!((told[0].kind, told[0].first.0), (Kind::Credit, 2));
    client.connection.output(stream).unwrap().extend_from_slice(&framed("two"));
    client.connection.flush(stream);
    client.connection.finish_request(stream);
    let told = client.exchange(&mut isolate, id);
    assert_eq!(
        told.iter().map(|got| (got.kind, got.text.as_deref())).collect::<Vec<_>>(),
        [(Kind::StreamMessage, Some("two")), (Kind::StreamEnd, None)]
    );
    isolate.end(request, 5, "not here: ü", "t\n1");
    client.exchange(&mut isolate, id);
    assert_eq!(client.story(), ["end grpc-message=not here: %C3%BC,grpc-status=5,t=1"]);
}

#[test]
fn a_response_can_be_trailers_only_or_come_before_the_request_has_ended() {
    let (mut isolate, id, mut client) = start();
    client.open(Client::head("/test.Texts/Up"), framed("one"), false);
    let told = client.exchange(&mut isolate, id);
    assert_eq!(told[0].method, UP);
    isolate.end(&told[0], 16, "who are you", "");
    client.exchange(&mut isolate, id);
    let story = client.story();
    assert_eq!(story[0], "head 200 content-type=application/grpc,grpc-message=who are you,grpc-status=16");
    assert_eq!(story[1..], ["end ", "gone Some(0)"]);
    assert_eq!(client.connection.streams(), 0, "the client is told to send no more");
}

#[test]
fn a_reader_that_is_slow_stops_the_sender() {
    let (mut isolate, id, mut client) = start();
    let stream = client.open(Client::head("/test.Texts/Up"), framed("0"), false);
    let mut told = client.exchange(&mut isolate, id);
    let request = told.remove(0);
    for n in 1..1000 {
        client.connection.output(stream).unwrap().extend_from_slice(&framed(&n.to_string()));
        client.connection.flush(stream);
        if n % 10 == 0 {
            told.extend(client.exchange(&mut isolate, id));
        }
    }
    client.connection.finish_request(stream);
    told.extend(client.exchange(&mut isolate, id));
    assert_eq!(told.len(), 64, "two marks of 32");
    let mut all = told.clone();
    let mut unanswered: u32 = told.iter().map(|got| got.first.1).sum();
    assert_eq!(unanswered, 2);
    while unanswered > 0 {
        isolate.credit(&request, 32);
        unanswered -= 1;
        let more = client.exchange(&mut isolate, id);
        unanswered += more.iter().filter(|got| got.kind == Kind::StreamMessage).map(|got| got.first.1).sum::<u32>();
        all.extend(more);
    }
    assert_eq!(all.last().unwrap().kind, Kind::StreamEnd);
    let texts: Vec<String> = all.iter().filter_map(|got| got.text.clone()).collect();
    assert_eq!(texts, (0..1000).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_peer_that_reads_slowly_holds_the_sender_s_credit_back() {
    let mut isolate = Isolate::new();
    isolate.server(GrpcOptions::default(), ServerOptions::default());
    let id = isolate.accept();
    let mut client = Client::new(Http2Options { stream_window: 1 << 16, ..Http2Options::default() });
    client.exchange(&mut isolate, id);
    let stream = client.call("/test.Texts/Down", "go");
    let request = client.exchange(&mut isolate, id).remove(0);
    assert_eq!(request.method, DOWN);
    client.connection.pause(stream, true);
    let long = "x".repeat(40_000);
    for _ in 0..4 {
        isolate.say(Kind::StreamMessage, &request, Some(&long), 1, &[]);
    }
    isolate.submit();
    let told = client.exchange(&mut isolate, id);
    let left =
        |told: &[support::Got]| told.iter().filter(|got| got.kind == Kind::Credit).map(|got| got.first.0).sum::<i32>();
    assert_eq!(left(&told), 2, "one that completes the message at the front, and what the window takes");
    client.connection.pause(stream, false);
    let told = client.exchange(&mut isolate, id);
    assert_eq!(left(&told), 2);
    isolate.end(&request, 0, "", "");
    client.exchange(&mut isolate, id);
    assert_eq!(client.story().len(), 6);
}

#[test]
fn a_reset_a_deadline_and_a_lost_connection_are_told() {
    let (mut isolate, id, mut client) = start();
    let stream = client.call("/test.Texts/Unary", "a");
    let first = client.exchange(&mut isolate, id).remove(0);
    client.connection.reset(stream, Reason::CANCEL);
    let told = client.exchange(&mut isolate, id);
    assert_eq!(told.iter().map(|got| (got.kind, got.call)).collect::<Vec<_>>(), [(Kind::Gone, first.call)]);

    client.open(Client::head("/test.Texts/Unary").header("grpc-timeout", "50m"), framed("b"), true);
    let second = client.exchange(&mut isolate, id).remove(0);
    assert_eq!(isolate.engine.next_deadline(), Some(isolate.now + Duration::from_millis(50)));
    isolate.pass(Duration::from_millis(49));
    assert!(client.exchange(&mut isolate, id).is_empty());
    isolate.pass(Duration::from_millis(1));
    let told = client.exchange(&mut isolate, id);
    assert_eq!(told.iter().map(|got| (got.kind, got.call)).collect::<Vec<_>>(), [(Kind::Gone, second.call)]);
    assert!(client.story()[0].ends_with("grpc-status=4"));
    isolate.respond(&second, "late");
    client.exchange(&mut isolate, id);
    assert!(client.story().is_empty());

    client.call("/test.Texts/Unary", "c");
    let third = client.exchange(&mut isolate, id).remove(0);
    isolate.engine.closed(id, "broken");
    let told = isolate.told();
    assert_eq!(told.iter().map(|got| (got.kind, got.call)).collect::<Vec<_>>(), [(Kind::Gone, third.call)]);
}

#[test]
fn nothing_is_lost_where_the_tape_is_small() {
    let mut isolate = Isolate::with_tape(64, 256);
    isolate.server(GrpcOptions::default(), ServerOptions::default());
    let id = isolate.accept();
    let mut client = Client::new(Http2Options::default());
    client.exchange(&mut isolate, id);
    for n in 0..500 {
        client.call("/test.Texts/Unary", &format!("{n}{}", "y".repeat(n)));
    }
    let told = client.exchange(&mut isolate, id);
    assert_eq!(told.len(), 500);
    for (n, got) in told.iter().enumerate() {
        assert_eq!(got.text.as_ref().unwrap().len(), n.to_string().len() + n);
        isolate.respond(got, "");
    }
    client.exchange(&mut isolate, id);
    assert_eq!(client.story().iter().filter(|line| line.starts_with("end grpc-status=0")).count(), 500);
}

#[test]
fn a_server_that_closes_says_goodbye_and_finishes_what_it_has() {
    let (mut isolate, id, mut client) = start();
    client.call("/test.Texts/Unary", "a");
    let request = client.exchange(&mut isolate, id).remove(0);
    isolate.engine.close_owner(support::SERVER, Duration::from_secs(5));
    let told = client.exchange(&mut isolate, id);
    assert!(told.is_empty(), "{told:?}");
    assert!(client.connection.go_away().is_some());
    isolate.respond(&request, "bye");
    let told = client.exchange(&mut isolate, id);
    assert_eq!(client.story()[1], "message bye");
    let told = [told, client.exchange(&mut isolate, id)].concat();
    assert_eq!(told.iter().map(|got| got.kind).collect::<Vec<_>>(), [Kind::Closed]);
    assert!(!isolate.engine.has_owner(support::SERVER));
}

#[test]
fn calls_beyond_the_limit_are_refused() {
    let (mut isolate, id, mut client) =
        start_with(GrpcOptions::default(), ServerOptions { max_calls: 2, ..ServerOptions::default() });
    for _ in 0..2 {
        client.call("/test.Texts/Unary", "a");
        assert_eq!(client.exchange(&mut isolate, id).len(), 1);
    }
    client.call("/test.Texts/Unary", "a");
    assert!(client.exchange(&mut isolate, id).is_empty());
    assert!(client.story()[0].ends_with("grpc-status=8"));
}

#[test]
fn a_request_that_does_not_complete_ends() {
    let (mut isolate, id, mut client) = start();
    client.open(Client::head("/test.Texts/Unary"), framed("half")[..4].to_vec().into(), false);
    assert!(client.exchange(&mut isolate, id).is_empty());
    isolate.pass(Duration::from_secs(29));
    client.exchange(&mut isolate, id);
    assert!(client.story().is_empty());
    isolate.pass(Duration::from_secs(1));
    assert!(client.exchange(&mut isolate, id).is_empty());
    assert!(client.story()[0].ends_with("grpc-status=4"));
    // One that streams may take its time.
    client.open(Client::head("/test.Texts/Up"), framed("one"), false);
    client.exchange(&mut isolate, id);
    isolate.pass(Duration::from_secs(100));
    client.exchange(&mut isolate, id);
    assert!(client.story().is_empty());
}

#[test]
fn what_streams_hold_counts_in_the_memory_budget() {
    // The budget is the process's: other tests hold something of it, but not so much.
    let server = ServerOptions { memory_budget: 64 << 20, ..ServerOptions::default() };
    let (mut isolate, id, mut client) = start_with(GrpcOptions::default(), server);
    let mut half = vec![0, 0, 0x40, 0, 0];
    half.resize(3 << 20, 7);
    for _ in 0..30 {
        client.open(Client::head("/test.Texts/Unary"), half.clone().into(), false);
    }
    let told = client.exchange(&mut isolate, id);
    assert!(told.iter().any(|got| got.kind == Kind::Event && got.strings[0].contains("memory budget")), "{told:?}");
}

#[test]
fn a_connection_that_is_old_is_told_to_go_and_then_closed() {
    let options = GrpcOptions {
        max_connection_age: Some(Duration::from_secs(100)),
        max_connection_age_grace: Duration::from_secs(10),
        ..GrpcOptions::default()
    };
    let (mut isolate, id, mut client) = start_with(options, ServerOptions::default());
    client.call("/test.Texts/Unary", "a");
    let request = client.exchange(&mut isolate, id).remove(0);
    isolate.pass(Duration::from_secs(89));
    client.exchange(&mut isolate, id);
    assert!(client.connection.go_away().is_none());
    isolate.pass(Duration::from_secs(22));
    client.exchange(&mut isolate, id);
    if client.connection.go_away().is_some() && isolate.engine.owner_of(id).is_some() {
        isolate.pass(Duration::from_secs(10));
    }
    let told = isolate.told();
    assert_eq!(told.iter().map(|got| (got.kind, got.call)).collect::<Vec<_>>(), [(Kind::Gone, request.call)]);
}

#[test]
fn a_peer_that_is_gone_without_a_word_is_noticed() {
    let keep_alive = KeepAlive { time: Duration::from_secs(10), timeout: Duration::from_secs(5), without_calls: false };
    let options = GrpcOptions {
        http2: Http2Options { keep_alive: Some(keep_alive), ..Http2Options::default() },
        ..GrpcOptions::default()
    };
    let (mut isolate, id, mut client) = start_with(options, ServerOptions::default());
    isolate.pass(Duration::from_secs(60));
    assert!(isolate.written(id).is_empty(), "nobody waits for anything");
    client.call("/test.Texts/Unary", "a");
    client.exchange(&mut isolate, id);
    for _ in 0..5 {
        isolate.pass(Duration::from_secs(10));
        assert!(client.exchange(&mut isolate, id).is_empty(), "it answers");
    }
    isolate.pass(Duration::from_secs(10));
    assert_eq!(isolate.written(id).len(), 17, "a PING");
    isolate.pass(Duration::from_secs(5));
    assert_eq!(isolate.told().iter().map(|got| got.kind).collect::<Vec<_>>(), [Kind::Gone]);
}

#[test]
fn answers_that_nobody_takes_count_in_the_memory_budget() {
    let mut isolate = Isolate::new();
    isolate.server(GrpcOptions::default(), ServerOptions { memory_budget: 8 << 20, ..ServerOptions::default() });
    let id = isolate.accept();
    let mut client = Client::new(Http2Options { stream_window: 0, ..Http2Options::default() });
    client.exchange(&mut isolate, id);
    let long = "x".repeat(1 << 20);
    let mut told = Vec::new();
    for _ in 0..20 {
        client.call("/test.Texts/Unary", "a");
        for got in client.exchange(&mut isolate, id) {
            if got.kind == Kind::Request {
                isolate.respond(&got, &long);
            } else {
                told.push(got);
            }
        }
        if isolate.engine.owner_of(id).is_none() {
            break;
        }
    }
    told.extend(isolate.told());
    assert!(told.iter().any(|got| got.strings.iter().any(|text| text.contains("memory budget"))), "{told:?}");
}

#[test]
fn a_server_that_closes_does_not_wait_for_who_says_nothing() {
    let mut isolate = Isolate::new();
    isolate.server(GrpcOptions::default(), ServerOptions::default());
    let [silent, late] = [isolate.accept(), isolate.accept()];
    isolate.written(silent);
    isolate.written(late);
    isolate.engine.close_owner(support::SERVER, Duration::from_secs(30));
    let after = isolate.accept();
    isolate.written(after);
    assert!(isolate.told().is_empty());
    let looks = isolate.actions.iter().filter(|action| matches!(action, Action::Look(_))).count();
    assert_eq!(looks, 3);
    for id in [silent, late, after] {
        isolate.engine.looked(id);
        assert!(isolate.engine.owner_of(id).is_none());
    }
    assert_eq!(isolate.told().iter().map(|got| got.kind).collect::<Vec<_>>(), [Kind::Closed]);
}

#[test]
fn a_call_that_comes_with_the_first_bytes_is_answered_while_the_server_closes() {
    let mut isolate = Isolate::new();
    isolate.server(GrpcOptions::default(), ServerOptions::default());
    let id = isolate.accept();
    let mut client = Client::new(Http2Options::default());
    isolate.engine.close_owner(support::SERVER, Duration::from_secs(30));
    isolate.told();
    assert!(isolate.actions.contains(&Action::Look(id)));
    client.exchange(&mut isolate, id);
    isolate.engine.looked(id);
    assert!(client.connection.go_away().is_some(), "the goodbye waits for the handshake");
    assert!(isolate.told().iter().all(|got| got.kind == Kind::Closed));
    assert!(isolate.engine.owner_of(id).is_none());
}

#[test]
fn a_peer_without_calls_may_send_pings_where_that_is_allowed() {
    let ended = |floods: FloodLimits| {
        let http2 = Http2Options { floods, ..Http2Options::default() };
        let (mut isolate, id, _client) =
            start_with(GrpcOptions { http2, ..GrpcOptions::default() }, ServerOptions::default());
        for _ in 0..10 {
            isolate.pass(Duration::from_secs(301));
            isolate.receive(id, b"\0\0\x08\x06\0\0\0\0\0pingping".to_vec().into());
            isolate.written(id);
            isolate.told();
        }
        isolate.engine.owner_of(id).is_none()
    };
    assert!(ended(FloodLimits::default()));
    assert!(!ended(FloodLimits { pings_without_calls: true, ..FloodLimits::default() }));
    assert!(!ended(FloodLimits { ping_interval: Duration::ZERO, ..FloodLimits::default() }));
    let hour = Duration::from_secs(3600);
    assert!(ended(FloodLimits { ping_interval: hour, pings_without_calls: true, ..FloodLimits::default() }));
}

#[test]
fn an_idle_connection_is_told_to_go() {
    let server = ServerOptions { idle_timeout: Some(Duration::from_secs(60)), ..ServerOptions::default() };
    let (mut isolate, id, mut client) = start_with(GrpcOptions::default(), server);
    client.call("/test.Texts/Unary", "a");
    let request = client.exchange(&mut isolate, id).remove(0);
    isolate.pass(Duration::from_secs(100));
    client.exchange(&mut isolate, id);
    assert!(client.connection.go_away().is_none(), "it has a call");
    isolate.respond(&request, "b");
    client.exchange(&mut isolate, id);
    isolate.pass(Duration::from_secs(60));
    // A call that is on its way is answered.
    client.call("/test.Texts/Unary", "c");
    let request = client.exchange(&mut isolate, id).remove(0);
    assert!(client.connection.go_away().is_some());
    isolate.pass(Duration::from_secs(10));
    isolate.respond(&request, "d");
    client.exchange(&mut isolate, id);
    assert!(client.story().contains(&"message d".to_owned()));
    isolate.told();
    assert!(isolate.engine.owner_of(id).is_none(), "with its last call the connection is over");
}

#[test]
fn a_status_arrives_however_much_goes_with_it() {
    let mut isolate = Isolate::new();
    isolate.server(GrpcOptions::default(), ServerOptions::default());
    let id = isolate.accept();
    let mut client = Client::new(Http2Options { max_header_list_size: 4096, ..Http2Options::default() });
    client.exchange(&mut isolate, id);
    let long = format!("grpc-status-details-bin\n{}", "x".repeat(10_000));
    for method in ["Unary", "Down"] {
        client.call(&format!("/test.Texts/{method}"), "a");
        let request = client.exchange(&mut isolate, id).remove(0);
        if method == "Down" {
            isolate.say(Kind::Headers, &request, None, 0, &[""]);
            isolate.submit();
        }
        isolate.end(&request, 5, "none", &long);
        client.exchange(&mut isolate, id);
        let story = client.story().join("; ");
        assert!(story.contains("grpc-message=none,grpc-status=5"), "{story}");
        assert!(!story.contains("gone"), "{story}");
    }
    client.call("/test.Texts/Unary", "a");
    let request = client.exchange(&mut isolate, id).remove(0);
    isolate.say(Kind::Response, &request, Some("b"), 0, &[&format!("h\n{}", "x".repeat(10_000)), ""]);
    isolate.submit();
    client.exchange(&mut isolate, id);
    let story = client.story().join("; ");
    assert!(story.contains("grpc-status=13") && story.contains("4096"), "{story}");
}

#[test]
fn every_call_is_counted_once_and_so_is_its_end() {
    let mut isolate = Isolate::new();
    let grpc = GrpcServerSetup::new(support::program(), &[0, 1, 2, 3], GrpcOptions::default()).with_health();
    let setup = ServerSetup::of_grpc(grpc, ServerOptions::default());
    let counters = setup.counters.clone();
    isolate.engine.add_server(support::SERVER, setup);
    let id = isolate.accept();
    let mut client = Client::new(Http2Options::default());
    client.exchange(&mut isolate, id);
    let mut expected = 0;
    // Answered, well and not.
    for status in [0, 5] {
        client.call("/test.Texts/Unary", "a");
        let request = client.exchange(&mut isolate, id).remove(0);
        isolate.end(&request, status, "", "");
        expected += 1;
    }
    // Such as JavaScript never sees.
    let mut broken = BytesMut::new();
    put_prefix(&mut broken, false, 2).unwrap();
    broken.extend_from_slice(&[10, 9]);
    let bodies =
        [Vec::new(), framed("a")[..3].to_vec(), framed("a").repeat(2), broken.to_vec(), b"\x07\0\0\0\0".to_vec()];
    for body in bodies {
        client.open(Client::head("/test.Texts/Unary"), body.into(), true);
        assert!(client.exchange(&mut isolate, id).is_empty());
        expected += 1;
    }
    client.call("/test.Texts/Nothing", "a");
    client.open(Client::head("/test.Texts/Unary"), framed("half")[..4].to_vec().into(), false);
    client.exchange(&mut isolate, id);
    isolate.pass(Duration::from_secs(30));
    expected += 2;
    // Reset, and lost with the connection; also where the service is a standard one.
    for path in ["/test.Texts/Up", "/grpc.health.v1.Health/Watch"] {
        for _ in 0..2 {
            let stream = client.open(Client::head(path), framed(""), path.ends_with("Watch"));
            client.exchange(&mut isolate, id);
            expected += 1;
            if expected % 2 == 0 {
                client.connection.reset(stream, Reason::CANCEL);
            }
        }
    }
    client.exchange(&mut isolate, id);
    isolate.engine.closed(id, "broken");
    isolate.told();
    let stats = counters.read();
    assert_eq!(stats.calls, expected);
    assert_eq!(stats.in_flight, 0);
    assert_eq!(stats.replies + stats.exceptions + stats.abandoned, stats.calls, "{stats:?}");
    assert_eq!((stats.replies, stats.abandoned), (1, 4));
}

#[test]
fn what_came_while_the_thread_was_away_is_not_late() {
    let frame_timeout = Duration::from_secs(1);
    let mut isolate = Isolate::new();
    let counters = isolate.server(GrpcOptions::default(), ServerOptions { frame_timeout, ..ServerOptions::default() });
    let id = isolate.accept();
    // Its greeting may lie there unread where nobody has looked, and so may the rest of its request.
    isolate.be_away(Duration::from_secs(5));
    let mut client = Client::new(Http2Options::default());
    client.exchange(&mut isolate, id);
    let message = framed("question");
    let stream = client.open(Client::head("/test.Texts/Unary"), message.slice(..7), false);
    assert!(client.exchange(&mut isolate, id).is_empty());
    isolate.be_away(Duration::from_secs(5));
    client.connection.output(stream).unwrap().extend_from_slice(&message[7..]);
    client.connection.flush(stream);
    client.connection.finish_request(stream);
    let told = client.exchange(&mut isolate, id);
    assert_eq!(told[0].text.as_deref(), Some("question"), "{told:?}");
    assert_eq!(counters.read().frame_timeouts, 0);
    // Where somebody has looked, both are late.
    client.open(Client::head("/test.Texts/Unary"), message.slice(..7), false);
    assert!(client.exchange(&mut isolate, id).is_empty());
    isolate.accept();
    isolate.pass(frame_timeout);
    client.exchange(&mut isolate, id);
    assert!(client.story()[0].contains("grpc-status=4"));
    assert_eq!(counters.read().frame_timeouts, 2);
}
