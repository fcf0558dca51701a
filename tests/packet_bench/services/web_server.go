// A small web service of Go's own HTTP server, for measuring the gate's error rates (scripts/gate-power).
// It answers /health and everything else with 200 and JSON on port 8080. With TEST_EXTRA_CPU_PERCENT it
// burns processor time until that is this share of all that the process has used otherwise.
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const burnEvery = 16 // requests

type burn struct {
	share    float64
	burnt    time.Duration
	requests int
	lock     sync.Mutex
}

const thisThread = 1 // RUSAGE_THREAD, which package syscall does not name

func processorTime(whose int) time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(whose, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Other threads run meanwhile, so what is burnt is told by this one's own use.
func (b *burn) afterRequest() {
	if b.share == 0 {
		return
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	b.requests++
	if b.requests%burnEvery != 0 {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	missing := time.Duration(b.share*float64(processorTime(syscall.RUSAGE_SELF)-b.burnt)) - b.burnt
	begin := processorTime(thisThread)
	for processorTime(thisThread)-begin < missing {
	}
	b.burnt += processorTime(thisThread) - begin
}

func main() {
	percent, _ := strconv.ParseFloat(os.Getenv("TEST_EXTRA_CPU_PERCENT"), 64)
	extra := burn{share: percent / 100}
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		fmt.Fprint(answer, `{"pair": "XRP-USD", "price": 1}`)
		extra.afterRequest()
	})
	fmt.Println("listening on 8080.")
	if err := http.ListenAndServe(":8080", nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
