"""Runs one real AsyncMQ admin on loopback, as one JSON line on standard input describes it.

Prints `{"base_url": …, "pid": …}` once it listens and is seeded; ends when standard input closes or on SIGTERM.
See README.md for every key.
"""

from __future__ import annotations

import sys

from embedded.configuration import Configuration
from embedded.server import run
from embedded.serving import ConfigurationError


def main() -> int:
    """Reads the configuration and serves until it is told to end."""
    try:
        run(Configuration.from_json(sys.stdin.readline()))
    except ConfigurationError as error:
        print(f"serve.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
