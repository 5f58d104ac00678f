#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House style that a compiler does not check.

    style.py TOP            checks the tree, prints each breach, exits 1 if there is one
    style.py TOP --shrink   drops from the lists of old offenders what no longer offends; never adds
    style.py --self         plants one breach of every kind in a made-up tree and expects exactly those

Lengths are ratchets: a function of more than 60 lines, a header of more than 120 or a source of more than 400 fails unless
tests/style/long_functions.txt or long_files.txt names it with at least that many lines. Those lists only shrink.
"""
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "order"))
from order import without_comments  # noqa: E402

FUNCTION_LINES, HEADER_LINES, SOURCE_LINES = 60, 120, 400
FOLDERS = "src tests fuzz bench examples tools cmake docs explorer python .ci".split()
SPDX_SUFFIXES = {".cc", ".hh", ".py", ".cmake", ".sh", ".ts"}
# The names of places where people happened to work on this, put together here so that this file does not name them.
WORKPLACE = re.compile("/" + r"work/(?!flow)" + "|" + "seed-" + r"[0-9a-f]{8}" + "|/ho" + r"me/\w+/|\.\./sha" + "red/")


def tree(top):
    """All text files that belong to the project."""
    for path in sorted(top.iterdir()):
        if path.is_file() and path.name not in (".git", "LICENSE"):
            yield path
    for folder in FOLDERS:
        for path in sorted((top / folder).rglob("*")):
            if path.is_file() and not {"__pycache__", "node_modules", "corpus"} & set(path.parts):
                yield path


def cpp(top, folder="src"):
    return [p for p in sorted((top / folder).rglob("*")) if p.suffix in (".cc", ".hh")]


def functions(text):
    """(name, first line, lines) of each function body at namespace or class level."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), without_comments(text), flags=re.MULTILINE)
    found, scopes, segment = [], [], 0
    for at in re.finditer(r"[{};]", code):
        here = at.start()
        head = code[segment:here]
        outside = all(kind == "space" for kind, _, _ in scopes)
        if at.group(0) == "{":
            if outside and re.search(r"\)[^()]*(?<!:):(?!:)", head) and re.search(r"[\w>]\s*$", head):
                scopes.append(("init", None, segment))  # a member initialiser: the head goes on after it
                continue
            if outside and re.search(r"\b(?:namespace|class|struct|union|enum)\b|^\s*extern\b", head) and "(" not in re.sub(r"alignas\([^)]*\)", "", head):
                scopes.append(("space", None, None))
            elif outside and "(" in head:
                start = segment + len(head) - len(head.lstrip())
                name = re.search(r"([~\w:]+|operator\s*[^\s(]+)\s*\(", head)
                scopes.append(("function", name.group(1) if name else "?", start))
            else:
                scopes.append(("block", None, None))
        elif at.group(0) == "}" and scopes:
            kind, name, start = scopes.pop()
            if kind == "init":
                segment = start
                continue
            if kind == "function":
                found.append((name, code.count("\n", 0, start) + 1, code.count("\n", start, here) + 1))
        elif at.group(0) == ";" and scopes and scopes[-1][0] == "init":
            continue
        segment = here + 1
    return found


def read_list(path):
    """{(file, name): lines} of a list of old offenders: `file name lines`."""
    rows = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {tuple(row.split()[:-1]): int(row.split()[-1]) for row in rows if row and not row.startswith("#")}


def long_functions(top):
    lengths = {}
    for path in cpp(top):
        for name, _, lines in functions(path.read_text(encoding="utf-8")):
            if lines > FUNCTION_LINES:
                key = (str(path.relative_to(top)), name)
                lengths[key] = max(lines, lengths.get(key, 0))
    return lengths


def long_files(top):
    lengths = {}
    for path in cpp(top):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > (HEADER_LINES if path.suffix == ".hh" else SOURCE_LINES):
            lengths[(str(path.relative_to(top)),)] = lines
    return lengths


RATCHETS = [("long_functions.txt", long_functions), ("long_files.txt", long_files)]


def ratchet_breaches(top):
    for name, measure in RATCHETS:
        allowed, lengths = read_list(top / "tests/style" / name), measure(top)
        for key, lines in lengths.items():
            if lines > allowed.get(key, 0):
                yield f"{' '.join(key)}: {lines} lines; split it ({name} allows {allowed.get(key, 0)})"
        for key, lines in allowed.items():
            if lengths.get(key, 0) < lines:
                yield f"{' '.join(key)}: has shrunk; run tests/style/style.py . --shrink, so that it does not grow back"


