//! A look at the frame headers that pass by, for what `h2` does not tell or does not limit: floods of control frames, resets, what a GOAWAY says,
//! and what headers the peer takes.

use std::{
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::Reason;

/// Length of `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.
pub(crate) const PREFACE: usize = 24;
const HEADER: usize = 9;
const WINDOW: Duration = Duration::from_secs(1);
/// PINGs that come too soon and are let pass.
const STRIKES: u32 = 2;
/// How often a peer without calls may send a PING.
const WITHOUT_CALLS: Duration = Duration::from_secs(2 * 3600);
/// More of a GOAWAY's debug data, or of a SETTINGS frame, is not kept.
const PAYLOAD: usize = 1 << 10;
/// Length of a setting: its number and its value.
const SETTING: usize = 6;
/// `SETTINGS_MAX_HEADER_LIST_SIZE`.
const MAX_HEADER_LIST_SIZE: u8 = 6;

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// How much of a kind a peer may send. RFC 9113, 10.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodLimits {
    /// Streams a peer may reset in a second, where that is half of those it opens. Default 500.
    pub resets: u32,
    /// SETTINGS frames in a second, and PING frames while nothing was sent to the peer. Default 100.
    pub control_frames: u32,
    /// A PING sooner than this after the one before it, where nothing was sent to the peer in between, is a strike; the third one ends the
    /// connection, as in grpc-go. Only for servers. Default 5 min; zero for any.
    pub ping_interval: Duration,
    /// May a peer without calls send PINGs as often? Otherwise 2 h must lie between them. Default false.
    pub pings_without_calls: bool,
}

impl Default for FloodLimits {
    fn default() -> Self {
        Self { resets: 500, control_frames: 100, ping_interval: Duration::from_secs(300), pings_without_calls: false }
    }
}

/// The peer has said goodbye. RFC 9113, 6.8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoAway {
    /// Streams above this one were not processed.
    pub last_stream: u32,
    /// Why.
    pub code: u32,
    /// Why, in words; `too_many_pings` for example. The beginning, if it is long.
    pub debug_data: Vec<u8>,
}

impl fmt::Display for GoAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer said goodbye, {:?}", Reason::from(self.code))?;
        if !self.debug_data.is_empty() {
            write!(f, ", {}", String::from_utf8_lossy(&self.debug_data).escape_debug())?;
        }
        Ok(())
    }
}

/// What a scanner objects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flood {
    /// Rapid reset.
    #[error("too_many_resets")]
    Resets,
    /// PING frames.
    #[error("too_many_pings")]
    Pings,
    /// SETTINGS frames.
    #[error("too_many_settings")]
    Settings,
}

/// Follows one direction of a connection, from its first byte, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Scanner {
    limits: FloodLimits,
    /// Bytes to pass over: a preface, a payload.
    skip: usize,
    header: [u8; HEADER],
    have: usize,
    /// The payload that is being gathered, of a GOAWAY or SETTINGS: how much is missing.
    gathering: Option<usize>,
    payload: Vec<u8>,
    window_since: Instant,
    opened: u32,
    resets: u32,
    pings: u32,
    settings_frames: u32,
    last_opened: u32,
    is_of_client: bool,
    last_ping: Option<Instant>,
    strikes: u32,
    /// Does the peer have calls?
    pub(crate) has_calls: bool,
    pub(crate) go_away: Option<GoAway>,
    /// The peer's first SETTINGS have come.
    pub(crate) has_settings: bool,
    /// The most headers the peer takes, if it has said so: names, values and 32 bytes for each. RFC 9113, 6.5.2.
    pub(crate) max_header_list: Option<u32>,
}

impl Scanner {
    /// What a client sends: it begins with the preface.
    pub(crate) fn of_client(limits: FloodLimits, now: Instant) -> Self {
        Self { skip: PREFACE, is_of_client: true, ..Self::of_server(limits, now) }
    }

    /// What a server sends.
    pub(crate) fn of_server(limits: FloodLimits, now: Instant) -> Self {
        Self {
            limits,
            skip: 0,
            header: [0; HEADER],
            have: 0,
            gathering: None,
            payload: Vec::new(),
            window_since: now,
            opened: 0,
            resets: 0,
            pings: 0,
            settings_frames: 0,
            last_opened: 0,
            is_of_client: false,
            last_ping: None,
            strikes: 0,
            has_calls: false,
            go_away: None,
            has_settings: false,
            max_header_list: None,
        }
    }

