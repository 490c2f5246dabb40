"""A front that reads every answer to its end before it passes any of it on, as one JSON line on standard input describes it.

The same contract as serve.py; its only key is `upstream`. See README.md.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Of one connection each (RFC 9110 section 7.6.1); the body's length is counted anew.
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


def handler(upstream: str) -> type[BaseHTTPRequestHandler]:
    """Passes GET and POST to `upstream`, an origin such as http://127.0.0.1:8000."""
    address = urlsplit(upstream).netloc

    class Scanner(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(address)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            # To its end: of a stream there is none.
            whole = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole)
            connection.close()

        do_GET = do_POST = _pass_on

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Scanner


def main() -> int:
    """Serves until standard input closes."""
    given = json.loads(sys.stdin.readline())
    if not isinstance(given, dict) or given.keys() != {"upstream"}:
        print("scanner.py: the line must be an object with the key `upstream` alone", file=sys.stderr)
        return 2
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(given["upstream"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"origin": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid()}), flush=True)
    while sys.stdin.readline():
        pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
