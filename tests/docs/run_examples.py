#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the worked examples of the documentation and compares what they print with what the page says.

In a page, a comment before a fenced block says what the block is:
    <!-- file: shop.yaml -->   its text is this file
    <!-- files of: why.md -->  as those of that page beside it; no block follows
    <!-- run -->               its lines with `$ ` in front are commands; what follows each is what it prints, both outputs
                               together; a line `...` stands for any lines, a `...` at a line's end for the rest of it
All of a page runs in one folder, from top to bottom. The commands must print the same each time: virtual time, or no times.

usage: run_examples.py BIN PAGE...            BIN: the folder with `lanyard`
       run_examples.py --update BIN PAGE...   writes what is printed now into the pages, but where a `...` stands
       run_examples.py --test          does it notice a page that is wrong?
"""
import os
import re
import subprocess
import sys
import tempfile

MARK = re.compile(r'^<!-- (?:file: (?P<file>[\w./-]+)|(?P<run>run)) -->$')
FILES_OF = re.compile(r'^<!-- files of: ([\w./-]+) -->$', re.M)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def blocks_of(text):
    """(line number of the first line, file name or None, lines) of every marked block."""
    lines = text.split('\n')
    found = []
    for number, line in enumerate(lines):
        mark = MARK.match(line)
        if not mark:
            continue
        if number + 1 == len(lines) or not lines[number + 1].startswith('```'):
            raise ValueError(f'line {number + 1}: no block follows')
        end = lines.index('```', number + 2)
        found.append((number + 3, mark['file'], lines[number + 2:end]))
    return found


def commands_of(first, lines):
    """(line number, command, expected lines) of a block that is run."""
    commands = []
    for offset, line in enumerate(lines):
        if line.startswith('$ '):
            commands.append((first + offset, line[2:], []))
        elif commands and commands[-1][1].endswith('\\') and not commands[-1][2]:
            commands[-1] = (commands[-1][0], commands[-1][1] + '\n' + line, [])
        elif commands:
            commands[-1][2].append(line)
        else:
            raise ValueError(f'line {first + offset}: output before a command')
    return commands


def line_matches(expected, line):
    if expected.endswith('...'):
        return line.startswith(expected[:-3])
    return expected.rstrip() == line.rstrip()


def matches(expected, printed):
    if not expected:
        return not printed
    if expected[0] == '...':
        return any(matches(expected[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    return bool(printed) and line_matches(expected[0], printed[0]) and matches(expected[1:], printed[1:])


def run_page(page, text, binaries):  # page: its path
    """The complaints about a page, how many commands it has, and the page as it should be."""
    complaints, count = [], 0
    page_lines = text.split('\n')
    changes = []  # first line, last line, what is to stand there
    environment = dict(os.environ, PATH=binaries + os.pathsep + os.environ['PATH'], LANG='C.UTF-8', LC_ALL='C.UTF-8',
                       NO_COLOR='1', COLUMNS='100')
    with tempfile.TemporaryDirectory() as folder:
        environment['XDG_RUNTIME_DIR'] = folder  # labs that are up elsewhere are none of ours
        os.symlink(os.path.join(ROOT, 'examples'), os.path.join(folder, 'examples'))
        blocks = blocks_of(text)
        for other in FILES_OF.findall(text):
            with open(os.path.join(os.path.dirname(page), other)) as file:
                blocks = [block for block in blocks_of(file.read()) if block[1]] + blocks
        for first, name, lines in blocks:
            if name:
                with open(os.path.join(folder, name), 'w') as file:
                    file.write('\n'.join(lines) + '\n')
                continue
            for number, command, expected in commands_of(first, lines):
                done = subprocess.run(['bash', '-c', command], cwd=folder, env=environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=300)
                printed = done.stdout.split('\n')
                while printed and not printed[-1].strip():
                    printed.pop()
                while expected and not expected[-1].strip():
                    expected.pop()
                count += 1
                if not matches(expected, printed):
                    if not any(line.endswith('...') for line in expected):
                        begin = number + command.count('\n')
                        changes.append((begin, begin + len(expected), printed))
                    complaints.append(f'{os.path.relpath(page, ROOT)}:{number}: `{command}` prints something else:\n' + '\n'.join(printed))
    for begin, end, printed in reversed(changes):
        page_lines[begin:end] = [line.rstrip() for line in printed]
    return complaints, count, '\n'.join(page_lines)


def test():
    good = '<!-- file: a.txt -->\n```\none\ntwo\nthree\n```\n<!-- run -->\n```console\n$ cat a.txt\none\n...\nth...\n$ true\n```\n'
    assert run_page('p', good, '/nowhere') == ([], 2, good)
    stale = good.replace('one\n...\nth...', 'four\nfive')
    assert run_page('p', stale, '/nowhere')[2] == good.replace('one\n...\nth...', 'one\ntwo\nthree')
    for change in (('one\n...', 'on\n...'), ('th...', 'tw...'), ('$ true\n', '$ true\nmore\n'), ('cat a.txt', 'cat b.txt'),
                   ('...\nth...', 'th...')):
        assert run_page('p', good.replace(*change), '/nowhere')[0], change
    for wrong in ('<!-- run -->\ntext\n', '<!-- run -->\n```\nno command\n```\n'):
        try:
            run_page('p', wrong, '/nowhere')
        except ValueError:
            continue
        raise AssertionError(wrong)


def main():
    if sys.argv[1:] == ['--test']:
        test()
        return 0
    complaints, commands = [], 0
    is_update = sys.argv[1:2] == ['--update']
    binaries, *pages = sys.argv[2:] if is_update else sys.argv[1:]
    for page in pages:
        with open(page) as file:
            found, count, text = run_page(os.path.abspath(page), file.read(), os.path.abspath(binaries))
        if is_update and found:
            with open(page, 'w') as file:
                file.write(text)
        complaints += found
        commands += count
    print('\n\n'.join(complaints))
    print(f'{commands} commands, {len(complaints)} print something else')
    return 1 if complaints or commands == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
