"""Runs nginx in front of an admin, as one JSON line on standard input describes it.

Prints `{"origin": …, "pid": …}` once it listens, and one line for each request that it answered; ends when standard
input closes or on SIGTERM. Wants nginx (Debian's `nginx-light` will do) and nothing of PyPI. See README.md.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

from front.configuration import Configuration, ConfigurationError
from front.process import Nginx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import scratch  # noqa: E402


def main() -> int:
    """Starts nginx, says where it is, and waits for the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        configuration = Configuration.from_json(sys.stdin.readline())
    except ConfigurationError as error:
        print(f"serve.py: {error}", file=sys.stderr)
        return 2
    folder = scratch.folder("asyncmq-front", configuration.folder)
    nginx = Nginx(configuration, folder)
    try:
        origin = nginx.start()
        print(json.dumps({"origin": origin, "pid": nginx.pid}), flush=True)
        nginx.relay_requests()
        while sys.stdin.readline():
            pass
    except ConfigurationError as error:
        print(f"serve.py: {error}", file=sys.stderr)
        return 2
    finally:
        nginx.end()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
