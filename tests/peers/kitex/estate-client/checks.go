package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/remote"

	"kitex-peer/form"
	gen "kitex-peer/kitex_gen/estate"
	"kitex-peer/kitex_gen/estate/annex"
	"kitex-peer/kitex_gen/estate/estate"
	"kitex-peer/kitex_gen/estate/nowhere"
)

type checks struct {
	wire    form.Form
	address string
	rounds  int
	seed    int64
	estate  estate.Client
	annex   annex.Client
	nowhere nowhere.Client
	calls   atomic.Int64
}

// check is one of those that --skip can name.
type check struct {
	name string
	run  func(context.Context) error
	// headers says that it needs something that travels beside the call.
	headers bool
}

// run makes all checks but those named, and stops at the first that fails.
func (c *checks) run(skip []string) error {
	all := []check{
		{"echo", c.echo, false},
		{"turn", c.turn, false},
		{"blob", c.blob, false},
		{"fail", c.fail, false},
		{"note", c.note, false},
		{"sleep", c.sleep, false},
		{"together", c.together, false},
		{"unknown", c.unknown, false},
		{"biz", c.biz, true},
		{"meta", c.meta, true},
		{"backward", c.backward, true},
		{"chain", c.chain, true},
		{"services", c.services, true},
	}
	for _, name := range skip {
		if !slices.ContainsFunc(all, func(check check) bool { return check.name == name }) {
			return fmt.Errorf("--skip: there is no check %q", name)
		}
	}
	for _, check := range all {
		if slices.Contains(skip, check.name) || check.headers && !c.wire.Headers() {
			continue
		}
		if err := check.run(context.Background()); err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
	}
	return nil
}

// same counts a call and fails unless it returned what was expected.
func same[T any](c *checks, what string, got T, err error, expected T) error {
	c.calls.Add(1)
	if err != nil {
		return fmt.Errorf("%s failed: %w", what, err)
	}
	if !reflect.DeepEqual(got, expected) {
		return fmt.Errorf("%s returned\n     %+v\nnot  %+v", what, got, expected)
	}
	return nil
}

func (c *checks) echo(ctx context.Context) error {
	for round := range c.rounds {
		seed := c.seed + int64(round)
		sent := randomParcel(rand.New(rand.NewSource(seed)), 0)
		got, err := c.estate.Echo(ctx, sent)
		if got != nil {
			sortNumbers(got)
		}
		if err := same(c, "echo", got, err, sent); err != nil {
			return fmt.Errorf("in the round of --rounds 1 --seed %d: %w", seed, err)
		}
	}
	return nil
}

