// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The tests need /dev/gosync, and are run in a virtual machine that has it: see
// selftests/test.sh. Where there is none they are skipped.
//
// No test takes time for a proof that something was quick. What has to become true
// is looked for until it is, and a test that hangs ends with go test's own limit.

// Programs that a test starts as processes of their own: this same program, with
// the name of one of these.
var programs = map[string]func(args []string){}

const programVariable = "GOSYNC_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if name := os.Getenv(programVariable); name != "" {
		programs[name](os.Args[1:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A process is another process of a test.
type process struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a program. It ends with the test.
func start(t testing.TB, name string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, name, args...)
}

// startWith is as start, with files that the program has as descriptors 3 and so on.
func startWith(t testing.TB, files []*os.File, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command("/proc/self/exe", args...)}
	p.cmd.Env = append(os.Environ(), programVariable+"="+name)
	p.cmd.Stderr = os.Stderr
	p.cmd.ExtraFiles = files
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// says waits until the process has said a line.
func (p *process) says(want string) {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if got := strings.TrimSuffix(line, "\n"); got != want {
		p.t.Fatalf("the process says %q (%v), not %q", got, err, want)
	}
}

// tell says a line to the process.
func (p *process) tell(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatal(err)
	}
}

// kill kills the process, by SIGKILL, and returns when it has ended.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// ends waits for the process, which is to end well.
func (p *process) ends() {
	p.t.Helper()
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatal(err)
	}
}

// say and hear are a program's ends of that.
func say(line string) {
	fmt.Println(line)
}

var stdin = bufio.NewReader(os.Stdin)

func hear() string {
	line, err := stdin.ReadString('\n')
	if err != nil {
		select {} // the test kills it
	}
	return strings.TrimSuffix(line, "\n")
}

// must ends a program that cannot go on.
func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

var names atomic.Int64

// newName returns a name that nobody has.
func newName(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(_GOSYNC_DEVICE); err != nil {
		if os.Getenv("GOSYNC_TEST_DEVICE") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no /dev/gosync")
	}
	return fmt.Sprintf("go.%d.%d", os.Getpid(), names.Add(1))
}

// each runs a test with mapped state, and with a system call for each operation.
func each(t *testing.T, f func(t *testing.T, flag Flag)) {
	t.Helper()
	newName(t)
	t.Run("mapped", func(t *testing.T) { f(t, 0) })
	t.Run("ioctl", func(t *testing.T) { f(t, IoctlOnly) })
}

// An opened object, of any type
type closer interface {
	Close() error
	IsMapped() bool
}

// opened returns what an Open has returned, and closes it at the end of the test.
func opened[T closer](t *testing.T, flag Flag) func(o T, err error) T {
	return func(o T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if want := flag&(IoctlOnly|NoMmap) == 0; o.IsMapped() != want {
			t.Fatal("is mapped:", !want)
		}
		t.Cleanup(func() { o.Close() })
		return o
	}
}

// until waits until it is so.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for wait := time.Microsecond; !f(); wait *= 2 {
		if wait > 30*time.Second {
			t.Fatal("never:", what)
		}
		time.Sleep(wait)
	}
}

// An object that can be asked about
type informant interface {
	Info() (Info, error)
	Waiters() ([]Party, error)
}

// waiters waits until n waiters wait for the object in the kernel.
func waiters(t *testing.T, o informant, n int) {
	t.Helper()
	until(t, fmt.Sprint(n, " waiters"), func() bool {
		list, err := o.Waiters()
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == n
	})
}

// background runs f, and returns a channel of what it returns.
func background(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// panics returns what f panics with, as a string; "" if it does not.
func panics(f func()) (text string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			text = r.Error()
		default:
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	if got := panics(f); got != want {
		t.Errorf("panics with %q, not %q", got, want)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("the error is %v, not %v", err, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// descriptors returns how many this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	return len(descriptorList(t))
}

// descriptorList returns what this process has open.
func descriptorList(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range list {
		// Not the directory itself, which is closed by now
		if to, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil {
			all = append(all, to)
		}
	}
	return all
}

// withThreads runs f with waits by ioctls, and with waits by the ring.
func withThreads(t *testing.T, f func(t *testing.T)) {
	old := mayBlock
	defer func() { mayBlock = old }()
	mayBlock = func(int) bool { return true }
	t.Run("ioctl", f)
	mayBlock = func(int) bool { return false }
	t.Run("ring", func(t *testing.T) {
		f(t)
		if ring.absent.Load() {
			t.Fatal("there is no ring")
		}
	})
}

// canceled returns a context that has ended.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
