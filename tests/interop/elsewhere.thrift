/** A service with a method that the servers under test do not have. */
include "../fixtures/everything.thrift"

service Elsewhere extends everything.Base {
    string Nowhere(1: string text),
}
