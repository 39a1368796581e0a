# SPDX-License-Identifier: LGPL-2.1-or-later
"""gosync.WaitGroup: go() on top of what is in C."""

import threading
from collections.abc import Callable
from typing import Any

from . import _gosync


class WaitGroup(_gosync.WaitGroup):
    __doc__ = _gosync.WaitGroup.__doc__
    __slots__ = ()
    __module__ = "gosync"

    def go(self, function: Callable[..., object], /, *args: Any,
           **kwargs: Any) -> threading.Thread:
        """Add 1, call the function in a new thread, subtract 1 when it ends.

        Return the thread. What the function raises is reported by
        threading.excepthook(), and counts as the end, too.
        """
        def run() -> None:
            try:
                function(*args, **kwargs)
            finally:
                self.done()

        thread = threading.Thread(target=run, name=getattr(
            function, "__name__", None))
        self.add(1)
        try:
            thread.start()
        except BaseException:
            self.done()
            raise
        return thread