func (c *checks) turn(ctx context.Context) error {
	yes, no := true, false
	for _, locked := range []*bool{nil, &yes, &no} {
		for _, open := range []bool{true, false} {
			gate := gen.Gate{Open: open, Name: "north", Locked: locked, Bars: []bool{true, false, true}}
			expected := gate
			expected.Open = !open
			got, err := c.estate.Turn(ctx, &gate)
			if err := same(c, "turn", got, err, &expected); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checks) blob(ctx context.Context) error {
	for _, size := range []int{0, 1, 65_535, 65_536, 3_000_000} {
		data := bytes.Repeat([]byte{0, 1, 0x80, 0xff, 7}, size/5+1)[:size]
		got, err := c.estate.Blob(ctx, data)
		if err := same(c, fmt.Sprintf("blob of %d bytes", size), got, err, data); err != nil {
			return err
		}
	}
	return nil
}

func (c *checks) fail(ctx context.Context) error {
	got, err := c.estate.Fail(ctx, "nothing")
	if err := same(c, "fail nothing", got, err, "fine"); err != nil {
		return err
	}
	c.calls.Add(3)
	_, err = c.estate.Fail(ctx, "missing")
	if missing := (*gen.Missing)(nil); !errors.As(err, &missing) || missing.What != "missing" {
		return fmt.Errorf("fail missing: %#v", err)
	}
	_, err = c.estate.Fail(ctx, "refused")
	if refused := (*gen.Refused)(nil); !errors.As(err, &refused) || refused.Reason != "refused" || refused.GetLevel() != 3 {
		return fmt.Errorf("fail refused: %#v", err)
	}
	_, err = c.estate.Fail(ctx, "broken")
	if err := application(err, "broken", remote.InternalError); err != nil {
		return err
	}
	got, err = c.estate.Fail(ctx, "nothing")
	return same(c, "fail nothing after the others", got, err, "fine")
}

// application fails unless the error is an application exception whose message has the text, of one of the types.
func application(err error, text string, types ...int32) error {
	var exception *remote.TransError
	if !errors.As(err, &exception) {
		return fmt.Errorf("expected an application exception, not %#v", err)
	}
	if !slices.Contains(types, exception.TypeID()) || !strings.Contains(exception.Error(), text) {
		return fmt.Errorf("expected an application exception %v with %q, not %d with %q", types, text, exception.TypeID(), exception)
	}
	return nil
}

func (c *checks) note(ctx context.Context) error {
	sent := []string{"a", "b", "c"}
	for _, text := range sent {
		c.calls.Add(1)
		if err := c.estate.Note(ctx, text); err != nil {
			return err
		}
	}
	// Nothing says when a oneway call has come.
	var heard []string
	for end := time.Now().Add(5 * time.Second); len(heard) < len(sent) && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		more, err := c.estate.Notes(ctx)
		c.calls.Add(1)
		if err != nil {
			return err
		}
		heard = append(heard, more...)
	}
	slices.Sort(heard)
	return same(c, "notes", heard, nil, sent)
}

func (c *checks) sleep(ctx context.Context) error {
	got, err := c.estate.Sleep(ctx, 20)
	if err := same(c, "sleep 20", got, err, 20); err != nil {
		return err
	}
	_, err = c.estate.Sleep(ctx, 500, callopt.WithRPCTimeout(100*time.Millisecond))
	c.calls.Add(1)
	// The server keeps the time as well, and on a busy machine it may be the first to say so.
	toldByServer := err != nil && strings.Contains(err.Error(), "DEADLINE_EXCEEDED")
	if !kerrors.IsTimeoutError(err) && !toldByServer {
		return fmt.Errorf("sleep 500 within 100 ms: %v", err)
	}
	who, err := c.estate.Who(ctx)
	return same(c, "who after a call that took too long", who, err, "Estate")
}

// together makes calls side by side; the first take longest, so that multiplexed answers come in another order.
func (c *checks) together(ctx context.Context) error {
	var waiting sync.WaitGroup
	failures := make([]error, 40)
	for call := range failures {
		ms := int32(2 * (len(failures) - call))
		waiting.Go(func() {
			got, err := c.estate.Sleep(ctx, ms)
			failures[call] = same(c, "sleep", got, err, ms)
		})
	}
	waiting.Wait()
	return errors.Join(failures...)
}

func (c *checks) unknown(ctx context.Context) error {
	_, err := c.nowhere.Nothing(ctx, "text")
	c.calls.Add(1)
	// Kitex has a type of its own for services; others know methods only.
	if err := application(err, "", remote.UnknownMethod, remote.UnknownService); err != nil {
		return err
	}
	got, err := c.estate.Who(ctx)
	return same(c, "who after an unknown method", got, err, "Estate")
}

func (c *checks) biz(ctx context.Context) error {
	got, err := c.estate.Biz(ctx, 0)
	if err := same(c, "biz 0", got, err, "fine"); err != nil {
		return err
	}
	for _, code := range []int32{1, 404, -7, 1001, 2147483647} {
		_, err := c.estate.Biz(ctx, code)
		c.calls.Add(1)
		status, ok := kerrors.FromBizStatusError(err)
		if !ok {
			return fmt.Errorf("biz %d: %v", code, err)
		}
		var extra map[string]string
		if code >= 1000 {
			extra = map[string]string{"reason": fmt.Sprint(code)}
		}
		if status.BizStatusCode() != code || status.BizMessage() != fmt.Sprintf("biz %d", code) || !reflect.DeepEqual(status.BizExtra(), extra) {
			return fmt.Errorf("biz %d: %d %q %v", code, status.BizStatusCode(), status.BizMessage(), status.BizExtra())
		}
	}
	got, err = c.estate.Biz(ctx, 0)
	return same(c, "biz 0 after the others", got, err, "fine")
}

// values has some of each kind; their keys keep their case, and values are UTF-8.
func values(ctx context.Context) context.Context {
	ctx = metainfo.WithPersistentValues(ctx, "Tenant", "Zürich", "trace-id", "4711", "UPPER_CASE", "x")
	return metainfo.WithValue(ctx, "Shard", "7")
}

func (c *checks) meta(ctx context.Context) error {
	got, err := c.estate.Meta(ctx)
	if err := left(got, timeout); err != nil {
		return err
	}
	if err := same(c, "meta", got, err, map[string]string{"method": "meta", "caller": caller}); err != nil {
		return err
	}
	const short = 9876 * time.Millisecond
	got, err = c.estate.Meta(values(ctx), callopt.WithRPCTimeout(short))
	if err := left(got, short); err != nil {
		return err
	}
	return same(c, "meta with values", got, err, map[string]string{
		"method": "meta", "caller": caller, "transient:Shard": "7",
		"persistent:Tenant": "Zürich", "persistent:trace-id": "4711", "persistent:UPPER_CASE": "x",
	})
}

// left takes the timeout out of what `meta` returned, if it returned: a server may say what was given or what is left of it.
func left(found map[string]string, given time.Duration) error {
	if found == nil {
		return nil
	}
	ms, err := strconv.ParseInt(found["timeout"], 10, 64)
	delete(found, "timeout")
	if spent := given - time.Duration(ms)*time.Millisecond; err != nil || spent < 0 || spent > given/2 {
		return fmt.Errorf("the server says that %d of %d ms are left", ms, given.Milliseconds())
	}
	return nil
}

func (c *checks) backward(ctx context.Context) error {
	ctx = metainfo.WithBackwardValues(ctx)
	c.calls.Add(1)
	if _, err := c.estate.Meta(ctx); err != nil {
		return err
	}
	if says, _ := metainfo.RecvBackwardValue(ctx, "server-says"); says != "hello" {
		return fmt.Errorf("the backward value server-says is %q", says)
	}
	return nil
}

func (c *checks) chain(ctx context.Context) error {
	got, err := c.estate.Chain(values(ctx), c.address)
	// How long a server's own call may take is its own affair.
	delete(got, "timeout")
	return same(c, "chain", got, err, map[string]string{
		"method": "meta", "caller": "estate",
		"persistent:Tenant": "Zürich", "persistent:trace-id": "4711", "persistent:UPPER_CASE": "x",
	})
}

func (c *checks) services(ctx context.Context) error {
	got, err := c.estate.Who(ctx)
	if err := same(c, "who of Estate", got, err, "Estate"); err != nil {
		return err
	}
	got, err = c.annex.Who(ctx)
	if err := same(c, "who of Annex", got, err, "Annex"); err != nil {
		return err
	}
	twice, err := c.annex.Twice(ctx, 21)
	return same(c, "twice", twice, err, 42)
}
