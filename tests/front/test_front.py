"""Does nginx stand in front as promised? `python -m unittest` in this folder, with the Python of tests/admin."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

import jwt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from running import Running  # noqa: E402

SECRET = "a secret of the server tests, long enough for HS256"
QUIET = {"seed": "none", "workers": False}
PAIR = {"CF-Access-Client-Id": "abc.access", "CF-Access-Client-Secret": "S3cret+value="}


def curl(url: str, *words: str) -> tuple[int, str, str]:
    """HTTP status, Location, and body; status 0 when there was no answer."""
    form = "\n%{http_code} %{http_version} %{redirect_url}"
    ran = subprocess.run(["curl", "-sS", "-m", "10", "-w", form, url, *words], capture_output=True, text=True)
    body, _, last = ran.stdout.rpartition("\n")
    status, version, *location = last.split(" ", 2)
    return int(status), (location or [""])[0], body + ran.stderr + f" HTTP/{version}"


class Front(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.made = Running("certificates/serve.py", {})
        cls.addClassCleanup(cls.made.end)

    def start(self, script: str, configuration: dict[str, Any]) -> Running:
        server = Running(script, configuration)
        self.addCleanup(server.end)
        return server

    def admin(self, **configuration: Any) -> str:
        """The origin of an admin."""
        started = self.start("admin/serve.py", {**QUIET, **configuration})
        return started.ready["base_url"].removesuffix("/asyncmq")

    def front(self, upstream: str, **configuration: Any) -> tuple[Running, str]:
        started = self.start("front/serve.py", {"upstream": upstream, **configuration})
        return started, started.ready["origin"] + "/asyncmq/"

    def client(self, name: str = "client") -> list[str]:
        ready = self.made.ready
        who = ready["stranger"]["client"] if name == "stranger" else ready[name]
        return ["--cert", who["certificate_file"], "--key", who["key_file"]]

    @property
    def trusting(self) -> list[str]:
        return ["--cacert", self.made.ready["ca_file"]]

    def test_tls_of_a_private_authority(self) -> None:
        front, url = self.front(self.admin(backend="open"), tls=self.made.ready["server"])
        self.assertTrue(url.startswith("https://127.0.0.1:"))
        status, _, text = curl(url, *self.trusting)
        self.assertTrue(status == 200 and text.endswith("HTTP/2"))
        seen = front.event("request")
        self.assertEqual((seen["path"], seen["status"], seen["protocol"]), ("/asyncmq/", 200, "HTTP/2.0"))
        self.assertEqual(curl(url)[0], 0)
        self.assertIn("http://127.0.0.1", text, "the admin behind it writes http: into its pages")

    def test_connections_are_numbered_and_a_full_handshake_is_told_from_a_resumed_one(self) -> None:
        front, url = self.front(self.admin(backend="open"), tls=self.made.ready["server"], http2=False)
        # One handle of curl's keeps its connection and, where that is closed, its session.
        curl(url, "-o", "/dev/null", url, *self.trusting)
        first, second = front.event("request"), front.event("request")
        self.assertEqual((first["connection"], first["session"]), (second["connection"], "."))
        curl(url, "-o", "/dev/null", url, "-H", "Connection: close", *self.trusting)
        first, second = front.event("request"), front.event("request")
        self.assertNotEqual(first["connection"], second["connection"])
        self.assertEqual((first["session"], second["session"]), (".", "r"))

    def test_ipv6(self) -> None:
        front, url = self.front(self.admin(backend="open"), host="::1")
        self.assertTrue(url.startswith("http://[::1]:"))
        self.assertEqual(curl(url)[0], 200)
        self.assertEqual(front.event("request")["session"], "")

    def test_a_client_certificate_is_demanded_and_names_the_user(self) -> None:
        tls = {**self.made.ready["server"], "client_ca_file": self.made.ready["ca_file"]}
        front, url = self.front(self.admin(backend="proxy_header"), tls=tls, identify="X-Authenticated-User")
        self.assertEqual(curl(url, *self.trusting, *self.client())[0], 200)
        seen = front.event("request")
        self.assertEqual((seen["client_certificate"], seen["client_name"]), ("SUCCESS", "alice"))
        status, _, text = curl(url, *self.trusting, "-H", "X-Authenticated-User: mallory")
        self.assertTrue(status == 400 and "No required SSL certificate" in text)
        for name in ("stranger", "expired_client"):
            status, _, text = curl(url, *self.trusting, *self.client(name))
            self.assertTrue(status == 400 and "The SSL certificate error" in text, name)
        pkcs12 = self.made.ready["client"]
        words = ["--cert-type", "P12", "--cert", f"{pkcs12['pkcs12_file']}:{pkcs12['password']}"]
        self.assertEqual(curl(url, *self.trusting, *words)[0], 200)

    def test_a_pair_of_headers_is_demanded_in_front_of_a_jwt_admin(self) -> None:
        demand = {"headers": PAIR, "sign_in": "https://team.access.example/login"}
        admin = self.admin(secret=SECRET, audience="a", trusted_proxies=["127.0.0.1"])
        front, url = self.front(admin, tls=self.made.ready["server"], demand=demand)
        pair = [word for name, value in PAIR.items() for word in ("-H", f"{name}: {value}")]
        token = jwt.encode({"sub": "alice", "is_admin": True, "aud": "a", "exp": int(time.time()) + 60}, SECRET)
        bearer = ["-H", f"Authorization: Bearer {token}"]
        self.assertEqual(curl(url, *self.trusting, *bearer)[:2], (302, demand["sign_in"]))
        self.assertEqual(curl(url, *self.trusting, *bearer, *pair[:2])[0], 302)
        self.assertEqual(curl(url, *self.trusting, *bearer, *pair[:2], "-H", "CF-Access-Client-Secret: x")[0], 403)
        lowered = ["-H", "CF-Access-Client-Secret: s3cret+value="]
        self.assertEqual(curl(url, *self.trusting, *bearer, *pair[:2], *lowered)[0], 403)
        status, location, _ = curl(url, *self.trusting, *pair)
        self.assertEqual((status, location.split("?")[0]), (303, url + "login"))
        self.assertEqual(curl(url, *self.trusting, *pair, *bearer)[0], 200)
        origin = front.ready["origin"]
        post = ["-X", "POST", *self.trusting, *pair, *bearer]
        self.assertEqual(curl(url + "health", *post, "-H", f"Origin: {origin}")[0], 405)
        self.assertEqual(curl(url + "health", *post, "-H", "Origin: https://elsewhere.example")[0], 403)

    def test_an_admin_that_does_not_trust_the_proxy_rejects_actions(self) -> None:
        admin = self.admin(secret=SECRET, audience="a")
        _, url = self.front(admin, tls=self.made.ready["server"])
        token = jwt.encode({"sub": "alice", "is_admin": True, "aud": "a", "exp": int(time.time()) + 60}, SECRET)
        origin = url.removesuffix("/asyncmq/")
        words = ["-X", "POST", *self.trusting, "-H", f"Authorization: Bearer {token}", "-H", f"Origin: {origin}"]
        self.assertEqual(curl(url + "health", *words)[0], 403)

    def test_a_cookie_can_be_demanded_and_a_header_injected(self) -> None:
        front, url = self.front(
            self.admin(backend="proxy_header"),
            demand={"cookies": {"CF_Authorization": "ey.a.b"}},
            inject={"X-Authenticated-User": "alice"},
        )
        self.assertTrue(url.startswith("http://"))
        self.assertEqual(curl(url)[0], 302)
        self.assertEqual(curl(url, "-H", "Cookie: CF_Authorization=other")[0], 403)
        self.assertEqual(curl(url, "-H", "Cookie: CF_Authorization=ey.a.b")[0], 200)

    def test_streams_pass_at_once_and_end_with_the_front(self) -> None:
        front, url = self.front(self.admin(backend="open"), tls=self.made.ready["server"])
        words = ["curl", "-sN", *self.trusting, url + "events"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as stream:
            self.assertTrue(stream.stdout.readline().startswith("event:"))
            self.assertEqual(front.end(), 0)
            stream.stdout.read()

    def test_the_front_answers_some_paths_itself(self) -> None:
        _, url = self.front(self.admin(backend="open"), answers={"/asyncmq/ready": 503})
        self.assertEqual(curl(url + "ready")[0], 503)
        self.assertEqual(curl(url + "health")[0], 200)

    def test_a_scanner_passes_pages_and_holds_streams_back(self) -> None:
        with Running("front/scanner.py", {"upstream": self.admin(backend="open")}) as scanner:
            url = scanner.ready["origin"] + "/asyncmq/"
            self.assertEqual(curl(url)[0], 200)
            self.assertEqual(curl(url + "events", "--max-time", "7")[0], 0)

    def test_a_killed_front_leaves_no_nginx(self) -> None:
        line = {"upstream": "http://127.0.0.1:9"}
        process = subprocess.Popen(
            [sys.executable, "serve.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
        )
        with process:
            process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            ready = json.loads(process.stdout.readline())
            self.assertEqual(curl(ready["origin"])[0], 502)
            process.kill()
            process.wait()
            end = time.monotonic() + 10
            while Path(f"/proc/{ready['pid']}").exists() and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual(curl(ready["origin"])[0], 0)
        left = list(Path(tempfile.gettempdir()).glob(f"asyncmq-front-{process.pid}-*"))
        self.assertEqual(len(left), 1)
        self.front(line["upstream"])
        self.assertFalse(left[0].exists(), "the next one sweeps what a killed one left")

    def test_what_cannot_work_is_refused(self) -> None:
        upstream = "http://127.0.0.1:9"
        for wrong in (
            {},
            {"upstream": "http://example.com"},
            {"upstream": upstream, "inject": {"X": 'a"; return 200'}},
            {"upstream": upstream, "inject": {"X Y": "a"}},
            {"upstream": upstream, "tls": {"key_file": "k"}},
            {"upstream": upstream, "demand": {"header": {}}},
            {"upstream": upstream, "identify": "X-User"},
            {"upstream": upstream, "answers": {"/a; return 200": 503}},
            {"upstream": upstream, "answers": {"/a": "503"}},
        ):
            with self.assertRaises(RuntimeError):
                Running("front/serve.py", wrong)


if __name__ == "__main__":
    unittest.main()
