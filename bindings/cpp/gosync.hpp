/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync in C++: named objects for synchronization between processes.
 *
 * Each class is a handle of one type of object. The header of a class can also be included
 * alone, as <gosync/mutex.hpp>. Link with -lgosync-user.
 *
 * Any thread may call any function, but for those of a handle that say otherwise. No
 * function is a cancellation point or may be called in a handler of a Unix signal.
 */
#ifndef GOSYNC_HPP
#define GOSYNC_HPP

#include "gosync/atomic.hpp"
#include "gosync/cond.hpp"
#include "gosync/error.hpp"
#include "gosync/handle.hpp"
#include "gosync/map.hpp"
#include "gosync/mutex.hpp"
#include "gosync/once.hpp"
#include "gosync/rwmutex.hpp"
#include "gosync/semaphore.hpp"
#include "gosync/time.hpp"
#include "gosync/value.hpp"
#include "gosync/wait.hpp"
#include "gosync/waitgroup.hpp"

#endif /* GOSYNC_HPP */