def line_breaches(top):
    for path in tree(top):
        relative = path.relative_to(top)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        script = text.startswith("#!") or path.name == "CMakeLists.txt"
        if (path.suffix in SPDX_SUFFIXES or script) and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.split("\n")[:3]):
            yield f"{relative}:1: no SPDX line"
        for number, line in enumerate(text.splitlines(), 1):
            if WORKPLACE.search(line):
                yield f"{relative}:{number}: names a place where somebody worked"
        if path.suffix == ".hh" and "#pragma once" not in text:
            yield f"{relative}:1: no #pragma once"
    for path in cpp(top):
        if path.relative_to(top / "src").parts[0] == "wire":
            for number, line in enumerate(without_comments(path.read_text(encoding="utf-8")).splitlines(), 1):
                if re.search(r"\breinterpret_cast\b|__attribute__\(\(packed|#pragma pack", line):
                    yield f"{path.relative_to(top)}:{number}: bytes are read through core/bytes.hh, not by casting or packing"


def breaches(top):
    return list(ratchet_breaches(top)) + list(line_breaches(top))


def shrink(top):
    for name, measure in RATCHETS:
        path = top / "tests/style" / name
        allowed, lengths = read_list(path), measure(top)
        rows = [f"{' '.join(key)} {min(lines, lengths[key])}\n" for key, lines in sorted(allowed.items()) if key in lengths]
        head = [row + "\n" for row in path.read_text(encoding="utf-8").splitlines() if row.startswith("#")]
        path.write_text("".join(head + rows), encoding="utf-8")


SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def planted():
    """{file: (text, words of each complaint about it)}"""
    body = "  x();\n" * 70
    return {
        "src/core/long.cc": (SPDX + f"namespace n {{\nA::A() : a_{{1}}, b_(2) {{\n{body}}}\nvoid f() {{ x(); }}\n}}\n", ["A::A: 72 lines"]),
        "src/core/old.cc": (SPDX + f"void old_one(int a) {{\n{body}}}\n", []),
        "src/core/grown.cc": (SPDX + f"struct S {{\n  int grown(int a) const {{\n{body}  }}\n}};\n", ["S::grown".split("::")[1] + ": 72 lines"]),
        "src/core/shrunk.cc": (SPDX + "void shrunk() {}\n", ["shrunk: has shrunk"]),
        "src/core/many.cc": (SPDX + "int x;\n" * 400, ["many.cc: 401 lines"]),
        "src/core/many.hh": (SPDX + "#pragma once\n" + "int x;\n" * 130, ["many.hh: 132 lines"]),
        "src/core/fine.cc": (SPDX + "int a = 1;\n" * 300 + "enum class E { a, b };\nvoid g() {\n" + "\n" * 50 + "}\n", []),
        "src/wire/cast.cc": (SPDX + "// reinterpret_cast\nauto p = reinterpret_cast<int*>(q);\n", ["cast.cc:3: bytes"]),
        "src/core/bare.cc": ("int x;\n", ["bare.cc:1: no SPDX"]),
        "src/core/open.hh": (SPDX + "int x;\n", ["open.hh:1: no #pragma once"]),
        "docs/place.md": ("see /" + "work/main\n", ["place.md:1: names a place"]),
        "tests/style/long_functions.txt": ("# old\nsrc/core/grown.cc grown 70\nsrc/core/old.cc old_one 72\nsrc/core/shrunk.cc shrunk 80\n", []),
    }


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        for name, (text, _) in planted().items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text, encoding="utf-8")
        found = breaches(top)
    wanted = [word for _, words in planted().values() for word in words]
    wrong = [f"missed: {word}" for word in wanted if not any(word in what for what in found)]
    wrong += [f"falsely found: {what}" for what in found if not any(word in what for word in wanted)]
    print("\n".join(wrong) or f"found all {len(wanted)} planted breaches and nothing else")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self"]:
        return self_test()
    top = pathlib.Path(sys.argv[1]).resolve()
    if sys.argv[2:] == ["--shrink"]:
        shrink(top)
    found = breaches(top)
    print("\n".join(found + [f"{len(found)} breaches of style in {len(cpp(top))} source files"]))
    return 1 if found or not cpp(top) else 0


if __name__ == "__main__":
    sys.exit(main())
