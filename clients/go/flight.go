//go:build cgo

package pomerium

import (
	"context"
	"sync"
)

// A flight runs one refresh at a time, in one goroutine, for any number of callers: a goroutine that waits in C keeps a
// thread of the system, one that waits for a channel does not.
type flight struct {
	mutex   sync.Mutex
	running *refresh
}

type refresh struct {
	done chan struct{} // closed when it has ended
	err  error         // to be read after that
}

// join returns the refresh that is running, or begins one.
func (f *flight) join(run func() error) (joined *refresh, began bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.running != nil {
		return f.running, false
	}
	started := &refresh{done: make(chan struct{})}
	f.running = started
	go func() {
		started.err = run()
		f.mutex.Lock()
		f.running = nil
		f.mutex.Unlock()
		close(started.done)
	}()
	return started, true
}

// wait returns the context's error if that ends first.
func (r *refresh) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
