//! gRPC's calling side, against servers in memory.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use support::{BOTH, CLIENT, Client, DOWN, Got, Isolate, UNARY, UP, framed};
use volo_js_grpc::{
    Encoding, Event, Http2Options, Reason, StreamKey,
    http::{HeaderMap, HeaderValue, Response},
    response_head, trailers_only,
};
use volo_js_tape::Kind;
use volo_js_transport::{Address, ClientOptions, GrpcOptions, ServerOptions};

/// A client and a server in one engine.
fn both() -> Isolate {
    let mut isolate = Isolate::new();
    isolate.server(GrpcOptions::default(), ServerOptions::default());
    isolate.engine.listen_memory(support::SERVER, "here").unwrap();
    isolate.client(ClientOptions::new(Address::Memory("here".to_owned())), |_| {});
    isolate
}

/// A client whose connection the test answers.
struct Lone {
    isolate: Isolate,
    id: u32,
    server: Client,
}

impl Lone {
    fn new() -> Self {
        Self::with(Http2Options::default())
    }

    fn with(options: Http2Options) -> Self {
        let mut isolate = Isolate::new();
        isolate.client(ClientOptions::new(Address::Unix("/nowhere".into())), |_| {});
        Self { isolate, id: 0, server: Client::server(options) }
    }

    fn call(&mut self, call: u32, method: u32, text: Option<&str>) -> Got {
        let got = self.isolate.call(CLIENT, call, method, text, 0.0, "");
        self.isolate.submit();
        got
    }

    fn connect(&mut self) {
        let ids = self.isolate.connecting();
        assert_eq!(ids.len(), 1);
        self.id = ids[0];
        self.isolate.engine.connected(self.id);
    }

    fn exchange(&mut self) -> Vec<Got> {
        self.server.exchange(&mut self.isolate, self.id)
    }

    /// The stream of the last request.
    fn stream(&self) -> StreamKey {
        let stream = self.server.events.iter().rev().find_map(|event| match event {
            Event::Request(stream, _) => Some(*stream),
            _ => None,
        });
        stream.unwrap()
    }

    fn trailers(status: &'static str) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(status));
        trailers
    }

    fn answer(&mut self, text: &str) {
        let stream = self.stream();
        self.server.connection.answer(stream, response_head(HeaderMap::new()), framed(text), Self::trailers("0"));
    }
}

fn kinds(told: &[Got]) -> Vec<Kind> {
    told.iter().map(|got| got.kind).collect()
}

#[test]
fn a_unary_call_goes_there_and_back() {
    let mut isolate = both();
    let call = isolate.call(CLIENT, 0, UNARY, Some("question"), 1500.0, "a\n1");
    isolate.submit();
    let told = isolate.told();
    let [request] = &told[..] else { panic!("{told:?}") };
    assert_eq!(request.text.as_deref(), Some("question"));
    assert!((request.timeout - 1500.0).abs() < 1e-9);
    assert!(request.strings[1].starts_with("a\n1") || request.strings[1].contains("\na\n1"), "{:?}", request.strings);
    isolate.say(Kind::Response, request, Some("answer"), 0, &["h\n1", "t\n2"]);
    isolate.submit();
    let told = isolate.told();
    let [response] = &told[..] else { panic!("{told:?}") };
    assert_eq!((response.kind, response.call, response.owner), (Kind::Response, call.call, CLIENT));
    assert_eq!(response.text.as_deref(), Some("answer"));
    assert_eq!(response.strings, ["h\n1", "t\n2"]);
}

#[test]
fn a_status_comes_with_its_message_and_metadata() {
    let mut isolate = both();
    isolate.call(CLIENT, 0, UNARY, Some("question"), 0.0, "");
    isolate.submit();
    let request = isolate.told().remove(0);
    isolate.end(&request, 7, "not for you: \u{fc}", "why\nbecause");
    let told = isolate.told();
    assert_eq!(kinds(&told), [Kind::StreamEnd]);
    assert_eq!(told[0].first.0, 7);
    assert_eq!(told[0].strings, ["not for you: \u{fc}", "why\nbecause", ""]);
}

