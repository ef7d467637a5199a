"""Gives back what it gets: the service of tests/fixtures/everything.thrift."""

import os
import signal
import socket
import threading

from thrift.server.TServer import TThreadedServer
from thrift.transport.TSocket import TServerSocket

import wire

options = wire.parser(__doc__).parse_args()
wire.generated(options.generated)

from everything import Everything  # noqa: E402  (generated code, found through --generated)
from everything.ttypes import Color, Denied, NotFound, Scalars  # noqa: E402


class Echo(Everything.Iface):
    def __init__(self):
        self.notified = 0
        self.lock = threading.Lock()

    def Ping(self, text):
        return text

    def EchoAll(self, all):
        return all

    def EchoNested(self, nested):
        return nested

    def EchoKeys(self, keys):
        return keys

    def EchoDefaults(self, defaults):
        return defaults

    def EchoTree(self, tree):
        return tree

    def EchoUnion(self, choice):
        return choice

    def EchoAwkward(self, awkward):
        return awkward

    def EchoScalars(self, a, b, c, d, e, f, g, h, i, j):
        return Scalars(a, b, c, d, e, f, g, h, i, j, at=f, colour=j)

    def EchoBinary(self, data):
        return data

    def EchoList(self, texts):
        return texts

    def EchoMap(self, routes):
        return routes

    def EchoSet(self, numbers):
        return numbers

    def EchoEnum(self, color):
        return color

    def Not(self, flag):
        return not flag

    def Add(self, a, b):
        return a + b

    def Half(self, value):
        return value / 2

    def toString(self, text):
        return text

    def Fail(self, kind):
        if kind == 1:
            raise NotFound(what="kind 1", id=1)
        if kind == 2:
            raise Denied(reason="kind 2", color=Color.RED, needed=["a", "b"])
        if kind == 3:
            raise RuntimeError("kind 3")
        return f"kind {kind}"

    def Check(self, kind):
        if kind == 1:
            raise NotFound(what="kind 1")

    def Nothing(self):
        pass

    def Notify(self, event):
        with self.lock:
            self.notified += 1

    def Count(self):
        return self.notified


class Listener(TServerSocket):
    """Says where it listens, once it does."""

    def listen(self):
        super().listen()
        host, port = self.handle.getsockname()[:2]
        print(f"listening on {host}:{port}", flush=True)

    def accept(self):
        client = super().accept()
        client.handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client


# Connections that are still open would keep the threads, and so the process, alive.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
transport = wire.TRANSPORTS[options.transport]()
protocol = wire.PROTOCOLS[options.protocol]()
TThreadedServer(
    Everything.Processor(Echo()), Listener(wire.HOST, options.port), transport, protocol, daemon=True
).serve()
