// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	// Locks what it has as descriptor 3.
	programs["inherit"] = func(args []string) {
		flag := Flag(0)
		if args[0] == "same" {
			flag = SameHolder
		}
		m, err := MutexFromFD(3, flag)
		must(err)
		m.Lock()
		say("locked")
		hear()
		m.Unlock()
		say("unlocked")
		hear()
	}
	programs["create"] = func(args []string) {
		hear()
		_, err := OpenMutex(args[0], Create, 0o600)
		must(err)
		say("created")
		hear()
	}
	// Says what it has open.
	programs["descriptors"] = func(args []string) {
		list, err := os.ReadDir("/proc/self/fd")
		must(err)
		for _, entry := range list {
			if to, _ := os.Readlink("/proc/self/fd/" + entry.Name()); strings.Contains(to, "gosync") {
				must(fmt.Errorf("%s is %s", entry.Name(), to))
			}
		}
	}
	// Opens a name where there is no device.
	programs["nodevice"] = func(args []string) {
		must(syscall.Chroot(args[0]))
		_, err := OpenMutex("x", Create, 0o600)
		if errors.Is(err, syscall.ENXIO) {
			say(err.Error())
		}
		hear()
	}
	// Opens a name as the user alice.
	programs["stranger"] = func(args []string) {
		must(syscall.Setgroups(nil))
		must(syscall.Setregid(1001, 1001))
		must(syscall.Setreuid(1001, 1001))
		for {
			name := hear()
			m, err := OpenMutex(name, 0, 0)
			if err != nil {
				say(err.Error())
				continue
			}
			m.Lock()
			m.Unlock()
			m.Close()
			say("ok")
		}
	}
}

func TestObjectsManyOpenAtOnce(t *testing.T) {
	name := newName(t)
	allowMany(t)
	const n = 1000
	var all []*Mutex
	for i := 0; i < n; i++ {
		all = append(all, openMutex(t, fmt.Sprint(name, ".", i), 0))
	}
	for _, m := range all {
		m.Lock()
	}
	mappings.Lock()
	mapped := len(mappings.of)
	mappings.Unlock()
	// They share pages.
	if mapped > n/10 {
		t.Errorf("%d mappings for %d objects", mapped, n)
	}
	for i, m := range all {
		other := openMutex(t, fmt.Sprint(name, ".", i), 0)
		if other.TryLock() {
			t.Fatal(i, "is locked")
		}
		m.Unlock()
		if !other.TryLock() {
			t.Fatal(i, "is free")
		}
		other.Unlock()
	}
}

// allowMany lets the process have many descriptors, until the end of the test.
func allowMany(t *testing.T) {
	limitDescriptors(t, 20000)
}

func limitDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = n
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) })
}

func TestObjectsLeakNothing(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		openMutex(t, name, flag)
		before := descriptorList(t)
		for i := 0; i < 1000; i++ {
			m, err := OpenMutex(name, flag, 0)
			if err != nil {
				t.Fatal(err)
			}
			m.Lock()
			m.Unlock()
			noError(t, m.Close())
			_, err = OpenRWMutex(name, flag, 0)
			wantError(t, err, syscall.EPROTOTYPE)
		}
		if after := descriptorList(t); len(after) != len(before) {
			t.Errorf("%q, and before %q", after, before)
		}
	})
}

