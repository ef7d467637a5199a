"""Random values of any generated type, made from its thrift_spec, with the edges of each type among them."""

import math
import struct

from thrift.Thrift import TType

INTEGERS = {TType.BYTE: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}

TEXTS = [
    "", "a", "Hello Volo", "日本語のテキスト", "emoji 🎈🧵", "nul \0 inside", "\u07ff\u0800\uffff\U00010000",
    "ümläut", "\ufeffbom", "line\nbreak", "constructor", "x" * 400, "漢" * 200,
]

DOUBLES = [0.0, 1.0, -1.5, 0.1, 1.7976931348623157e308, 2.2250738585072014e-308, 5e-324, math.inf, -math.inf, 2.0**53]

# Fields that may be absent. A thrift_spec does not say which, and absent ones with a default come back set.
OPTIONAL = {
    ("Defaults", "maybe"), ("Defaults", "sparse"), ("Defaults", "last"), ("Defaults", "out_of_order"),
    ("Tree", "child"), ("Tree", "children"), ("Tree", "by_name"),
    ("All", "empty"), ("All", "awkward"), ("All", "more"),
}  # fmt: skip

UNIONS = {"Choice"}

# The deepest recursive fields go.
DEEPEST = 5


class Samples:
    """Makes values from a random.Random; `infinity` says whether doubles may be infinite."""

    def __init__(self, random, infinity=True):
        self.random = random
        self.infinity = infinity

    def struct(self, cls, depth=0):
        """A value of a generated class."""
        fields = [field for field in cls.thrift_spec if field]
        if cls.__name__ in UNIONS:
            fields = [self.random.choice(fields)]
        values = {}
        for _, kind, name, spec, _ in fields:
            optional = (cls.__name__, name) in OPTIONAL
            recursive = optional and kind != TType.STRING and kind != TType.I32
            if optional and (self.random.random() < 0.5 or (recursive and depth >= DEEPEST)):
                continue
            values[name] = self.value(kind, spec, depth + 1)
        return cls(**values)

    def value(self, kind, spec=None, depth=0):
        """A value of a wire type; `spec` is what thrift_spec says beside it."""
        if kind == TType.BOOL:
            return self.random.random() < 0.5
        if kind in INTEGERS:
            return self.integer(INTEGERS[kind])
        if kind == TType.DOUBLE:
            return self.double()
        if kind == TType.STRING:
            return self.blob() if spec == "BINARY" else self.text()
        if kind == TType.STRUCT:
            return self.struct(spec[0], depth)
        if kind == TType.MAP:
            of_key, key, of_value, value = spec[:4]
            return {self.value(of_key, key, depth + 1): self.value(of_value, value, depth + 1) for _ in self.count(depth)}
        items = [self.value(spec[0], spec[1], depth + 1) for _ in self.count(depth)]
        return set(items) if kind == TType.SET else items

    def count(self, depth):
        """As many turns as a container has elements: fewer the deeper it lies."""
        most = 20 if depth < 3 and self.random.random() < 0.1 else max(2, 4 - depth)
        return range(self.random.randrange(most))

    def integer(self, bits):
        edge = 1 << (bits - 1)
        if self.random.random() < 0.3:
            return self.random.choice([0, 1, -1, edge - 1, -edge, edge - 2])
        return self.random.getrandbits(bits) - edge

    def double(self):
        if self.random.random() < 0.3:
            value = self.random.choice(DOUBLES)
        else:
            (value,) = struct.unpack("d", self.random.randbytes(8))
        # No NaN: it would not equal itself.
        return 2.5 if math.isnan(value) or (math.isinf(value) and not self.infinity) else value

    def text(self):
        return self.random.choice(TEXTS) if self.random.random() < 0.6 else "%x" % self.random.getrandbits(64)

    def blob(self):
        return self.random.randbytes(self.random.randrange(60))
