// Package common is Apache's; this is what its programs of 0.17.0, the last release whose Go module holds them, lack:
// testUuid, which came later, and Unix sockets, which the library has but takes by another function.
package common

import (
	"context"
	"net"

	"github.com/apache/thrift/lib/go/thrift"
)

// TestUuid gives back what it gets.
func (p *printingHandler) TestUuid(_ context.Context, thing thrift.Tuuid) (thrift.Tuuid, error) {
	return thing, nil
}

func unixSocket(path string) thrift.TTransport {
	return thrift.NewTSocketFromAddrConf(&net.UnixAddr{Name: path, Net: "unix"}, nil)
}

func unixServerSocket(path string) (thrift.TServerTransport, error) {
	return thrift.NewTServerSocketFromAddrTimeout(&net.UnixAddr{Name: path, Net: "unix"}, 0), nil
}
