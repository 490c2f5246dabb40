"""How is a test server started and ended? The other end of the contract, for the tests of the servers themselves.

The Rust tests speak the same: one JSON line in, one JSON line out, the end of standard input is the end.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent
PATIENCE_SECONDS = 30


class Running:
    """A server in a process of its own. `ready` is the line that it printed first."""

    def __init__(self, script: str, configuration: dict[str, Any]) -> None:
        path = TESTS / script
        program = [sys.executable] if path.suffix == ".py" else ["node"]
        self._process = subprocess.Popen(
            [*program, path.name], cwd=path.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.send(configuration)
        ready = self._next()
        if ready is None:
            raise RuntimeError(f"{script} ended with {self.end()} before it was ready")
        self.ready = ready

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def send(self, line: dict[str, Any]) -> None:
        """One more line on its standard input."""
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def event(self, name: str) -> dict[str, Any]:
        """The next event of that name; other lines before it are dropped."""
        while (line := self._next()) is not None:
            if line.get("event") == name:
                return line
        raise RuntimeError(f"the server ended before it said `{name}`")

    def end(self) -> int:
        """Closes its standard input; the exit code."""
        self._process.stdin.close()
        return self._process.wait(PATIENCE_SECONDS)

    def _next(self) -> dict[str, Any] | None:
        return self._lines.get(timeout=PATIENCE_SECONDS)

    def _read(self) -> None:
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(json.loads(line))
        self._lines.put(None)
