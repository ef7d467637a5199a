//! gRPC's calling side, against servers in memory.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use support::{BOTH, CLIENT, Client, DOWN, Got, Isolate, UNARY, UP, framed};
use volo_js_grpc::{
    Encoding, Event, Http2Options, KeepAlive, Reason, StreamKey,
    http::{HeaderMap, HeaderValue, Response},
    response_head, trailers_only,
};
use volo_js_tape::Kind;
use volo_js_transport::{Address, BackoffOptions, ClientOptions, GrpcClientSetup, GrpcOptions, ServerOptions};

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
        Self::set(options, |_| {})
    }

    fn set(options: Http2Options, change: impl FnOnce(&mut GrpcClientSetup)) -> Self {
        let mut isolate = Isolate::new();
        isolate.client(ClientOptions::new(Address::Unix("/nowhere".into())), change);
        Self { isolate, id: 0, server: Client::server(options) }
    }

    /// Streams whose request the server has got whole since it was last asked.
    fn asked(&mut self) -> Vec<StreamKey> {
        let ended = |event| if let Event::End(stream, _) = event { Some(stream) } else { None };
        self.server.events.drain(..).filter_map(ended).collect()
    }

    /// Connects to another server.
    fn connect_anew(&mut self) {
        self.server = Client::server(Http2Options::default());
        self.connect();
    }

    /// The server's GOAWAY, and its end.
    fn go_away(&mut self, reason: Reason, words: &str) -> Vec<Got> {
        let mut frame = (8 + words.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([7, 0, 0, 0, 0, 0]);
        frame.extend((u32::MAX >> 1).to_be_bytes());
        frame.extend(u32::from(reason).to_be_bytes());
        frame.extend(words.as_bytes());
        self.isolate.receive(self.id, frame.into());
        let mut told = self.isolate.told();
        self.isolate.engine.closed(self.id, "reset by peer");
        told.extend(self.isolate.told());
        told
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
    isolate.say(Kind::Headers, &request, None, 0, &[""]);
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
        for stream in lone.asked() {
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
    isolate.say(Kind::Headers, &request, None, 0, &[""]);
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

#[test]
fn calls_beyond_what_the_server_takes_wait_also_where_others_are_given_up() {
    let mut lone = Lone::with(Http2Options { max_concurrent_streams: 2, ..Http2Options::default() });
    let given_up: Vec<Got> = (0..2).map(|n| lone.call(n, UNARY, Some("x"))).collect();
    lone.connect();
    lone.exchange();
    for call in &given_up {
        lone.isolate.say(Kind::Cancel, call, None, 0, &[]);
    }
    for n in 2..6 {
        lone.isolate.call(CLIENT, n, UNARY, Some("y"), 0.0, "");
    }
    lone.isolate.submit();
    let mut answered = Vec::new();
    for _ in 0..10 {
        let told = lone.exchange();
        assert!(told.iter().all(|got| got.kind == Kind::Response), "{told:?}");
        answered.extend(told.iter().map(|got| got.call));
        for stream in lone.asked() {
            lone.server.connection.answer(stream, response_head(HeaderMap::new()), framed("z"), Lone::trailers("0"));
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [2, 3, 4, 5]);
}

#[test]
fn a_client_that_closes_keeps_a_call_that_waits_for_its_connection() {
    let mut lone = Lone::new();
    let call = lone.call(0, UNARY, Some("x"));
    lone.isolate.engine.close_owner(CLIENT, Duration::from_secs(5));
    lone.connect();
    lone.exchange();
    lone.answer("kept");
    let told = lone.exchange();
    assert_eq!((told[0].kind, told[0].call, told[0].text.as_deref()), (Kind::Response, call.call, Some("kept")));
    assert_eq!(kinds(&told[1..]), [Kind::Closed]);
    assert_eq!(lone.isolate.states, [1, 4]);
}

#[test]
fn a_call_of_which_nothing_was_written_is_made_again() {
    let mut lone = Lone::new();
    lone.call(0, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    lone.call(1, UNARY, Some("y"));
    lone.isolate.engine.closed(lone.id, "reset by peer");
    let told = lone.isolate.told();
    assert_eq!((kinds(&told), told[0].call, told[0].first), (vec![Kind::Failure], 0, (14, 1)), "it was written");
    lone.connect_anew();
    lone.exchange();
    lone.answer("again");
    let told = lone.exchange();
    assert_eq!((told[0].kind, told[0].call, told[0].text.as_deref()), (Kind::Response, 1, Some("again")));
}

#[test]
fn what_a_server_says_when_it_goes_reaches_the_callers() {
    let mut lone = Lone::new();
    lone.call(0, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    let told = lone.go_away(Reason::ENHANCE_YOUR_CALM, "not so\nfast");
    assert_eq!((kinds(&told), told[0].first), (vec![Kind::Failure], (14, 1)));
    assert!(told[0].strings[0].ends_with("the peer said goodbye, ENHANCE_YOUR_CALM, not so\\nfast"), "{told:?}");
}

#[test]
fn a_stream_that_was_not_looked_at_is_made_again_with_all_its_messages() {
    let mut lone = Lone::new();
    let call = lone.call(0, UP, None);
    lone.isolate.say(Kind::StreamMessage, &call, Some("1"), 1, &[]);
    lone.isolate.submit();
    lone.connect();
    let mut credit = lone.exchange();
    for (text, flags) in [("2", 0), ("3", 1), ("4", 0)] {
        lone.isolate.say(Kind::StreamMessage, &call, Some(text), flags, &[]);
        lone.isolate.submit();
        credit.extend(lone.exchange());
    }
    assert_eq!(
        credit.iter().map(|got| (got.kind, got.first.0)).collect::<Vec<_>>(),
        [(Kind::Credit, 1), (Kind::Credit, 2)]
    );
    let stream = lone.stream();
    lone.server.events.clear();
    lone.server.connection.reset(stream, Reason::REFUSED_STREAM);
    lone.isolate.say(Kind::StreamMessage, &call, Some("5"), 1, &[]);
    lone.isolate.say(Kind::StreamEnd, &call, None, 0, &["", "", ""]);
    lone.isolate.submit();
    let told = lone.exchange();
    assert_eq!(
        told.iter().map(|got| (got.kind, got.first.0)).collect::<Vec<_>>(),
        [(Kind::Credit, 2)],
        "of the last two"
    );
    let texts: Vec<String> = lone.server.story().into_iter().filter(|line| line.starts_with("message")).collect();
    assert_eq!(texts, ["message 1", "message 2", "message 3", "message 4", "message 5"]);
}

#[test]
fn a_stream_that_has_grown_large_or_has_an_answer_is_not_made_again() {
    for has_answer in [false, true] {
        let mut lone = Lone::new();
        let call = lone.call(0, BOTH, None);
        lone.connect();
        lone.exchange();
        let stream = lone.stream();
        if has_answer {
            lone.server.connection.respond(stream, response_head(HeaderMap::new()), false);
            lone.exchange();
        }
        for _ in 0..if has_answer { 1 } else { 3 } {
            lone.isolate.say(Kind::StreamMessage, &call, Some(&"x".repeat(30_000)), 0, &[]);
            lone.isolate.submit();
            lone.exchange();
        }
        lone.server.connection.reset(stream, Reason::REFUSED_STREAM);
        let told = lone.exchange();
        assert_eq!((kinds(&told), told[0].first.0), (vec![Kind::Failure], 14), "{has_answer}");
    }
}

#[test]
fn headers_come_early_where_they_are_wanted() {
    for wanted in [false, true] {
        let mut lone = Lone::new();
        lone.isolate.call(CLIENT, 0, UNARY, Some("x"), 0.0, "");
        if wanted {
            lone.isolate.with_flags(64);
        }
        lone.isolate.submit();
        lone.connect();
        lone.exchange();
        let stream = lone.stream();
        let mut headers = HeaderMap::new();
        headers.insert("h", HeaderValue::from_static("1"));
        lone.server.connection.respond(stream, response_head(headers), false);
        let told = lone.exchange();
        assert_eq!(kinds(&told), if wanted { vec![Kind::Headers] } else { vec![] });
        lone.server.connection.output(stream).unwrap().extend_from_slice(&framed("y"));
        lone.server.connection.finish(stream, Lone::trailers("0"));
        let told = lone.exchange();
        assert_eq!(kinds(&told), [Kind::Response]);
        assert_eq!(told[0].strings[0], if wanted { "" } else { "h\n1" });
    }
}

#[test]
fn metadata_that_the_server_would_not_take_are_not_sent() {
    let mut lone = Lone::with(Http2Options { max_header_list_size: 4096, ..Http2Options::default() });
    lone.isolate.call(CLIENT, 0, UNARY, Some("x"), 0.0, &format!("long\n{}", "x".repeat(4096)));
    lone.isolate.submit();
    lone.call(1, UNARY, Some("y"));
    lone.connect();
    let told = lone.exchange();
    assert_eq!((kinds(&told), told[0].call, told[0].first), (vec![Kind::Failure], 0, (8, 0)));
    assert!(told[0].strings[0].contains("4096"), "{told:?}");
    lone.answer("fine");
    assert_eq!(kinds(&lone.exchange()), [Kind::Response]);
}

#[test]
fn it_is_told_how_the_client_stands_to_its_server() {
    let ms = Duration::from_millis;
    let mut lone = Lone::set(Http2Options::default(), |setup| {
        setup.backoff = BackoffOptions { initial: ms(50), jitter: 0.0, ..BackoffOptions::default() };
    });
    let told = |lone: &mut Lone| {
        lone.isolate.told();
        std::mem::take(&mut lone.isolate.states)
    };
    assert!(told(&mut lone).is_empty(), "IDLE is where it begins");
    lone.call(0, UNARY, Some("x"));
    assert_eq!(told(&mut lone), [1]);
    let ids = lone.isolate.connecting();
    lone.isolate.engine.closed(ids[0], "refused");
    assert_eq!(told(&mut lone), [3]);
    lone.isolate.pass(ms(49));
    assert!(told(&mut lone).is_empty());
    assert!(lone.isolate.engine.needs_tick());
    lone.isolate.pass(ms(1));
    assert_eq!(told(&mut lone), [0], "no call waits");
    lone.call(1, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    assert_eq!(told(&mut lone), [1, 2]);
    lone.server.connection.shut_down();
    lone.exchange();
    assert_eq!(told(&mut lone), [0], "it takes no more calls");
    lone.call(2, UNARY, Some("x"));
    assert_eq!(told(&mut lone), [1]);
    lone.isolate.engine.close_owner(CLIENT, Duration::ZERO);
    assert_eq!(told(&mut lone), [4]);
}

#[test]
fn a_name_that_stands_for_another_address_takes_waiting_calls_along() {
    let mut lone = Lone::new();
    lone.isolate.call(CLIENT, 0, UNARY, Some("x"), 0.0, "");
    lone.isolate.with_flags(4);
    lone.isolate.submit();
    let ids = lone.isolate.connecting();
    lone.isolate.engine.closed(ids[0], "refused");
    assert!(lone.isolate.told().is_empty());
    lone.isolate.engine.readdress(CLIENT, Address::Unix("/somewhere".into()));
    lone.connect();
    lone.exchange();
    lone.answer("here");
    assert_eq!(kinds(&lone.exchange()), [Kind::Response]);
}

/// A client that sends PINGs after 10 s.
fn careful(without_calls: bool) -> Lone {
    Lone::set(Http2Options::default(), |setup| {
        let (time, timeout) = (Duration::from_secs(10), Duration::from_secs(5));
        setup.options.http2.keep_alive = Some(KeepAlive { time, timeout, without_calls });
    })
}

fn pings(output: &Bytes) -> bool {
    output.len() == 17 && output[3] == 6
}

#[test]
fn a_server_that_is_gone_without_a_word_is_noticed() {
    let mut lone = careful(false);
    lone.call(0, UNARY, Some("x"));
    lone.connect();
    lone.exchange();
    lone.isolate.pass(Duration::from_secs(10));
    let ping = lone.isolate.written(lone.id);
    assert!(pings(&ping), "{ping:?}");
    lone.server.connection.feed(ping, lone.isolate.now);
    assert!(lone.exchange().is_empty(), "it answers");
    lone.isolate.pass(Duration::from_secs(10));
    assert!(pings(&lone.isolate.written(lone.id)));
    // Its answer may lie there unread where nobody has looked.
    lone.isolate.be_away(Duration::from_secs(30));
    assert!(lone.isolate.told().is_empty());
    lone.isolate.pass(Duration::from_secs(5));
    let told = lone.isolate.told();
    assert_eq!((kinds(&told), told[0].first), (vec![Kind::Failure], (14, 1)));
    assert!(told[0].strings[0].contains("keepalive"), "{told:?}");
}

#[test]
fn a_server_that_objects_gets_half_as_many_pings() {
    for (without_calls, objection, seconds) in
        [(false, "too_many_pings", None), (true, "something else", Some(10)), (true, "too_many_pings", Some(20))]
    {
        let mut lone = careful(without_calls);
        lone.call(0, UNARY, Some("x"));
        lone.connect();
        lone.exchange();
        lone.go_away(Reason::ENHANCE_YOUR_CALM, objection);
        lone.call(1, UNARY, Some("y"));
        lone.connect_anew();
        lone.exchange();
        lone.answer("fine");
        lone.exchange();
        let first = (1..=30).find(|_| {
            lone.isolate.pass(Duration::from_secs(1));
            pings(&lone.isolate.written(lone.id))
        });
        assert_eq!(first, seconds, "{objection}, without calls: {without_calls}");
    }
}
