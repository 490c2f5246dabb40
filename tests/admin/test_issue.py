"""Does the token issuer keep its promises? `python -m unittest` in this folder."""

from __future__ import annotations

import http.client
import json
import sys
import time
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from running import Running  # noqa: E402

SECRET = "a secret of the server tests, long enough for HS256"
USERS = [{"id": "u-1", "username": "alice", "password": "correct horse", "name": "Alice", "claims": {"team": "ops"}}]
CONFIGURATION = {"secret": SECRET, "audience": "a", "issuer": "i", "users": USERS, "key_id": "k1"}


def post(url: str, fields: dict[str, Any], kind: str = "json", timeout: float = 20) -> tuple[int, bytes]:
    """Status and body of a POST of `fields`."""
    parts = urlsplit(url)
    body = json.dumps(fields) if kind == "json" else urlencode(fields)
    media_type = "application/json" if kind == "json" else "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": media_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Issuer(unittest.TestCase):
    def start(self, **more: Any) -> Running:
        server = Running("admin/issue.py", {**CONFIGURATION, **more})
        self.addCleanup(server.end)
        return server

    def test_both_bodies_give_a_token_with_the_claims(self) -> None:
        issuer = self.start(lifetime=90)
        for kind in ("json", "form"):
            code, body = post(issuer.ready["token_url"], {"username": "alice", "password": "correct horse"}, kind)
            answer = json.loads(body)
            self.assertEqual((code, answer["expires_in"]), (200, 90))
            claims = jwt.decode(answer["access_token"], SECRET, ["HS256"], audience="a", issuer="i")
            self.assertEqual((claims["sub"], claims["name"], claims["team"]), ("u-1", "Alice", "ops"))
            self.assertEqual(jwt.get_unverified_header(answer["access_token"])["kid"], "k1")
            self.assertEqual(issuer.event("issued")["grant"], "password")

    def test_fields_and_paths_have_the_names_that_were_asked_for(self) -> None:
        issuer = self.start(
            token_path="/api/v1/auth/login",
            bodies=["form"],
            username_field="user",
            password_field="pass",
            required_fields={"grant_type": "password"},
            token_at="data.token.access",
            refresh_at="data.token.refresh",
            lifetime_at="data.ttl",
        )
        url, fields = issuer.ready["token_url"], {"user": "alice", "pass": "correct horse"}
        self.assertTrue(url.endswith("/api/v1/auth/login"))
        self.assertEqual(post(url, {**fields, "grant_type": "password"}, "json")[0], 415)
        self.assertEqual(post(url, fields, "form")[0], 422)
        code, body = post(url, {**fields, "grant_type": "password"}, "form")
        data = json.loads(body)["data"]
        self.assertEqual((code, sorted(data), sorted(data["token"])), (200, ["token", "ttl"], ["access", "refresh"]))

    def test_a_wrong_password_is_401_in_json(self) -> None:
        issuer = self.start()
        code, body = post(issuer.ready["token_url"], {"username": "alice", "password": "wrong"})
        self.assertEqual((code, "detail" in json.loads(body)), (401, True))
        self.assertEqual(issuer.event("refused")["why"], "wrong_password")

    def test_a_refresh_token_works_once_and_its_reuse_ends_the_sign_in(self) -> None:
        issuer = self.start()
        first = json.loads(post(issuer.ready["token_url"], {"username": "alice", "password": "correct horse"})[1])
        url = issuer.ready["refresh_url"]
        code, body = post(url, {"refresh_token": first["refresh_token"]})
        second = json.loads(body)
        self.assertEqual(code, 200)
        self.assertNotEqual(first["refresh_token"], second["refresh_token"])
        self.assertNotEqual(first["access_token"], second["access_token"])
        self.assertEqual(post(url, {"refresh_token": first["refresh_token"]})[0], 401)
        self.assertEqual(issuer.event("refused")["why"], "reused_refresh_token")
        self.assertEqual(post(url, {"refresh_token": second["refresh_token"]})[0], 401)

    def test_within_the_grace_a_lost_answer_can_be_had_again(self) -> None:
        issuer = self.start(reuse_grace=1)
        first = json.loads(post(issuer.ready["token_url"], {"username": "alice", "password": "correct horse"})[1])
        url = issuer.ready["refresh_url"]
        answers = [post(url, {"refresh_token": first["refresh_token"]}) for _ in range(2)]
        self.assertEqual([code for code, _ in answers], [200, 200])
        issuer.event("issued")
        self.assertEqual([issuer.event("issued")["again"] for _ in range(2)], [False, True])
        tokens = {json.loads(body)["refresh_token"] for _, body in answers}
        self.assertEqual(len(tokens), 2)
        over = time.monotonic() + 5
        while post(url, {"refresh_token": first["refresh_token"]})[0] == 200:
            self.assertLess(time.monotonic(), over, "the grace ends")
        self.assertEqual(issuer.event("refused")["why"], "reused_refresh_token")
        self.assertEqual(post(url, {"refresh_token": tokens.pop()})[0], 401)

    def test_a_refresh_token_can_stay_the_same_or_end(self) -> None:
        sign_in = {"username": "alice", "password": "correct horse"}
        issuer = self.start(rotate=False)
        token = json.loads(post(issuer.ready["token_url"], sign_in)[1])["refresh_token"]
        for _ in range(2):
            code, body = post(issuer.ready["refresh_url"], {"refresh_token": token}, "form")
            self.assertEqual((code, "refresh_token" in json.loads(body)), (200, False))
        issuer.send({"user": {"id": "u-1", "is_active": False}})
        issuer.event("user_changed")
        self.assertEqual(post(issuer.ready["refresh_url"], {"refresh_token": token})[0], 401)
        issuer = self.start(refresh_lifetime=0)
        token = json.loads(post(issuer.ready["token_url"], sign_in)[1])["refresh_token"]
        self.assertEqual(post(issuer.ready["refresh_url"], {"refresh_token": token})[0], 401)
        self.assertEqual(issuer.event("refused")["why"], "expired_refresh_token")

    def test_it_misbehaves_as_told(self) -> None:
        issuer = self.start(mode="html")
        sign_in = {"username": "alice", "password": "correct horse"}

        def answer(mode: str) -> tuple[int, bytes]:
            issuer.send({"mode": mode})
            self.assertEqual(issuer.event("mode_changed")["mode"], mode)
            return post(issuer.ready["token_url"], sign_in)

        self.assertIn(b"<h1>", post(issuer.ready["token_url"], sign_in)[1])
        self.assertGreater(len(answer("huge")[1]), 10_000_000)
        with self.assertRaises(ValueError):
            json.loads(answer("garbage")[1])
        self.assertEqual((answer("empty"), answer("error")[0], answer("redirect")[0]), ((200, b"{}"), 500, 307))
        issuer.send({"mode": "hang"})
        issuer.event("mode_changed")
        with self.assertRaises(TimeoutError):
            post(issuer.ready["token_url"], sign_in, timeout=0.5)
        issuer.send({"mode": "well", "refresh_mode": "error"})
        issuer.event("mode_changed")
        code, body = post(issuer.ready["token_url"], sign_in)
        self.assertEqual(code, 200)
        refresh = {"refresh_token": json.loads(body)["refresh_token"]}
        self.assertEqual(post(issuer.ready["refresh_url"], refresh)[0], 500)

    def test_it_ends_while_an_answer_hangs(self) -> None:
        issuer = Running("admin/issue.py", {**CONFIGURATION, "mode": "hang"})
        parts = urlsplit(issuer.ready["token_url"])
        connection = http.client.HTTPConnection(parts.netloc)
        self.addCleanup(connection.close)
        connection.request("POST", parts.path, "{}", {"Content-Type": "application/json"})
        issuer.event("asked")
        self.assertEqual(issuer.end(), 0)


if __name__ == "__main__":
    unittest.main()
