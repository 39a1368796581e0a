// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"errors"
	"sync/atomic"
)

// errNoResult says that the function of OnceValue has panicked, in whatever process.
var errNoResult = errors.New("gosync: the function that was to be called once has panicked")

// OnceFunc returns a function that calls f once among all processes, as o.Do does.
func OnceFunc(o *Once, f func()) func() {
	return func() { o.Do(f) }
}

// OnceValue returns a function that calls f once among all processes, and returns
// what that has returned, in each of them. It keeps this in v, which is to be used
// for nothing else.
//
// If f panics in one process, the function panics in all of them.
func OnceValue[T any](o *Once, v *Value[T], f func() T) func() T {
	result := onceResult(v)
	return func() T {
		if o.looksDone() {
			return result()
		}
		if err := o.DoContext(nil, func(bool) error { return v.Store(f()) }); err != nil {
			panic(err)
		}
		return result()
	}
}

// OnceValues is as OnceValue, for a function with two results.
func OnceValues[T1, T2 any](o *Once, v1 *Value[T1], v2 *Value[T2],
	f func() (T1, T2)) func() (T1, T2) {

	result1, result2 := onceResult(v1), onceResult(v2)
	return func() (T1, T2) {
		if o.looksDone() {
			return result1(), result2()
		}
		err := o.DoContext(nil, func(bool) error {
			r1, r2 := f()
			if err := v1.Store(r1); err != nil {
				return err
			}
			return v2.Store(r2)
		})
		if err != nil {
			panic(err)
		}
		return result1(), result2()
	}
}

// onceResult returns a function that loads v, which no longer changes, once.
func onceResult[T any](v *Value[T]) func() T {
	var kept atomic.Pointer[T]
	return func() T {
		if p := kept.Load(); p != nil {
			return *p
		}
		r, ok, err := v.Load()
		if err == nil && !ok {
			err = errNoResult
		}
		if err != nil {
			panic(err)
		}
		kept.Store(&r)
		return r
	}
}
