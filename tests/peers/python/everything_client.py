"""Calls every method of tests/fixtures/everything.thrift with many values and compares what comes back."""

import math
import random
import sys
import time

from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket

import wire

# Keys of other types than strings and numbers, the keys `__proto__` and `hasOwnProperty` in a map, infinite and undefined
# doubles, the sign of a zero.
SKIPPABLE = {"keys", "proto", "infinity", "zero"}

options = wire.parser(__doc__)
options.add_argument("--rounds", type=int, default=50)
options.add_argument("--seed", type=int, default=1)
options.add_argument("--skip", default="", help="what the peer cannot do: " + ", ".join(sorted(SKIPPABLE)))
options = options.parse_args()
skip = set(filter(None, options.skip.split(",")))
if skip - SKIPPABLE:
    sys.exit(f"--skip does not take {', '.join(skip - SKIPPABLE)}")
wire.generated(options.generated)

from everything import Everything  # noqa: E402  (generated code, found through --generated)
from everything.ttypes import Color, Denied, NotFound, Point, Scalars  # noqa: E402
from samples import Samples  # noqa: E402

# Echo methods: the generated class that describes the arguments names their types.
ECHOES = [
    "Ping", "EchoAll", "EchoNested", "EchoKeys", "EchoDefaults", "EchoTree", "EchoUnion", "EchoAwkward", "EchoBinary",
    "EchoList", "EchoMap", "EchoSet", "EchoEnum", "toString",
]  # fmt: skip


class Wrong(Exception):
    """The peer answered something else than what was sent."""


class Checks:
    def __init__(self, client):
        self.client = client
        self.calls = 0

    def call(self, name, *arguments):
        self.calls += 1
        return getattr(self.client, name)(*arguments)

    def same(self, expected, name, *arguments):
        got = self.call(name, *arguments)
        if got != expected or type(got) is not type(expected):
            raise Wrong(f"{name} changed the value\n expected {expected!r}\n      got {got!r}")

    def raises(self, expected, name, *arguments):
        try:
            got = self.call(name, *arguments)
        except type(expected) as error:
            if not isinstance(expected, TApplicationException) and error != expected:
                raise Wrong(f"{name} raised {error!r}, not {expected!r}") from error
        else:
            raise Wrong(f"{name} returned {got!r} and should have raised {expected!r}")

    def echoes(self, seed):
        """Every echo method once, with random values."""
        samples = Samples(random.Random(seed), infinity="infinity" not in skip)
        for name in ECHOES:
            if name == "EchoKeys" and "keys" in skip:
                continue
            arguments = getattr(Everything, f"{name}_args", None) or Ping_args
            (field,) = [field for field in arguments.thrift_spec if field]
            value = samples.value(field[1], field[3])
            self.same(value, name, value)
        s = samples.struct(Scalars)
        s.at, s.colour = s.long_number, s.color
        given = [s.flag, s.tiny, s.small, s.short_number, s.number, s.long_number, s.fraction, s.text, s.data, s.color]
        self.same(s, "EchoScalars", *given)

    def fixed(self):
        """Values worth naming."""
        self.same(False, "Not", True)
        self.same(True, "Not", False)
        for a, b in [(2**63 - 1, 0), (-(2**63), 0), (2**53, 1), (-(2**53), -1), (2**32, 2**31)]:
            self.same(a + b, "Add", a, b)
        for value in [-0.0, 1e308, 1e-323]:
            self.same(value / 2, "Half", value)
        if "zero" not in skip and math.copysign(1, self.call("Half", -0.0)) != -1:
            raise Wrong("Half lost the sign of zero")
        if "infinity" not in skip:
            self.same(math.inf, "Half", math.inf)
            if not math.isnan(self.call("Half", math.nan)):
                raise Wrong("Half of NaN is not NaN")
        self.same(None, "Nothing")
        large = bytes(n * 7 % 256 for n in range(3_000_000))
        self.same(large, "EchoBinary", large)
        texts = [f"text {n} ü" for n in range(50_000)]
        self.same(texts, "EchoList", texts)
        self.same(set(range(-5000, 25_000, 3)), "EchoSet", set(range(-5000, 25_000, 3)))
        names = ["constructor", "toString", "", "1", "01", "-1", "length"]
        routes = {name: [Point(1, -1)] for name in names + ([] if "proto" in skip else ["__proto__", "hasOwnProperty"])}
        self.same(routes, "EchoMap", routes)

    def exceptions(self):
        self.same("kind 0", "Fail", 0)
        self.raises(NotFound(what="kind 1", id=1), "Fail", 1)
        self.raises(Denied(reason="kind 2", color=Color.RED, needed=["a", "b"]), "Fail", 2)
        self.raises(TApplicationException(), "Fail", 3)
        self.same("still there", "Ping", "still there")
        self.same(None, "Check", 0)
        self.raises(NotFound(what="kind 1"), "Check", 1)

    def oneway(self):
        before = self.call("Count")
        for n in range(3):
            self.call("Notify", f"event {n}")
        # Nothing tells when a oneway call has been handled.
        until = time.monotonic() + 2
        while self.call("Count") != before + 3:
            if time.monotonic() > until:
                raise Wrong("three Notify calls were not counted within two seconds")
            time.sleep(0.02)


from everything.Base import Ping_args  # noqa: E402  (the inherited method's arguments are in its own module)

socket = TSocket(wire.HOST, options.port)
socket.setTimeout(20_000)
transport = wire.TRANSPORTS[options.transport]().getTransport(socket)
transport.open()
checks = Checks(Everything.Client(wire.PROTOCOLS[options.protocol]().getProtocol(transport)))
seed = options.seed
try:
    for seed in range(options.seed, options.seed + options.rounds):
        checks.echoes(seed)
    checks.fixed()
    checks.exceptions()
    checks.oneway()
except Exception as error:
    sys.exit(f"everything_client: with --seed {seed} after {checks.calls} calls: {type(error).__name__}: {error}")
print(f"ok {checks.calls} calls")
