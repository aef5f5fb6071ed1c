//go:build cgo

package pomerium

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// refusalLog writes at most one line a second for the same code: the clients choose how many requests are refused, and
// with which paths.
type refusalLog struct {
	logger func() *slog.Logger
	mutex  sync.Mutex
	recent map[Code]*tally // the codes that were logged within the last second
}

// tally is what has not been logged yet.
type tally struct {
	count         int
	message, path string // of the last one
}

func newRefusalLog(logger func() *slog.Logger) *refusalLog {
	return &refusalLog{logger: logger, recent: map[Code]*tally{}}
}

// longestPath is what of a path is written, in bytes: clients choose how long they are.
const longestPath = 200

func (l *refusalLog) report(_ context.Context, refused *Error, path string) {
	if len(path) > longestPath {
		path = path[:longestPath] + "..."
	}
	one := tally{1, refused.Message, path}
	if !l.hold(refused.Code, one) {
		l.write(refused.Code, one)
	}
}

// hold says whether to wait with this line: it is counted then.
func (l *refusalLog) hold(code Code, one tally) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if waiting, found := l.recent[code]; found {
		one.count += waiting.count
		*waiting = one
		return true
	}
	l.recent[code] = &tally{}
	l.afterASecond(code)
	return false
}

// afterASecond writes what has come in until then, and waits another second if anything has.
func (l *refusalLog) afterASecond(code Code) {
	time.AfterFunc(time.Second, func() {
		l.mutex.Lock()
		waiting := *l.recent[code]
		if waiting.count == 0 {
			delete(l.recent, code)
		} else {
			*l.recent[code] = tally{}
			l.afterASecond(code)
		}
		l.mutex.Unlock()
		if waiting.count > 0 {
			l.write(code, waiting)
		}
	})
}

func (l *refusalLog) write(code Code, refused tally) {
	l.logger().Warn("pomerium: refused", "code", string(code), "message", refused.message, "path", refused.path, "count", refused.count)
}
