// Command error-details answers UnaryCall of gRPC's TestService with an error that has every kind of detail of google/rpc/error_details.proto, or
// calls it and checks that the error has just these.
//
//	error-details --port P           serves on 127.0.0.1, prints `listening on 127.0.0.1:PORT`, ends on SIGTERM
//	error-details --server_port P    calls; exit code 1 with a reason on stderr where anything differs
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

const text = "wrong in every way"

// The tests on the other side have the same.
var details = []protoadapt.MessageV1{
	&errdetails.ErrorInfo{Reason: "OLD", Domain: "shop.example", Metadata: map[string]string{"age": "9"}},
	&errdetails.RetryInfo{RetryDelay: durationpb.New(2*time.Second + 5)},
	&errdetails.DebugInfo{StackEntries: []string{"a", "b"}, Detail: "deep"},
	&errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{Subject: "me", Description: "too many"}}},
	&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{
		{Type: "TOS", Subject: "me", Description: "not read"},
	}},
	&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
		{Field: "title", Description: "it is empty"},
		{Field: "id", Description: "ümläut"},
	}},
	&errdetails.RequestInfo{RequestId: "17", ServingData: "data"},
	&errdetails.ResourceInfo{ResourceType: "item", ResourceName: "1", Owner: "me", Description: "gone"},
	&errdetails.Help{Links: []*errdetails.Help_Link{{Description: "docs", Url: "https://shop.example"}}},
	&errdetails.LocalizedMessage{Locale: "de", Message: "falsch"},
}

type server struct {
	testgrpc.UnimplementedTestServiceServer
}

func (server) UnaryCall(context.Context, *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	failed, err := status.New(codes.InvalidArgument, text).WithDetails(details...)
	if err != nil {
		return nil, err
	}
	return nil, failed.Err()
}

func serve(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	made := grpc.NewServer()
	testgrpc.RegisterTestServiceServer(made, server{})
	fmt.Printf("listening on %s\n", listener.Addr())
	return made.Serve(listener)
}

func call(port int) error {
	connection, err := grpc.NewClient(
		fmt.Sprintf("127.0.0.1:%d", port),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = testgrpc.NewTestServiceClient(connection).UnaryCall(context.Background(), &testgrpc.SimpleRequest{})
	failed := status.Convert(err)
	if failed.Code() != codes.InvalidArgument || failed.Message() != text {
		return fmt.Errorf("the status is %v", failed)
	}
	received := failed.Details()
	if len(received) != len(details) {
		return fmt.Errorf("there are %d details", len(received))
	}
	for n, wanted := range details {
		got, ok := received[n].(proto.Message)
		if !ok || !proto.Equal(got, protoadapt.MessageV2Of(wanted)) {
			return fmt.Errorf("detail %d is %v", n, received[n])
		}
	}
	return nil
}

func main() {
	log.SetFlags(0)
	port := flag.Int("port", -1, "port to serve on, 0: any")
	called := flag.Int("server_port", -1, "port to call on 127.0.0.1")
	flag.Parse()
	run := func() error { return serve(*port) }
	if *called >= 0 {
		run = func() error { return call(*called) }
	}
	if err := run(); err != nil {
		log.Fatalf("error-details: %v", err)
	}
}