#[test]
fn streams_go_both_ways() {
    let mut isolate = both();
    let call = isolate.call(CLIENT, 3, BOTH, None, 0.0, "");
    isolate.say(Kind::StreamMessage, &call, Some("one"), 0, &[]);
    isolate.submit();
    let told = isolate.told();
    assert_eq!(kinds(&told), [Kind::Request, Kind::StreamMessage]);
    let request = told[0].clone();
    isolate.say(Kind::StreamMessage, &call, Some("two"), 1, &[]);
    isolate.say(Kind::StreamEnd, &call, None, 0, &["", "", ""]);
    isolate.submit();
    let told = isolate.told();
    let mut sorted = kinds(&told);
    sorted.sort_by_key(|kind| *kind as i32);
    assert_eq!(sorted, [Kind::StreamMessage, Kind::StreamEnd, Kind::Credit]);
    let credit = told.iter().find(|got| got.kind == Kind::Credit).unwrap();
    assert_eq!((credit.owner, credit.first.0), (CLIENT, 2));
    isolate.say(Kind::Headers, &request, None, 0, &[]);
    isolate.say(Kind::StreamMessage, &request, Some("eins"), 0, &[]);
    isolate.submit();
    let told = isolate.told();
    assert_eq!(kinds(&told), [Kind::Headers, Kind::StreamMessage]);
    assert_eq!(told[1].text.as_deref(), Some("eins"));
    isolate.end(&request, 0, "", "t\n1");
    let told = isolate.told();
    assert_eq!(kinds(&told), [Kind::StreamEnd]);
    assert_eq!((told[0].first.0, &told[0].strings[1][..]), (0, "t\n1"));
}

#[test]
fn a_slow_reader_stops_the_server() {
    let mut isolate = both();
    let call = isolate.call(CLIENT, 0, DOWN, Some("go"), 0.0, "");
    isolate.submit();
    let request = isolate.told().remove(0);
    for n in 0..500 {
        isolate.say(Kind::StreamMessage, &request, Some(&n.to_string()), 0, &[]);
    }
    isolate.submit();
    isolate.end(&request, 0, "", "");
    let mut told = isolate.told();
    assert_eq!(told.len(), 65, "the headers and two marks of 32");
    for _ in 0..20 {
        isolate.credit(&call, 32);
        told.extend(isolate.told());
    }
    let texts: Vec<String> = told.iter().filter_map(|got| got.text.clone()).collect();
    assert_eq!(texts, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(told.last().unwrap().kind, Kind::StreamEnd);
}

#[test]
fn a_call_that_is_given_up_is_gone_at_the_server() {
    let mut isolate = both();
    let call = isolate.call(CLIENT, 0, UP, None, 0.0, "");
    isolate.submit();
    let request = isolate.told().remove(0);
    isolate.say(Kind::Cancel, &call, None, 0, &[]);
    isolate.submit();
    let told = isolate.told();
    assert_eq!(kinds(&told), [Kind::Gone]);
    assert_eq!(told[0].call, request.call);
}

#[test]
fn calls_wait_for_the_server_s_settings_and_for_room() {
    let mut lone = Lone::with(Http2Options { max_concurrent_streams: 2, ..Http2Options::default() });
    for n in 0..5 {
        lone.call(n, UNARY, Some("x"));
    }
    lone.connect();
    assert!(lone.exchange().is_empty());
    let requests = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Request(..))).count();
    assert_eq!(requests(&lone.server.events), 2);
    let mut answered = 0;
    for _ in 0..10 {
        let streams: Vec<StreamKey> = lone
            .server
            .events
            .drain(..)
            .filter_map(|event| match event {
                Event::End(stream, _) => Some(stream),
                _ => None,
            })
            .collect();
        for stream in streams {
            lone.server.connection.answer(stream, response_head(HeaderMap::new()), framed("y"), Lone::trailers("0"));
        }
        let told = lone.exchange();
        assert!(told.iter().all(|got| got.kind == Kind::Response), "{told:?}");
        answered += told.len();
    }
    assert_eq!(answered, 5);
}

