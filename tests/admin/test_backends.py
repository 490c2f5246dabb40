"""Does each backend keep its promise? `python -m unittest` in this folder, with the Python that has requirements.txt."""

from __future__ import annotations

import http.client
import ssl
import sys
import time
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from running import Running  # noqa: E402

SECRET = "a secret of the server tests, long enough for HS256"
QUIET = {"seed": "none", "workers": False}
TOKENS = {**QUIET, "secret": SECRET, "audience": "a", "issuer": "i"}
REFUSED_BY_THE_GATE = 303


def token(key: Any = SECRET, algorithm: str = "HS256", **more: Any) -> str:
    """A token that TOKENS accepts; `more` is laid over its claims, None takes one out."""
    claims = {"sub": "alice", "is_admin": True, "aud": "a", "iss": "i", "exp": int(time.time()) + 300, **more}
    return jwt.encode({key: value for key, value in claims.items() if value is not None}, key, algorithm)


def ask(
    base_url: str,
    path: str = "/",
    tls: ssl.SSLContext | None = None,
    method: str = "GET",
    body: Any = None,
    **headers: str,
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text. Keyword names become header names, `_` a hyphen."""
    url = urlsplit(base_url)
    connect = (
        http.client.HTTPSConnection(url.netloc, context=tls, timeout=20)
        if url.scheme == "https"
        else http.client.HTTPConnection(url.netloc, timeout=20)
    )
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connect.request(method, url.path + path, body, sent)
    answer = connect.getresponse()
    text = answer.read().decode()
    connect.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def status(base_url: str, path: str = "/", **headers: str) -> int:
    return ask(base_url, path, **headers)[0]


class Backends(unittest.TestCase):
    def start(self, configuration: dict[str, Any], script: str = "admin/serve.py") -> Running:
        server = Running(script, configuration)
        self.addCleanup(server.end)
        return server

    def test_the_shipped_backend_takes_public_keys(self) -> None:
        for algorithm, private in (
            ("RS256", rsa.generate_private_key(65537, 2048)),
            ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ):
            public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            base_url = self.start({**TOKENS, "secret": public, "algorithm": algorithm}).ready["base_url"]
            good = token(pem, algorithm)
            self.assertEqual(status(base_url, Authorization=f"Bearer {good}"), 200, algorithm)
            self.assertEqual(status(base_url, Authorization=f"Bearer {good[:-8]}AAAAAAAA"), REFUSED_BY_THE_GATE)
            self.assertEqual(status(base_url, Authorization=f"Bearer {token()}"), REFUSED_BY_THE_GATE)

    def test_the_header_comes_before_the_cookie(self) -> None:
        admin = self.start({**TOKENS, "backend": "documented_jwt", "header": "X-Ops-Token", "cookie": "ops_token"})
        base_url, good, bad = admin.ready["base_url"], token(), token(aud="another")
        self.assertEqual(status(base_url, X_Ops_Token=f"Bearer {good}"), 200)
        for value in (f"Bearer {good}", quote(f"Bearer {good}"), f'"Bearer {good}"', f"bearer {good}"):
            self.assertEqual(status(base_url, Cookie=f"theme=dark; ops_token={value}"), 200, value[:9])
        self.assertEqual(status(base_url, X_Ops_Token=f"Bearer {bad}", Cookie=f"ops_token=Bearer {good}"), 303)
        self.assertEqual(status(base_url, X_Ops_Token="Basic eDp5", Cookie=f"ops_token=Bearer {good}"), 200)
        for value in (good, f"Bearer {bad}", f"Bearer {token(sub=None)}", f"Bearer {token(exp=1)}", "Bearer "):
            self.assertEqual(status(base_url, Cookie=f"ops_token={value}"), REFUSED_BY_THE_GATE)
        self.assertEqual(status(base_url, Authorization=f"Bearer {good}"), REFUSED_BY_THE_GATE)
        self.assertEqual(status(base_url, Cookie=f"ops_token=Bearer {token(is_admin=None)}"), 403)
        self.assertEqual(ask(base_url, "/logout")[1]["location"], "/login")
        self.assertEqual(status(base_url, "/login"), 200)

    def test_a_token_needs_an_active_admin_in_the_database(self) -> None:
        users = [
            {"id": "alice", "name": "Alice Archer"},
            {"id": "ina", "is_active": False},
            {"id": "norma", "is_admin": False},
        ]
        admin = self.start({**TOKENS, "backend": "documented_jwt_db", "users": users})
        base_url = admin.ready["base_url"]

        def status_of(subject: str) -> int:
            return status(base_url, Authorization=f"Bearer {token(sub=subject, is_admin=True)}")

        self.assertEqual([status_of(name) for name in ("alice", "ina", "norma", "nobody")], [200, 303, 303, 303])
        admin.send({"user": {"id": "alice", "is_active": False}})
        self.assertEqual(admin.event("user_changed")["id"], "alice")
        self.assertEqual(status_of("alice"), REFUSED_BY_THE_GATE)
        admin.send({"user": {"id": "norma", "is_admin": True}})
        admin.event("user_changed")
        self.assertEqual(status_of("norma"), 200)
        admin.send({"nonsense": 1})
        admin.event("not_understood")

    def test_the_database_backend_can_let_everybody_active_in(self) -> None:
        users = [{"id": "norma", "is_admin": False}]
        admin = self.start({**TOKENS, "backend": "documented_jwt_db", "users": users, "require_admin": False})
        self.assertEqual(status(admin.ready["base_url"], Authorization=f"Bearer {token(sub='norma')}"), 200)

    def test_a_proxy_header_names_the_user(self) -> None:
        base_url = self.start({**QUIET, "backend": "proxy_header"}).ready["base_url"]
        self.assertEqual(status(base_url, X_Authenticated_User="alice"), 200)
        self.assertEqual(status(base_url), REFUSED_BY_THE_GATE)
        base_url = self.start({**QUIET, "backend": "proxy_header", "header": "X-Who"}).ready["base_url"]
        self.assertEqual((status(base_url, X_Who="a"), status(base_url, X_Authenticated_User="a")), (200, 303))
        base_url = self.start({**QUIET, "backend": "proxy_header", "require_admin": True}).ready["base_url"]
        self.assertEqual(status(base_url, X_Authenticated_User="alice"), 403)

    def test_the_login_form_answers_200_for_failure_and_303_for_success(self) -> None:
        users = [
            {"id": "alice", "password": "correct horse", "name": "Alice"},
            {"id": "norma", "password": "p", "is_admin": False},
        ]
        admin = self.start({**QUIET, "backend": "login_form", "users": users, "session_seconds": 60})
        base_url = admin.ready["base_url"]
        form = {"Content_Type": "application/x-www-form-urlencoded"}

        def sign_in(username: str, password: str) -> tuple[int, dict[str, str], str]:
            body = urlencode({"username": username, "password": password, "next": "/asyncmq/queues"})
            return ask(base_url, "/login", method="POST", body=body, **form)

        code, headers, text = sign_in("alice", "wrong")
        self.assertTrue(code == 200 and "Invalid credentials" in text and 'name="username"' in text)
        self.assertNotIn("set-cookie", headers)
        code, headers, _ = sign_in("alice", "correct horse")
        self.assertEqual((code, headers["location"]), (303, "/asyncmq/queues"))
        cookie = headers["set-cookie"].split(";")[0]
        self.assertTrue(cookie.startswith("asyncz_admin="))
        self.assertIn("Max-Age=60", headers["set-cookie"])
        self.assertEqual((status(base_url, Cookie=cookie), status(base_url)), (200, REFUSED_BY_THE_GATE))
        self.assertEqual(ask(base_url, "/logout", method="POST", Cookie=cookie)[1]["location"], "/asyncmq/login")
        self.assertEqual(status(base_url, Cookie=cookie), 200, "the signed cookie outlives the sign-out")
        norma = sign_in("norma", "p")[1]["set-cookie"].split(";")[0]
        self.assertEqual(status(base_url, Cookie=norma), 403)

    def test_an_open_admin_asks_nobody(self) -> None:
        base_url = self.start({**QUIET, "backend": "open"}).ready["base_url"]
        self.assertEqual((status(base_url), status(base_url, "/login")), (200, 404))

    def test_tls_and_client_certificates(self) -> None:
        made = self.start({}, "certificates/serve.py").ready
        server = made["server"]
        plain = self.start({**QUIET, "backend": "open", "tls": server}).ready["base_url"]
        self.assertTrue(plain.startswith("https://127.0.0.1:"))
        trusting = ssl.create_default_context(cafile=made["ca_file"])
        self.assertEqual(ask(plain, tls=trusting)[0], 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            ask(plain, tls=ssl.create_default_context(cafile=made["stranger"]["ca_file"]))
        for name, why in (("expired_server", "expired"), ("other_host_server", "127.0.0.1")):
            wrong = self.start({**QUIET, "backend": "open", "tls": made[name]}).ready["base_url"]
            with self.assertRaisesRegex(ssl.SSLCertVerificationError, why):
                ask(wrong, tls=trusting)
        both = {**server, "client_ca_file": made["ca_file"]}
        mutual = self.start({**QUIET, "backend": "open", "tls": both}).ready["base_url"]
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            ask(mutual, tls=trusting)
        for who, passes in (
            (made["client"], True),
            (made["stranger"]["client"], False),
            (made["expired_client"], False),
        ):
            context = ssl.create_default_context(cafile=made["ca_file"])
            context.load_cert_chain(who["certificate_file"], who["key_file"])
            if passes:
                self.assertEqual(ask(mutual, tls=context)[0], 200)
            else:
                with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                    ask(mutual, tls=context)

    def test_a_configuration_that_cannot_work_is_refused_without_its_secret(self) -> None:
        for wrong in ({"backend": "none"}, {"backend": "jwt"}, {"secrets": 1}, {"tls": {}, "backend": "open"}):
            with self.assertRaises(RuntimeError):
                Running("admin/serve.py", wrong)


if __name__ == "__main__":
    unittest.main()
