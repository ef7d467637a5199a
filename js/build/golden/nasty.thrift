// Names that have caught somebody before, and every type.
include "common.thrift"

namespace js nasty

typedef i64 default
typedef map<string, list<common.Base>> Bases

const i64 arguments = 9007199254740993
const string eval = "it's \"quoted\" */"
const list<i32> await = [1, 2, 3]
const map<string, i32> __proto__ = { "__proto__": 1, "b": 2 }
const set<string> Set = ["a"]
const double Infinity = 1.5
const Map nested = { "get": { "caller": "me" }, "valueOf": 7, "__proto__": true }

/**
 * Words.
 * @deprecated ends with star slash
 */
enum delete {
    /** The first. */
    class = 0,
    constructor = -1,
    __proto__ = 5,
    then = 2147483647,
}

/* A struct whose name is a global of JavaScript. */
struct Map {
    1: optional common.Base get,          // trailing
    2: i32 valueOf = 3,
    3: required bool __proto__,
    4: optional delete constructor,
    5: string hasOwnProperty = "yes",
    6: common.Level level = common.Level.HIGH,
}

struct number {}

/** Contains itself, and every type. */
struct class {
    1: optional class class,
    2: list<class> delete,
    3: map<i64, class> then,
    4: bool a, 5: byte b, 6: i8 c, 7: i16 d, 8: i32 e, 9: i64 f = 12, 10: double g = -0.5,
    11: string h, 12: binary i = "bytes", 13: uuid j,
    14: set<string> k = ["x"], 15: map<bool, binary> l, 16: list<list<delete>> m,
    17: Bases n, 18: default o, 19: Map p, 20: Choice q, 21: number t, 22: string v,
    23: map<uuid, set<i32>> w, 24: common.Error x,
    25: list<string> f0, 26: i32 f1, 27: i32 f2, 28: i32 f3, 29: i32 f4, 30: i32 f5, 31: i32 f6, 32: i32 f7,
    33: i32 f8, 34: i32 f9,
}

union Choice {
    1: string case,
    2: i64 value,
    3: Choice __proto__,
    4: Map Map,
}

/** Its fields are those of JavaScript's Error. */
exception Odd {
    1: i32 message,
    2: string name,
    3: string stack,
    4: string cause,
    5: string toString,
    6: string __proto__,
}

exception NotFound {
    1: required string message,
    2: string name,
    3: i64 id,
}

service then extends common.Health {
    void class(),
    i64 delete(1: i64 class, 2: optional string __proto__, 3: bool t),
    class __proto__(1: class constructor) throws (1: Odd odd, 2: common.Error error, 3: NotFound notFound),
    void constructor(1: list<string> v) throws (1: NotFound t),
    oneway void then(1: string s),
    map<string, binary> to_string(1: delete d) (idempotent = "true", odd.key = "it's"),
}

service Object {}
