namespace js volo.base
enum Color { RED, GREEN = 7, BLUE }
const i16 START = 3
exception Failure {}
/** Of all. */
service Base {
    string name()
    oneway void stop()
}
