#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Order: a file under src/ includes its own folder and folders to its left, and left of the bar nothing reads a clock,
opens a descriptor, starts a thread, rolls a die or prints.

    order.py TOP        checks TOP/src, prints each breach as file:line: what, exits 1 if there is one
    order.py --self     plants one breach of every kind in a made-up tree and expects to find exactly those

A line that must break the second rule says so itself: `// order: why`. Comments and strings are not looked at.
"""
import pathlib
import re
import sys
import tempfile

ORDER = "core wire link internet transport stack socket application device lab guest serve cli".split()
PURE = ORDER[: ORDER.index("device")]  # left of the bar
DECIDING = PURE + ["lab"]  # these also do no floating point

BANNED = [  # (folders, pattern, what it is)
    (PURE + ["lab"], r"_clock::now\b|\bclock_gettime\b|\bgettimeofday\b|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:0|nullptr|NULL|&|\))",
     "reads a clock: time is an argument"),
    (PURE + ["lab"], r"\brandom_device\b|\bmt19937|(?<![\w.>])(?:std::)?s?rand\s*\(|\bgetrandom\b|\barc4random|\bgetentropy\b",
     "rolls a die: chance comes from core/random.hh"),
    (PURE, r"\bstd::j?thread\b|\bpthread_\w+|\bstd::(?:mutex|condition_variable|async|atomic)\b|<(?:thread|mutex|future|atomic)>",
     "threads: one stack belongs to one thread"),
    (PURE, r"<sys/(?:socket|epoll|ioctl|mman|time|types|stat|select|un)\.h>|<unistd\.h>|<fcntl\.h>|<poll\.h>|<netinet/|<arpa/|<net/|<linux/",
     "the operating system's headers: only right of the bar"),
    (PURE, r"<(?:iostream|fstream|filesystem|cstdio|stdio\.h)>|\bstd::(?:cout|cerr|clog|cin|o?fstream|ifstream)\b"
           r"|(?<![\w:])(?:std::)?[fv]?printf\s*\(|(?<![\w:])(?:std::)?f?puts\s*\(|\bfmt::print\b|<fmt/(?:color|os)\.h>",
     "prints or opens files: bytes and events go out as values"),
    (PURE, r"\bgetenv\b|\bstd::(?:system|exit|signal)\s*\(|\bfork\s*\(",
     "asks or commands the process: configuration is an argument"),
    (DECIDING, r"\b(?:float|double)\b", "floating point decides nothing here"),
    (ORDER, r"<(?:ranges|regex)>", "slow header that is not used here"),
    (ORDER, r"\bco_(?:await|yield|return)\b", "coroutines: g++ 12.2 destroys temporaries twice"),
]
UNORDERED = re.compile(r"\bunordered_\w+\s*<[^;{}()]*?>\s+(\w+)\s*[;={]")


def without_comments(text, keep_strings=False):
    """The text with comments (and strings, unless kept) blanked; lines keep their numbers."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)

    def blank(match):
        found = match.group(0)
        if keep_strings and not found.startswith("/"):
            return found
        return re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, text)