// Handles that nobody has closed are closed when they are needed, and their pages
// unmapped. Those of locks that are held are not.
func TestObjectsForgotten(t *testing.T) {
	newName(t)
	limitDescriptors(t, 100)
	held := newName(t)
	func() {
		m, err := OpenMutex(held, Create, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		m.Lock()
	}()
	for i := 0; i < 500; i++ {
		// Each has a page of its own.
		m, err := OpenMutex("", Create, 0o600)
		if err != nil {
			t.Fatal(i, err)
		}
		m.Lock()
		m.Unlock()
		runtime.KeepAlive(m)
	}
	collect()
	mappings.Lock()
	mapped := len(mappings.of)
	mappings.Unlock()
	if mapped > 50 {
		t.Errorf("there are %d mappings", mapped)
	}
	other := openMutex(t, held, 0)
	if other.TryLock() {
		t.Error("the lock of a handle that is out of reach is gone")
	}
	other.Unlock()
	until(t, "the free handle goes", func() bool {
		collect()
		in, err := other.Info()
		return err == nil && in.Holders == 1
	})
}

func TestObjectsAreNotInheritedByExec(t *testing.T) {
	openMutex(t, newName(t), 0).Lock()
	start(t, "descriptors").ends()
}

func TestObjectsPassedToAChild(t *testing.T) {
	for _, how := range []string{"new", "same"} {
		t.Run(how, func(t *testing.T) {
			name := newName(t)
			m := openMutex(t, name, OwnPage)
			file, err := m.File()
			if err != nil {
				t.Fatal(err)
			}
			p := startWith(t, []*os.File{file}, "inherit", how)
			noError(t, file.Close())
			p.says("locked")
			if m.TryLock() {
				t.Fatal("the child has it")
			}
			p.kill()
			switch how {
			case "new":
				wantError(t, m.LockErr(), ErrOwnerDied)
				noError(t, m.Recover())
				m.Unlock()
			case "same":
				// We are the same owner, and live.
				m.Unlock()
			}
			m.Lock()
			m.Unlock()
		})
	}
}

func TestObjectsFromABadDescriptor(t *testing.T) {
	newName(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	_, err = MutexFromFD(int(r.Fd()), 0)
	wantError(t, err, syscall.ENOTTY)
	_, err = MutexFromFD(-1, SameHolder)
	wantError(t, err, syscall.EBADF)
	rw := openRWMutex(t, "", 0)
	before := descriptorList(t)
	_, err = MutexFromFD(int(rw.Fd()), 0)
	wantError(t, err, syscall.EPROTOTYPE)
	if after := descriptorList(t); len(after) != len(before) {
		t.Errorf("%q, and before %q", after, before)
	}
	rw.Lock()
	rw.Unlock()
}

func TestNames(t *testing.T) {
	name := newName(t)
	m := openMutex(t, name, Persist)
	if m.Name() != name {
		t.Errorf("its name is %q", m.Name())
	}
	find := func(name string) *Info {
		list, err := List()
		noError(t, err)
		for _, in := range list {
			if in.Name == name {
				return &in
			}
		}
		return nil
	}
	if in := find(name); in == nil || in.Type != TypeMutex || in.Type.String() != "mutex" {
		t.Errorf("listed as %+v", in)
	}
	wantError(t, UnlinkUnused(name), syscall.EBUSY)
	noError(t, Unlink(name))
	wantError(t, Unlink(name), fs.ErrNotExist)
	if in := find(name); in != nil {
		t.Errorf("listed as %+v", in)
	}
	m.Lock()
	m.Unlock()
	_, err := OpenMutex(name, 0, 0)
	if got := fmt.Sprint(err); got != "gosync: open "+name+": no such file or directory" {
		t.Error(got)
	}
}

func TestPermissions(t *testing.T) {
	name := newName(t)
	m := openMutex(t, name, OwnPage|Persist)
	defer Unlink(name)
	alice := start(t, "stranger")
	refused := "gosync: open " + name + ": permission denied"
	alice.tell(name)
	alice.says(refused)
	noError(t, Chmod(name, 0o606))
	alice.tell(name)
	alice.says("ok")
	noError(t, Chmod(name, 0o600))
	alice.tell(name)
	alice.says(refused)
	noError(t, Chown(name, 1001, -1))
	alice.tell(name)
	alice.says("ok")
	in, err := m.Info()
	noError(t, err)
	if in.UID != 1001 || in.GID != 0 || in.Mode != 0o600 {
		t.Errorf("%+v", in)
	}
}

func TestAwait(t *testing.T) {
	name := newName(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	_, err := Await(ctx, name, 0)
	wantError(t, err, context.DeadlineExceeded)
	cancel()
	p := start(t, "create", name)
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	for _, wait := range []func() (*Mutex, error){
		func() (*Mutex, error) {
			fd, err := Await(ctx, name, 0)
			if err != nil {
				return nil, err
			}
			return MutexFromFD(fd, SameHolder)
		},
		func() (*Mutex, error) { return OpenMutex(name, AwaitName, 0) },
	} {
		wait := wait
		got := make(chan *Mutex, 1)
		result := background(func() error {
			m, err := wait()
			got <- m
			return err
		})
		time.Sleep(5 * time.Millisecond)
		select {
		case err := <-result:
			t.Fatal("it did not wait:", err)
		default:
		}
		p.tell("go on")
		p.says("created")
		noError(t, <-result)
		m := <-got
		m.Lock()
		m.Unlock()
		p.kill()
		noError(t, m.Close())
		p = start(t, "create", name)
	}
}

func TestLooking(t *testing.T) {
	name := newName(t)
	m, other := openMutex(t, name, 0), openMutex(t, name, 0)
	m.Lock()
	result := background(other.LockErr)
	waiters(t, m, 1)
	list, err := m.Waiters()
	noError(t, err)
	in, err := other.Info()
	noError(t, err)
	if len(list) != 1 || list[0].Holder != in.Holder || list[0].PID != os.Getpid() ||
		list[0].Position != 1 {
		t.Errorf("%+v", list)
	}
	owners := 0
	list, err = m.Holders()
	noError(t, err)
	for _, p := range list {
		if p.Owns {
			owners++
		}
	}
	if len(list) != 2 || owners != 1 {
		t.Errorf("%+v", list)
	}
	m.Unlock()
	noError(t, <-result)
	other.Unlock()
	s, err := m.Stat()
	noError(t, err)
	sum := uint64(0)
	for _, n := range s.Histogram {
		sum += n
	}
	if s.Contended != 1 || s.Acquired != 1 || sum != 1 || s.Wait <= 0 {
		t.Errorf("%+v", s)
	}
}

// The text of a missing device says what to do.
func TestErrorWithoutADevice(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can hide it")
	}
	start(t, "nodevice", t.TempDir()).says("gosync: open x: the gosync module is not loaded; " +
		"as root: modprobe gosync")
}
