"""Runs a token endpoint and a refresh endpoint on loopback, as one JSON line on standard input describes them.

Prints `{"token_url": …, "refresh_url": …, "pid": …}` once it listens; ends when standard input closes or on SIGTERM.
See README.md for every key.
"""

from __future__ import annotations

import sys

from embedded.serving import ConfigurationError
from issuing.configuration import Configuration
from issuing.server import run


def main() -> int:
    """Reads the configuration and serves until it is told to end."""
    try:
        run(Configuration.from_json(sys.stdin.readline()))
    except ConfigurationError as error:
        print(f"issue.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