def include_breaches(folder, code):
    """Includes of a folder to the right."""
    allowed = ORDER[: ORDER.index(folder) + 1]
    for number, line in enumerate(code.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        target = match.group(1).split("/")[0] if "/" in match.group(1) else None
        if target is None or target == "..":
            yield number, f'includes "{match.group(1)}" without its folder'
        elif target not in ORDER:
            yield number, f'includes "{match.group(1)}", a folder that is not in the Order'
        elif target not in allowed:
            yield number, f'includes "{match.group(1)}": {target} stands to the right of {folder}'


def banned_breaches(folder, text, bare):
    """Words of the table, but on lines that confess."""
    originals = text.splitlines()
    for number, line in enumerate(bare.splitlines(), 1):
        if "// order: " in originals[number - 1]:
            continue
        for folders, pattern, what in BANNED:
            match = re.search(pattern, line) if folder in folders else None
            if match:
                yield number, f"{match.group(0).strip()}: {what}"


def unordered_breaches(text, bare, names):
    """Loops over containers whose order is a hash's."""
    originals = text.splitlines()
    for number, line in enumerate(bare.splitlines(), 1):
        if "// order: " in originals[number - 1]:
            continue
        loop = re.search(r"\bfor\s*\([^;]*:\s*\*?(?:\w+(?:\.|->))*(\w+)\s*\)", line)
        call = re.search(r"\b(\w+)\s*(?:\.|->)\s*c?begin\s*\(", line)
        for match in (loop, call):
            if match and match.group(1) in names:
                yield number, f"goes through {match.group(1)} in hash order: use an ordered container"


def breaches(top):
    """All breaches under top/src as sorted (path, line, what)."""
    found = []
    sources = [p for p in sorted((top / "src").rglob("*")) if p.suffix in (".hh", ".cc", ".h")]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    bares = {path: without_comments(text) for path, text in texts.items()}
    for path in sources:
        relative = path.relative_to(top / "src")
        folder = relative.parts[0]
        if folder not in ORDER:
            found.append((relative, 1, f"the folder {folder} is not in the Order"))
            continue
        text, bare = texts[path], bares[path]
        lines = list(include_breaches(folder, without_comments(text, keep_strings=True)))
        lines += banned_breaches(folder, text, bare)
        if folder in DECIDING:
            stem = path.parent / path.stem
            names = set(UNORDERED.findall(bare)) | set(UNORDERED.findall(bares.get(stem.with_suffix(".hh"), "")))
            lines += unordered_breaches(text, bare, names)
        found += [(relative, number, what) for number, what in lines]
    return sorted(found, key=lambda f: (str(f[0]), f[1]))


PLANTED = {  # file: (text, [(line, word in the complaint)])
    "wire/right.cc": ('#include "core/a.hh"\n#include "link/b.hh"\n', [(2, "right of wire")]),
    "wire/bare.cc": ('#include "udp.hh"\n#include "nowhere/x.hh"\n', [(1, "without its folder"), (2, "not in the Order")]),
    "core/clock.cc": ("auto t = std::chrono::steady_clock::now();\nlong u = time(nullptr);\nint time(int);\n", [(1, "clock"), (2, "clock")]),
    "link/dice.cc": ("std::random_device device;\nint x = rand();\nint operand(int);\n", [(1, "die"), (2, "die")]),
    "stack/thread.cc": ("std::thread worker;\n", [(1, "threads")]),
    "socket/os.cc": ("#include <sys/socket.h>\n#include <unistd.h>\n", [(1, "operating"), (2, "operating")]),
    "application/print.cc": ('#include <iostream>\nvoid f() { std::cout << 1; }\nvoid g() { printf("x"); }\nvoid h() { fmt::print("x"); }\n',
                             [(1, "prints"), (2, "prints"), (3, "prints"), (4, "prints")]),
    "internet/env.cc": ('auto home = getenv("HOME");\n', [(1, "configuration")]),
    "transport/float.cc": ("double rtt = 0;\n", [(1, "floating")]),
    "lab/hash.cc": ('#include "lab/hash.hh"\nvoid f() { for (auto& [k, v] : nodes_) use(k); }\nvoid g() { auto i = by_name.begin(); }\n'
                    "std::unordered_map<int, std::vector<int>> by_name;\n", [(2, "hash order"), (3, "hash order")]),
    "lab/hash.hh": ("class World { std::unordered_map<int, int> nodes_; };\n", []),
    "elsewhere/x.cc": ("int x;\n", [(1, "not in the Order")]),
    "device/fine.cc": ('#include <unistd.h>\n#include "wire/right.hh"\nauto t = std::chrono::steady_clock::now();\n', []),
    "core/fine.cc": ('// std::thread, printf(, rand( in a comment\nconst char* s = "printf(time(0))";\nint snprintf_like;\n'
                     "int exit = getenv_ok;  // nothing\nstd::abort_with(stderr);\nauto d = std::getenv(n);  // order: the one place\n", []),
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        for name, (text, _) in PLANTED.items():
            path = top / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = {(str(path), line): what for path, line, what in breaches(top)}
    expected = {(name, line): word for name, (_, wanted) in PLANTED.items() for line, word in wanted}
    wrong = [f"missed: {key[0]}:{key[1]} ({word})" for key, word in expected.items() if word not in found.get(key, "")]
    wrong += [f"falsely found: {key[0]}:{key[1]}: {what}" for key, what in found.items() if key not in expected]
    print("\n".join(wrong) or f"found all {len(expected)} planted breaches and nothing else")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self"]:
        return self_test()
    top = pathlib.Path(sys.argv[1])
    found = breaches(top)
    for path, line, what in found:
        print(f"src/{path}:{line}: {what}")
    count = sum(1 for p in (top / "src").rglob("*") if p.suffix in (".hh", ".cc"))
    print(f"{len(found)} breaches of the Order in {count} files")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