    /// More bytes.
    ///
    /// # Errors
    /// The peer sends more of a kind than it may.
    pub(crate) fn scan(&mut self, bytes: &Bytes, now: Instant) -> Result<(), Flood> {
        if now.duration_since(self.window_since) >= WINDOW {
            self.window_since = now;
            (self.opened, self.resets, self.pings, self.settings_frames) = (0, 0, 0, 0);
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            if self.skip > 0 {
                let count = self.skip.min(rest.len());
                self.skip -= count;
                rest = &rest[count..];
            } else if let Some(missing) = self.gathering {
                let count = missing.min(rest.len());
                let kept = count.min(PAYLOAD.saturating_sub(self.payload.len()));
                self.payload.extend_from_slice(&rest[..kept]);
                rest = &rest[count..];
                self.gathering = Some(missing - count).filter(|left| *left > 0);
                if self.gathering.is_none() {
                    self.gathered();
                }
            } else if self.have == 0 && rest.len() >= HEADER {
                let (header, behind) = rest.split_at(HEADER);
                rest = behind;
                self.header.copy_from_slice(header);
                self.frame(now)?;
            } else {
                let count = (HEADER - self.have).min(rest.len());
                self.header[self.have..self.have + count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                self.have += count;
                if self.have == HEADER {
                    self.have = 0;
                    self.frame(now)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the payload of the frame whose header came last.
    fn gathered(&mut self) {
        if self.header[3] == GOAWAY {
            return self.goodbye();
        }
        for setting in self.payload.chunks_exact(SETTING) {
            if let [0, MAX_HEADER_LIST_SIZE, a, b, c, d] = *setting {
                self.max_header_list = Some(u32::from_be_bytes([a, b, c, d]));
            }
        }
        self.payload = Vec::new();
    }

    fn gather(&mut self, length: usize) {
        self.skip = 0;
        self.payload.clear();
        self.gathering = Some(length).filter(|length| *length > 0);
        if self.gathering.is_none() {
            self.gathered();
        }
    }

    fn goodbye(&mut self) {
        let word = |at: usize| {
            self.payload.get(at..at + 4).map_or(0, |four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        };
        let (last_stream, code) = (word(0) & (u32::MAX >> 1), word(4));
        let debug_data = self.payload.get(8..).unwrap_or_default().to_vec();
        self.payload = Vec::new();
        self.go_away = Some(GoAway { last_stream, code, debug_data });
    }

    /// Something was sent to the peer, which may be why it sends a PING: implementations of gRPC measure with one how long data take, as often as
    /// they get some.
    pub(crate) fn sent(&mut self) {
        self.last_ping = None;
        (self.strikes, self.pings) = (0, 0);
    }

    fn ping(&mut self, now: Instant) -> Result<(), Flood> {
        self.pings += 1;
        if self.pings > self.limits.control_frames {
            return Err(Flood::Pings);
        }
        if !self.is_of_client || self.limits.ping_interval.is_zero() {
            return Ok(());
        }
        let least = if self.has_calls || self.limits.pings_without_calls {
            self.limits.ping_interval
        } else {
            WITHOUT_CALLS.max(self.limits.ping_interval)
        };
        if self.last_ping.is_some_and(|last| now.duration_since(last) < least) {
            self.strikes += 1;
        }
        self.last_ping = Some(now);
        if self.strikes > STRIKES { Err(Flood::Pings) } else { Ok(()) }
    }

    fn frame(&mut self, now: Instant) -> Result<(), Flood> {
        let [a, b, c, kind, flags, s0, s1, s2, s3] = self.header;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        self.skip = length;
        match kind {
            HEADERS => {
                let stream = u32::from_be_bytes([s0, s1, s2, s3]) & (u32::MAX >> 1);
                if stream > self.last_opened {
                    self.last_opened = stream;
                    self.opened += 1;
                }
            }
            RST_STREAM => {
                self.resets += 1;
                if self.resets > self.limits.resets && self.resets.saturating_mul(2) >= self.opened {
                    return Err(Flood::Resets);
                }
            }
            SETTINGS => {
                self.has_settings = true;
                self.settings_frames += 1;
                if self.settings_frames > self.limits.control_frames {
                    return Err(Flood::Settings);
                }
                self.gather(length);
            }
            PING if flags & ACK == 0 => self.ping(now)?,
            GOAWAY => self.gather(length),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    fn scan(scanner: &mut Scanner, bytes: &[u8], piece: usize, now: Instant) -> Result<(), Flood> {
        bytes.chunks(piece).try_for_each(|piece| scanner.scan(&Bytes::copy_from_slice(piece), now))
    }

    #[test]
    fn a_goodbye_and_settings_are_read_however_they_arrive() {
        let mut bytes = vec![0; PREFACE];
        bytes.extend(frame(SETTINGS, 0, 0, b"\0\x04\0\x10\0\0\0\x06\0\0\x20\0"));
        bytes.extend(frame(GOAWAY, 0, 0, b"\x80\0\0\x07\0\0\0\x0btoo_many_pings"));
        for piece in 1..bytes.len() {
            let now = Instant::now();
            let mut scanner = Scanner::of_client(FloodLimits::default(), now);
            scan(&mut scanner, &bytes, piece, now).unwrap();
            assert!(scanner.has_settings);
            assert_eq!(scanner.max_header_list, Some(8192), "in pieces of {piece}");
            let said = GoAway { last_stream: 7, code: 11, debug_data: b"too_many_pings".to_vec() };
            assert_eq!(scanner.go_away, Some(said), "in pieces of {piece}");
        }
    }

    #[test]
    fn floods_are_noticed_and_ordinary_traffic_is_not() {
        let begin = Instant::now();
        let new = || Scanner::of_server(FloodLimits { resets: 10, control_frames: 5, ..FloodLimits::default() }, begin);
        let (ping, settings) = (frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, b""));
        let call = |n: u32| frame(HEADERS, 5, n * 2 + 1, b"");
        let reset = |n: u32| frame(RST_STREAM, 0, n * 2 + 1, &[0; 4]);

        let mut scanner = new();
        for n in 0..100 {
            scan(&mut scanner, &call(n), 99, begin).unwrap();
        }
        for n in 0..40 {
            scan(&mut scanner, &reset(n), 99, begin).unwrap();
        }
        for _ in 0..5 {
            scan(&mut scanner, &ping, 99, begin).unwrap();
            scan(&mut scanner, &frame(PING, ACK, 0, &[0; 8]), 99, begin).unwrap();
            scan(&mut scanner, &settings, 99, begin).unwrap();
        }
        // In the next second all is forgotten.
        for _ in 0..5 {
            scan(&mut scanner, &ping, 99, begin + WINDOW).unwrap();
        }
        // Whoever gets data may measure how long they take.
        scanner.sent();
        for _ in 0..5 {
            scan(&mut scanner, &ping, 99, begin + WINDOW).unwrap();
        }
        assert_eq!(scan(&mut scanner, &ping, 99, begin + WINDOW), Err(Flood::Pings));

        // A client's PINGs are to be rare where nothing is sent to it.
        let mut scanner = Scanner::of_client(FloodLimits::default(), begin);
        scanner.has_calls = true;
        scan(&mut scanner, &[0; PREFACE], 99, begin).unwrap();
        let minutes = |n: u64| begin + Duration::from_secs(60 * n);
        for n in 0..3 {
            scan(&mut scanner, &ping, 99, minutes(n * 5)).unwrap();
        }
        for n in 0..10 {
            scanner.sent();
            scan(&mut scanner, &ping, 99, minutes(20 + n)).unwrap();
        }
        for n in 0..2 {
            scan(&mut scanner, &ping, 99, minutes(30 + n)).unwrap();
        }
        assert_eq!(scan(&mut scanner, &ping, 99, minutes(32)), Err(Flood::Pings));

        // Unless it may.
        let mut scanner =
            Scanner::of_client(FloodLimits { pings_without_calls: true, ..FloodLimits::default() }, begin);
        scan(&mut scanner, &[0; PREFACE], 99, begin).unwrap();
        for n in 0..10 {
            scan(&mut scanner, &ping, 99, minutes(n * 5)).unwrap();
        }

        assert_eq!(scan(&mut new(), &settings.repeat(6), 99, begin), Err(Flood::Settings));
        let rapid: Vec<u8> = (0..11).flat_map(|n| [call(n), reset(n)].concat()).collect();
        assert_eq!(scan(&mut new(), &rapid, 99, begin), Err(Flood::Resets));
    }
}
