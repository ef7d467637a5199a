"""Frames of HTTP/2 by hand: a connection that says whatever it is told to, and remembers what it was answered."""

import socket
import struct
import threading
import time

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# RFC 9113, section 7.
ERRORS = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
]


def name_of(code):
    return ERRORS[code] if code < len(ERRORS) else str(code)


class Ended(Exception):
    """The server has ended the connection, or takes nothing any more."""


class Connection:
    """One connection. A thread of its own reads what the server says, unless `reads` is False."""

    def __init__(self, host, port, path, settings=None, reads=True, patience=5.0):
        self.path = path
        self.host = host
        self.encoder = Encoder()
        self.goaway = None
        self.goaway_text = ""
        self.resets = {}
        self.acks = 0
        self.headers = {}
        self.data = 0
        self.closed = None
        self.sent = 0
        self.frames = 0
        # What the server lets this side send.
        self.window = 65535
        self.stream_window = {}
        self.initial_window = 65535
        self.max_frame = 16384
        self.settings_seen = threading.Event()
        self.changed = threading.Condition()
        self.socket = socket.create_connection((host, port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.raw(PREFACE)
        self.send(SettingsFrame(0, settings=settings or {}))
        self.reader = None
        if reads:
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()
            if not self.settings_seen.wait(patience):
                raise Ended("no SETTINGS came")

    # ---- sending ----

    def raw(self, data):
        if self.closed is not None:
            raise Ended(self.closed)
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise Ended("the server takes nothing any more") from None
        except OSError as error:
            # The reader may be about to see why.
            time.sleep(0.2)
            raise Ended(self.closed or type(error).__name__) from None
        self.sent += len(data)

    def send(self, *frames):
        self.raw(b"".join(frame.serialize() for frame in frames))
        self.frames += len(frames)

    def request_headers(self, more=()):
        return [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", self.path),
            (":authority", self.host),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *more,
        ]

    def headers_frame(self, stream, more=(), end=False):
        frame = HeadersFrame(stream, data=self.encoder.encode(self.request_headers(more)))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        self.stream_window.setdefault(stream, self.initial_window)
        return frame

    def call(self, stream, message, more=(), flag=0):
        """A whole unary request, in one go; `message` must fit the windows."""
        body = struct.pack(">BI", flag, len(message)) + message
        data = DataFrame(stream, data=body)
        data.flags.add("END_STREAM")
        self.send(self.headers_frame(stream, more), data)

    def body(self, stream, chunks, patience=10.0):
        """Sends a body as the server's windows let it; gives the number of bytes that got away."""
        sent = 0
        for chunk in chunks:
            while chunk:
                with self.changed:
                    room = lambda: min(self.window, self.stream_window.get(stream, 0), self.max_frame)
                    over = lambda: self.closed is not None or stream in self.resets or stream in self.headers_end()
                    if not self.changed.wait_for(lambda: room() > 0 or over(), patience):
                        return sent, "the server opens no window"
                    if over():
                        return sent, "the server has answered"
                    step = min(room(), len(chunk))
                    self.window -= step
                    self.stream_window[stream] -= step
                self.send(DataFrame(stream, data=chunk[:step]))
                chunk = chunk[step:]
                sent += step
        return sent, "all was sent"

    def headers_end(self):
        return {stream for stream, headers in self.headers.items() if "grpc-status" in headers}

    # ---- reading ----

    def wait(self, ready, patience=10.0):
        with self.changed:
            return self.changed.wait_for(lambda: ready() or self.closed is not None, patience)

    def _read(self):
        decoder = Decoder()
        buffer = bytearray()
        try:
            while True:
                try:
                    chunk = self.socket.recv(65536)
                except TimeoutError:
                    continue
                if not chunk:
                    self._end("closed")
                    return
                buffer += chunk
                while len(buffer) >= 9:
                    frame, length = Frame.parse_frame_header(memoryview(bytes(buffer[:9])))
                    if len(buffer) < 9 + length:
                        break
                    frame.parse_body(memoryview(bytes(buffer[9 : 9 + length])))
                    del buffer[: 9 + length]
                    with self.changed:
                        self._take(frame, decoder)
                        self.changed.notify_all()
        except OSError as error:
            self._end("reset" if isinstance(error, ConnectionResetError) else type(error).__name__)

    def _end(self, how):
        with self.changed:
            self.closed = how
            self.changed.notify_all()

    def _take(self, frame, decoder):
        if isinstance(frame, GoAwayFrame):
            self.goaway = name_of(frame.error_code)
            self.goaway_text = frame.additional_data.decode("latin-1")
        elif isinstance(frame, RstStreamFrame):
            self.resets[frame.stream_id] = name_of(frame.error_code)
        elif isinstance(frame, SettingsFrame):
            if "ACK" in frame.flags:
                self.acks += 1
                return
            window = frame.settings.get(SettingsFrame.INITIAL_WINDOW_SIZE)
            if window is not None:
                self.initial_window = window
            self.max_frame = frame.settings.get(SettingsFrame.MAX_FRAME_SIZE, self.max_frame)
            ack = SettingsFrame(0)
            ack.flags.add("ACK")
            try:
                self.socket.sendall(ack.serialize())
            except OSError:
                # The server has gone; what it said before may still be there to read.
                pass
            # Only now: between HEADERS and CONTINUATION an acknowledgement would be the client's mistake.
            self.settings_seen.set()
        elif isinstance(frame, PingFrame):
            if "ACK" in frame.flags:
                self.acks += 1
        elif isinstance(frame, WindowUpdateFrame):
            if frame.stream_id == 0:
                self.window += frame.window_increment
            else:
                self.stream_window[frame.stream_id] = self.stream_window.get(frame.stream_id, 0) + frame.window_increment
        elif isinstance(frame, HeadersFrame):
            fields = {name: value for name, value in decoder.decode(bytes(frame.data))}
            self.headers.setdefault(frame.stream_id, {}).update(fields)
        elif isinstance(frame, DataFrame):
            self.data += len(frame.data)

    def status(self, stream):
        return self.headers.get(stream, {}).get("grpc-status")

    def close(self):
        self.socket.close()
