"""How does nginx start and end? As a child that does not outlive this process."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from front.configuration import Configuration, ConfigurationError
from front.template import render

PATIENCE_SECONDS = 15
ATTEMPTS = 5
# linux/prctl.h
PR_SET_PDEATHSIG = 1


class Nginx:
    """One nginx, on a free port."""

    def __init__(self, configuration: Configuration, folder: Path) -> None:
        self._configuration = configuration
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """nginx's own, not this process's."""
        return self._process.pid

    def start(self) -> str:
        """Its origin, once it accepts connections."""
        program = self._configuration.nginx or shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise ConfigurationError("nginx was not found; install it, or say where it is in `nginx`")
        for _ in range(ATTEMPTS):
            port = self._free_port()
            if self._start(program, port):
                scheme = "https" if self._configuration.tls else "http"
                return f"{scheme}://{self._configuration.authority(port)}"
        raise ConfigurationError("nginx did not come up; what it said is above")

    def _start(self, program: str, port: int) -> bool:
        """Whether it came up; not when somebody else took the port in between."""
        path = self._folder / "nginx.conf"
        path.touch(mode=0o600)
        path.write_text(render(self._configuration, self._folder, port))
        self._process = subprocess.Popen(
            [program, "-p", str(self._folder), "-c", str(path), "-e", "stderr"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        end = time.monotonic() + PATIENCE_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            with self._socket() as probe:
                if probe.connect_ex((self._configuration.host, port)) == 0 and (self._folder / "nginx.pid").exists():
                    return True
            time.sleep(0.02)
        self.end()
        return False

    def _socket(self) -> socket.socket:
        return socket.socket(socket.AF_INET6 if ":" in self._configuration.host else socket.AF_INET)

    def _free_port(self) -> int:
        with self._socket() as listener:
            listener.bind((self._configuration.host, 0))
            return listener.getsockname()[1]

    def relay_requests(self) -> None:
        """Passes its access log, one JSON line a request, on to standard output, until it ends."""
        threading.Thread(target=self._relay, daemon=True).start()

    def _relay(self) -> None:
        for line in self._process.stdout:
            try:
                print(line, end="", flush=True)
            except BrokenPipeError:
                # Whoever started this is gone; nginx must still get rid of what it says.
                pass

    def end(self) -> None:
        """Ends nginx and its worker; open streams are cut."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _end_with_parent() -> None:
    """Between fork and exec: the kernel sends SIGTERM when this process is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
