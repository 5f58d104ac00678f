#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py CASE COMPILER FLAG..: CASE compiles as it stands, and with -DWRONG fails with the message its `// says:` names."""
import pathlib
import re
import subprocess
import sys


def compiles(command, *more):
    run = subprocess.run(command + list(more), capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stdout + run.stderr


def main():
    case = pathlib.Path(sys.argv[1])
    command = sys.argv[2:] + ["-fsyntax-only", "-x", "c++", str(case)]
    says = re.search(r"^// says: (.*)$", case.read_text(encoding="utf-8"), re.MULTILINE).group(1)
    is_good, text = compiles(command)
    if not is_good:
        print(f"the right form of {case.name} does not compile:\n{text}")
        return 1
    is_good, text = compiles(command, "-DWRONG")
    if is_good:
        print(f"the wrong form of {case.name} compiles")
        return 1
    if not re.search(says, text):
        print(f"the wrong form of {case.name} fails, but not for the reason expected ({says}):\n{text}")
        return 1
    print(f"the wrong form is refused: {re.search(says, text).group(0)}")
    return 0


sys.exit(main())
