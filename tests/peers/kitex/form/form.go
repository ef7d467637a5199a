// Package form holds what a client and a server say about how they put calls on the wire.
package form

import (
	"flag"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
)

// Form is a transport, and whether several calls share a connection.
type Form struct {
	Transport transport.Protocol
	Mux       bool
}

var transports = map[string]transport.Protocol{
	"framed":          transport.Framed,
	"ttheader":        transport.TTHeader,
	"ttheader-framed": transport.TTHeaderFramed,
}

// Set takes the value of --transport.
func (f *Form) Set(name string) error {
	chosen, ok := transports[name]
	if !ok {
		names := make([]string, 0, len(transports))
		for name := range transports {
			names = append(names, name)
		}
		sort.Strings(names)
		return fmt.Errorf("it is one of %s", strings.Join(names, ", "))
	}
	f.Transport = chosen
	return nil
}

func (f *Form) String() string {
	for name, protocol := range transports {
		if protocol == f.Transport {
			return name
		}
	}
	return ""
}

// Headers tells whether values can travel beside a call.
func (f *Form) Headers() bool { return f.Transport&transport.TTHeader != 0 }

// Flags declares --mux, and --transport.
func (f *Form) Flags() {
	f.Transport = transport.TTHeaderFramed
	flag.Var(f, "transport", "framed, ttheader or ttheader-framed")
	flag.BoolVar(&f.Mux, "mux", false, "several calls at a time on a connection, answered in any order")
}

// Client gives the options of a client that calls an address under a name.
func (f *Form) Client(caller, address string, timeout time.Duration) []client.Option {
	options := []client.Option{
		client.WithHostPorts(address),
		client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: caller}),
		// A transport is added to those there are, and framed is there unless it is taken away.
		client.WithTransportProtocol(transport.PurePayload),
		client.WithTransportProtocol(f.Transport),
		client.WithMetaHandler(transmeta.ClientTTHeaderHandler),
		client.WithRPCTimeout(timeout),
	}
	if f.Mux {
		options = append(options, client.WithMuxConnection(1))
	} else {
		options = append(options, client.WithLongConnection(connpool.IdleConfig{MaxIdlePerAddress: 16}))
	}
	return options
}
