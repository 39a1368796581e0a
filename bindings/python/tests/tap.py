# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs unittest's tests and reports as TAP, the way kselftests do."""

import faulthandler
import sys
import traceback
import unittest

# A test that hangs says where.
LIMIT = 600


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def startTest(self, test):
        super().startTest(test)
        self.bad = []
        self.skip = None
        faulthandler.dump_traceback_later(LIMIT, exit=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.bad += traceback.format_exception(*err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.bad += [f"{subtest}\n", *traceback.format_exception(*err)]

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skip = reason

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.bad.append("unexpected success\n")

    def stopTest(self, test):
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        self.number += 1
        for line in "".join(self.bad).splitlines():
            print("#", line)
        name = test.id().split(".", 1)[1].replace("test_", "", 1)
        print(f"{'not ok' if self.bad else 'ok'} {self.number} {name}"
              + (f" # SKIP {self.skip}" if self.skip else ""), flush=True)


def main(*modules):
    """Run the tests of these modules; of them, those with words of the command line."""
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]]
    suite = loader.loadTestsFromNames(modules)
    print("TAP version 13")
    print(f"1..{suite.countTestCases()}", flush=True)
    result = Result()
    suite.run(result)
    sys.exit(not (result.wasSuccessful() and result.number and not loader.errors))
