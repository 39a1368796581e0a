#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""At most two at once, over all processes, in asyncio: limit.py JOB..."""

import asyncio
import sys

from gosync import aio


async def work(job, permits):
    async with permits:
        print(f"{job} begins", flush=True)
        await asyncio.sleep(0.1)
        print(f"{job} ends", flush=True)


async def main():
    # The permits of a process that dies are given back.
    permits = aio.Semaphore("limit.permits", 2, give_back=True)
    async with asyncio.TaskGroup() as group:
        for job in sys.argv[1:]:
            group.create_task(work(job, permits))


asyncio.run(main())
