// What keeps the fields that it does not know: everything but arguments and results.
struct Nothing {}

struct Item {
    1: required i64 id,
    2: optional Choice choice,
}

union Choice {
    1: string text,
    2: Item item,
}

exception Gone {
    1: string message,
}

exception Odd {
    1: i32 stack,
}

service Shop {
    Item Get(1: i64 id, 2: Choice choice) throws (1: Gone gone, 2: Odd odd),
}
