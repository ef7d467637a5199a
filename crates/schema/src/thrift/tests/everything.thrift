// Licence of this file, which documents nothing.

namespace * volo.all
namespace js volo.all
namespace py.twisted volo_all (uri = "http://volo")
include "shared/base.thrift"
cpp_include "<vector>"

/** An id. */
typedef i64 Id
typedef list<Id> Ids (cpp.type = "std::vector")
typedef map<string, set<base.Color>> Palette

/// What it costs.
const i32 LIMIT = 0x10 // in items
const i64 LOW = -9223372036854775808;
const double RATE = -1.5e-3
const double WHOLE = 2,
const bool YES = true
const bool ONE = 1
const string GREETING = "it's \"here\"\n"
const binary BLOB = 'bytes'
const uuid NIL = '{00000000-0000-0000-0000-00000000ABCD}'
const base.Color FAVOURITE = base.Color.GREEN
const base.Color BY_NUMBER = 7
const base.Color BARE = GREEN
const i32 NUMBER = base.Color.BLUE
const Ids IDS = [1, 2; 3 LIMIT]
const map<string, list<i32>> TABLE = {"a": [1, 2], "__proto__": [], "b": {}}
const map<i32, string> EMPTY = []
const set<binary> BLOBS = {}
const Point ORIGIN = {"y": 2, "x": base.START}
const list<Point> LINE = [ORIGIN, {"x": 5}]
const Shape SHAPE = {"corner": {"x": 1}}

/**
 * Colours of this file.
 *   indented
 */
enum Level {
    LOW = -1, // the least
    /* in between */
    MIDDLE
    HIGH (deprecated = "yes");
    TOP = 100
    OVER
} (meaning = "level")

struct Point { 1: required i32 x, 2: i32 y = 7 } // in a plane

/* A union. */
union Shape {
    1: Point corner = {"x": 0}
    2: optional list<Point> path,
    -3: string name
}

struct Everything {
    1: bool a_bool = 1,
    2: byte a_byte = -128
    3: i8 an_i8 = 127;
    4: i16 an_i16
    5: i32 an_i32 = LIMIT
    6: i64 an_i64 = base.START
    7: double a_double = LIMIT
    8: string a_string = GREETING
    9: binary a_binary
    10: uuid a_uuid = NIL
    11: Level level = Level.MIDDLE
    12: required base.Color color = base.Color.RED
    13: optional list<map<string, set<i32>>> deep
    14: Palette palette
    15: Ids ids = IDS
    16: Point point = ORIGIN
    17: Shape shape
    18: optional Everything & child // itself
    19: map<Point, list<Everything>> nested
    20: i64 (js.type = "Long") annotated (a.b = "c", flag, a.b = "d")
    21: set cpp_type "S" <i32> numbers
    22: list<i32> cpp_type "L" more
    32767: Missing missing
    -1: i32 negative
    0: i32 zero
    // of required
    23: string required_;
}

exception Missing {
    1: string message
} (kind = "client")

exception Busy { 1: i32 retry }

// Items, and more.
service Everywhere extends base.Base {
    // Nothing to see.
    void ping(),
    /** Adds. */ i64 add(1: i64 a, 2: optional i64 b = 5; 3: i64 c = LIMIT) (idempotent = "true") // quickly
    Everything get(
        1: required Id id, // of what
    ) throws (
        1: Missing missing,
        2: Busy busy
    );
    oneway void log(1: string line)
    Palette colors() throws ()
    base.Color mix(1: base.Color a, -2: base.Color b) throws (1: base.Failure failure)
}

service Empty {};
// The end.
