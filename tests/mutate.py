#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutate.py SOURCE FROM TO OUTPUT: a copy of a source with a bug put in, for tests that must find it.

If FROM is not there any more, the copy is the source itself: then the test that looks for the bug fails and
says so, and nothing else does.
"""
import pathlib
import sys

source, old, new, output = sys.argv[1:]
text = pathlib.Path(source).read_text(encoding="utf-8")
if old not in text:
    print(f"mutate.py: {source} has no `{old}` any more: choose another line for {output}", file=sys.stderr)
pathlib.Path(output).write_text(text.replace(old, new), encoding="utf-8")