#[test]
fn what_is_no_response_of_grpc_is_a_failure() {
    let respond = |head: Response<()>, trailers: Option<HeaderMap>| {
        let mut lone = Lone::new();
        lone.call(0, UNARY, Some("x"));
        lone.connect();
        lone.exchange();
        let stream = lone.stream();
        match trailers {
            None => {
                lone.server.connection.respond(stream, head, true);
            }
            Some(trailers) => {
                lone.server.connection.respond(stream, head, false);
                lone.server.connection.finish(stream, trailers);
            }
        }
        let told = lone.exchange();
        assert_eq!(told.len(), 1, "{told:?}");
        (told[0].kind, told[0].first.0, told[0].strings[0].clone())
    };
    let http = |status: u16| Response::builder().status(status).body(()).unwrap();
    assert_eq!(respond(http(404), None), (Kind::Failure, 12, "the server answered with HTTP status 404".to_owned()));
    assert_eq!(respond(http(503), None).1, 14);
    assert_eq!(respond(http(200), None).1, 2);
    assert_eq!(respond(response_head(HeaderMap::new()), None).1, 13, "no status");
    let (kind, status, _) = respond(trailers_only(5, "none", HeaderMap::new()), None);
    assert_eq!((kind, status), (Kind::StreamEnd, 5));
    let (kind, status, _) = respond(response_head(HeaderMap::new()), Some(Lone::trailers("0")));
    assert_eq!((kind, status), (Kind::Failure, 13), "no message");
}

