package main

import (
	t "log"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/apache/thrift/test/go/src/gen/thrifttest"
)

// callUuid is the call that Apache's program of 0.17.0 lacks.
func callUuid(client *thrifttest.ThriftTestClient) {
	for _, text := range []string{"00112233-4455-6677-8899-aabbccddeeff", "ffffffff-ffff-ffff-ffff-ffffffffffff"} {
		sent, err := thrift.ParseTuuid(text)
		if err != nil {
			t.Fatalf("%s is no uuid: %v", text, err)
		}
		got, err := client.TestUuid(defaultCtx, sent)
		if err != nil {
			t.Fatalf("Unexpected error in TestUuid() call: %v", err)
		}
		if got != sent {
			t.Fatalf("Unexpected TestUuid() result expected %v, got %v", sent, got)
		}
	}
}
