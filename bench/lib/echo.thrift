// Gives back what it gets: one method of tests/fixtures/everything.thrift.
service Echo {
    binary EchoBinary(1: binary data),
}
