"""Makes certificates for one run of the tests, as one JSON line on standard input describes them.

Prints one JSON line with where they are; removes them when standard input closes or on SIGTERM. See README.md.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

from certificates import make

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import scratch  # noqa: E402

KEYS = {"folder", "hosts", "password", "user"}


def main() -> int:
    """Makes the files, says where they are, and waits for the end."""
    try:
        given = json.loads(sys.stdin.readline())
    except json.JSONDecodeError as error:
        print(f"serve.py: standard input holds no JSON line: {error.msg}", file=sys.stderr)
        return 2
    unknown = given.keys() - KEYS if isinstance(given, dict) else {"not an object"}
    if unknown:
        print(
            f"serve.py: the line must be an object with other keys than: {', '.join(sorted(unknown))}", file=sys.stderr
        )
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = scratch.folder("asyncmq-certificates", given.get("folder"))
    try:
        made = make(
            folder,
            hosts=given.get("hosts", ["127.0.0.1", "localhost"]),
            user=given.get("user", "alice"),
            password=given.get("password", "opens the test key"),
        )
        print(json.dumps(made), flush=True)
        while sys.stdin.readline():
            pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
