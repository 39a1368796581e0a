#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker is killed while it has a lock: multiprocessing.Lock and gosync.Mutex."""

import multiprocessing
import os
import signal

import gosync


def work(lock):
    with lock:
        os.kill(os.getpid(), signal.SIGKILL)


def kill_a_worker_with(lock):
    worker = multiprocessing.Process(target=work, args=(lock,))
    worker.start()
    worker.join()


def main():
    theirs, ours = multiprocessing.Lock(), gosync.Mutex()

    kill_a_worker_with(theirs)
    if not theirs.acquire(timeout=1):
        print("multiprocessing.Lock: nobody will ever get it again")

    kill_a_worker_with(ours)
    try:
        with ours:
            print("this is not printed")
    except gosync.OwnerDied:
        print("gosync.Mutex: the last owner died with it")
        # Put right what the lock protects, and say so.
        ours.acquire(poisoned_ok=True)
        ours.recover()
        ours.release()
    with ours:
        print("gosync.Mutex: in use again")


if __name__ == "__main__":
    main()
