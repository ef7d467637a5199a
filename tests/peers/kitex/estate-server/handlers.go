package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/rpcinfo"

	"kitex-peer/form"
	gen "kitex-peer/kitex_gen/estate"
	"kitex-peer/kitex_gen/estate/estate"
)

// chainTimeout is that of the call that `chain` makes.
const chainTimeout = 5 * time.Second

type estateHandler struct {
	wire  form.Form
	mutex sync.Mutex
	heard []string
}

func (*estateHandler) Echo(_ context.Context, parcel *gen.Parcel) (*gen.Parcel, error) {
	return parcel, nil
}

func (*estateHandler) Turn(_ context.Context, gate *gen.Gate) (*gen.Gate, error) {
	gate.Open = !gate.Open
	return gate, nil
}

func (*estateHandler) Blob(_ context.Context, data []byte) ([]byte, error) { return data, nil }

func (*estateHandler) Fail(_ context.Context, kind string) (string, error) {
	switch kind {
	case "missing":
		return "", &gen.Missing{What: kind}
	case "refused":
		level := int32(3)
		return "", &gen.Refused{Reason: kind, Level: &level}
	case "broken":
		return "", errors.New(kind)
	}
	return "fine", nil
}

func (*estateHandler) Biz(_ context.Context, code int32) (string, error) {
	if code == 0 {
		return "fine", nil
	}
	message := fmt.Sprintf("biz %d", code)
	if code < 1000 {
		return "", kerrors.NewBizStatusError(code, message)
	}
	return "", kerrors.NewBizStatusErrorWithExtra(code, message, map[string]string{"reason": strconv.Itoa(int(code))})
}

func (*estateHandler) Meta(ctx context.Context) (map[string]string, error) {
	info := rpcinfo.GetRPCInfo(ctx)
	found := map[string]string{"method": info.Invocation().MethodName()}
	if caller := info.From().ServiceName(); caller != "" {
		found["caller"] = caller
	}
	if timeout := info.Config().RPCTimeout(); timeout > 0 {
		found["timeout"] = strconv.FormatInt(timeout.Milliseconds(), 10)
	}
	for key, value := range metainfo.GetAllPersistentValues(ctx) {
		found["persistent:"+key] = value
	}
	for key, value := range metainfo.GetAllValues(ctx) {
		found["transient:"+key] = value
	}
	metainfo.SendBackwardValue(ctx, "server-says", "hello")
	return found, nil
}

func (h *estateHandler) Chain(ctx context.Context, address string) (map[string]string, error) {
	next, err := estate.NewClient("estate", h.wire.Client("estate", address, chainTimeout)...)
	if err != nil {
		return nil, err
	}
	return next.Meta(ctx)
}

func (*estateHandler) Sleep(_ context.Context, ms int32) (int32, error) {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return ms, nil
}

func (h *estateHandler) Note(_ context.Context, text string) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.heard = append(h.heard, text)
	return nil
}

func (h *estateHandler) Notes(context.Context) ([]string, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	heard := h.heard
	h.heard = nil
	return heard, nil
}

func (*estateHandler) Who(context.Context) (string, error) { return "Estate", nil }

type annexHandler struct{}

func (*annexHandler) Who(context.Context) (string, error) { return "Annex", nil }

func (*annexHandler) Twice(_ context.Context, number int32) (int32, error) { return 2 * number, nil }
