// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// example returns a command that runs an example, which the makefile has compiled.
func example(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	newName(t)
	self, err := filepath.EvalSymlinks("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(filepath.Join(filepath.Dir(self), "examples", name), args...)
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestExampleHello(t *testing.T) {
	newName(t)
	openMutex(t, "hello.lock", 0)
	if out := output(t, example(t, "hello")); !strings.Contains(out, "hello, this is visit 1") {
		t.Error(out)
	}
	p := start(t, "hold", "hello.lock")
	p.says("locked")
	p.kill()
	if out := output(t, example(t, "hello")); !strings.Contains(out, "died in here") {
		t.Error(out)
	}
}

func TestExampleLimit(t *testing.T) {
	name := newName(t)
	s := openSemaphore(t, name, 1, GiveBack)
	if out := output(t, example(t, "limit", name, "1", "echo", "in")); out != "in\n" {
		t.Error(out)
	}
	if !s.TryAcquire(1) {
		t.Fatal("it has kept the permit")
	}
	cmd := example(t, "limit", name, "1", "false")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waiters(t, s, 1)
	noError(t, cmd.Process.Signal(syscall.SIGINT))
	if err := cmd.Wait(); err == nil {
		t.Error("it did not wait")
	}
	s.Release(1)
}

func TestExamplePass(t *testing.T) {
	out := output(t, example(t, "pass"))
	for i, want := range []string{"child 1", "child 2", "child 3", "child 4"} {
		if !strings.Contains(out, want+" has the lock\n") {
			t.Error(i, out)
		}
	}
	if !strings.HasSuffix(out, "all are done\n") {
		t.Error(out)
	}
}
