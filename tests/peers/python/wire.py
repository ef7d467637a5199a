"""Options, transports and protocols, the same for the server and the client."""

import argparse
import sys

from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory
from thrift.protocol.TJSONProtocol import TJSONProtocolFactory
from thrift.transport.TTransport import TBufferedTransportFactory, TFramedTransportFactory

HOST = "127.0.0.1"

TRANSPORTS = {"framed": TFramedTransportFactory, "buffered": TBufferedTransportFactory}

PROTOCOLS = {
    # The accelerated one is C and falls back to Python; the library has it for binary and compact. Compact is left to
    # Python, so that both implementations of the library are met.
    "binary": lambda: TBinaryProtocolAcceleratedFactory(),
    "compact": lambda: TCompactProtocolFactory(),
    "json": lambda: TJSONProtocolFactory(),
}


def parser(description):
    """Options that both sides take."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--generated", required=True, help="folder with the code that thrift --gen py made")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--transport", choices=TRANSPORTS, default="framed")
    options.add_argument("--protocol", choices=PROTOCOLS, default="binary")
    return options


def generated(folder):
    """Makes the generated packages importable."""
    sys.path.insert(0, folder)
