#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A dictionary of all processes: sessions.py [NAME [CITY]]

Without arguments it lists the sessions; with a name it shows one; with a city it
sets one.
"""

import json
import os
import sys

import gosync

# Persistent: it is there although nobody has it open.
sessions = gosync.Map("sessions", keys=str, values=json, persist=True)

match sys.argv[1:]:
    case [name, city]:
        sessions[name] = {"city": city, "by": os.getpid()}
    case [name]:
        print(sessions.get(name, "there is no such session"))
    case _:
        for name, session in sorted(sessions.items()):
            print(name, session["city"])
