# SPDX-License-Identifier: Apache-2.0
"""A scratch folder for labs with unmodified programs."""
import contextlib
import os
import shutil
import subprocess
import tempfile


@contextlib.contextmanager
def folder():
    """A new folder that goes away again, with what programs made in it under other user numbers (nginx's workers)."""
    path = tempfile.mkdtemp(prefix='lanyard-')
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(path):
            subprocess.run(['unshare', '--user', '--map-root-user', '--map-auto', 'rm', '-rf', path], check=False)