#[test]
fn a_stream_that_was_not_looked_at_is_tried_once_more() {
    let mut lone = Lone::new();
    let call = lone.call(0, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    let stream = lone.stream();
    lone.server.connection.reset(stream, Reason::REFUSED_STREAM);
    assert!(lone.exchange().is_empty());
    lone.answer("second");
    let told = lone.exchange();
    assert_eq!((told[0].kind, told[0].call, told[0].text.as_deref()), (Kind::Response, call.call, Some("second")));

    lone.call(1, UNARY, Some("y"));
    for _ in 0..2 {
        assert!(lone.exchange().is_empty());
        let stream = lone.stream();
        lone.server.connection.reset(stream, Reason::REFUSED_STREAM);
    }
    let told = lone.exchange();
    assert_eq!((told[0].kind, told[0].first), (Kind::Failure, (14, 0)));

    lone.call(2, UNARY, Some("z"));
    lone.exchange();
    let stream = lone.stream();
    lone.server.connection.reset(stream, Reason::INTERNAL_ERROR);
    let told = lone.exchange();
    assert_eq!((told[0].kind, told[0].first), (Kind::Failure, (13, 1)), "it may have been processed");
}

#[test]
fn after_a_goodbye_calls_go_to_another_connection() {
    let mut lone = Lone::new();
    lone.call(0, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    lone.server.connection.shut_down();
    assert!(lone.exchange().is_empty());
    lone.call(1, UNARY, Some("y"));
    let first = lone.id;
    let mut old = std::mem::replace(&mut lone.server, Client::server(Http2Options::default()));
    lone.connect();
    assert_ne!(lone.id, first);
    lone.exchange();
    lone.answer("new");
    assert_eq!(lone.exchange()[0].call, 1);
    let stream = old.events.iter().find_map(|event| match event {
        Event::End(stream, _) => Some(*stream),
        _ => None,
    });
    old.connection.answer(stream.unwrap(), response_head(HeaderMap::new()), framed("old"), Lone::trailers("0"));
    let told = old.exchange(&mut lone.isolate, first);
    assert_eq!((told[0].call, told[0].text.as_deref()), (0, Some("old")));
}

#[test]
fn calls_fail_while_there_is_no_connection_unless_they_wait() {
    let mut lone = Lone::new();
    lone.call(0, UNARY, Some("x"));
    let patient = lone.isolate.call(CLIENT, 1, UNARY, Some("y"), 0.0, "");
    lone.isolate.with_flags(4);
    lone.isolate.submit();
    let ids = lone.isolate.connecting();
    lone.isolate.engine.closed(ids[0], "connection refused");
    let told = lone.isolate.told();
    assert_eq!(
        (kinds(&told), told[0].call, told[0].first, &told[0].strings[0][..]),
        (vec![Kind::Failure], 0, (14, 0), "connection refused")
    );
    lone.call(2, UNARY, Some("z"));
    assert_eq!(lone.isolate.told()[0].call, 2, "at once, for the last attempt has just failed");
    assert!(lone.isolate.engine.needs_tick());
    assert!(lone.isolate.connecting().is_empty());
    lone.isolate.pass(Duration::from_millis(1500));
    lone.connect();
    lone.exchange();
    lone.answer("at last");
    let told = lone.exchange();
    assert_eq!((told[0].kind, told[0].call), (Kind::Response, patient.call));
}

#[test]
fn a_lost_connection_fails_its_calls_and_the_next_call_makes_another() {
    let mut lone = Lone::new();
    lone.call(0, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    lone.isolate.engine.closed(lone.id, "reset by peer");
    let told = lone.isolate.told();
    assert_eq!((kinds(&told), told[0].first), (vec![Kind::Failure], (14, 1)));
    lone.call(1, UNARY, Some("y"));
    lone.server = Client::server(Http2Options::default());
    lone.connect();
    lone.exchange();
    lone.answer("y");
    assert_eq!(lone.exchange()[0].call, 1);
}

#[test]
fn messages_are_compressed_both_ways_where_that_is_wanted() {
    for encoding in Encoding::ALL {
        let mut isolate = Isolate::new();
        let options = GrpcOptions { encoding: Some(encoding), ..GrpcOptions::default() };
        let counters = isolate.server(options.clone(), ServerOptions::default());
        isolate.engine.listen_memory(support::SERVER, "here").unwrap();
        let answers =
            isolate.client(ClientOptions::new(Address::Memory("here".to_owned())), |setup| setup.options = options);
        let long = "long ".repeat(10_000);
        let call = isolate.call(CLIENT, 0, BOTH, Some(&long), 0.0, "");
        isolate.say(Kind::StreamMessage, &call, Some(&long), 2, &[]);
        isolate.submit();
        let told = isolate.told();
        let texts = told.iter().filter(|got| got.kind == Kind::StreamMessage).map(|got| got.text.as_deref());
        assert_eq!(texts.collect::<Vec<_>>(), [Some(&long[..]), Some(&long[..])]);
        let read = counters.read().bytes_read;
        assert!((50_000..60_000).contains(&read), "one of the two is compressed: {read}");
        let written = answers.read().bytes_read;
        isolate.say(Kind::StreamMessage, &told[0], Some(&long), 0, &[]);
        isolate.submit();
        let back = isolate.told();
        assert_eq!(back.iter().find_map(|got| got.text.as_deref()), Some(&long[..]));
        assert!((1..1000).contains(&(answers.read().bytes_read - written)));
    }
}

#[test]
fn large_streams_pass_both_ways_at_once() {
    const COUNT: usize = 40;
    let mut isolate = both();
    let text = |n: usize| format!("{n}:{}", "z".repeat(150_000));
    let call = isolate.call(CLIENT, 0, BOTH, None, 0.0, "");
    isolate.submit();
    let request = isolate.told().remove(0);
    isolate.say(Kind::Headers, &request, None, 0, &[]);
    isolate.submit();
    // Each side sends on where it is told that what it sent has left, and uses up what it gets.
    let (mut sent, mut free, mut got) = ([0; 2], [2; 2], [Vec::new(), Vec::new()]);
    for _ in 0..10_000 {
        for (side, to) in [&call, &request].into_iter().enumerate() {
            while free[side] > 0 && sent[side] < COUNT {
                isolate.say(Kind::StreamMessage, to, Some(&text(sent[side])), 1, &[]);
                isolate.submit();
                sent[side] += 1;
                free[side] -= 1;
            }
        }
        for message in isolate.told() {
            let side = usize::from(message.owner == support::SERVER);
            match message.kind {
                Kind::Credit => free[side] += message.first.0 as usize,
                Kind::StreamMessage => {
                    got[side].push(message.text.clone().unwrap());
                    assert_eq!(message.first.1, 1, "large messages are marked one by one");
                    isolate.credit(if side == 0 { &call } else { &request }, 1);
                }
                _ => {}
            }
        }
        if got.iter().all(|got| got.len() == COUNT) {
            break;
        }
    }
    for got in got {
        assert_eq!(got.len(), COUNT);
        assert!(got.iter().enumerate().all(|(n, got)| *got == text(n)));
    }
}
