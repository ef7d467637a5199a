// What other files share.
namespace js nasty

/** Shared between files. */
struct Base {
    1: required string caller,
}

enum Level { LOW = 1, HIGH = 2 }

exception Error {
    1: required i32 code,
    2: optional string message,
}

service Health {
    /** Answers as soon as it can. */
    bool ping() (idempotent = "true"),
}
