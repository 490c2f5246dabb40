"""Do the servers go together? A token of each issuer is what the admin accepts. `python -m unittest` in this folder."""

from __future__ import annotations

import json
import subprocess
import unittest
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from running import Running

QUIET = {"seed": "none", "workers": False}


def curl(url: str, *words: str) -> tuple[int, str]:
    """HTTP status and body."""
    ran = subprocess.run(
        ["curl", "-sS", "-m", "10", "-w", "\n%{http_code}", url, *words], capture_output=True, text=True
    )
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), body


class Together(unittest.TestCase):
    def start(self, script: str, configuration: dict[str, Any]) -> dict[str, Any]:
        server = Running(script, configuration)
        self.addCleanup(server.end)
        return server.ready

    def status(self, admin: dict[str, Any], token: str) -> int:
        return curl(admin["base_url"] + "/", "-H", f"Authorization: Bearer {token}")[0]

    def test_the_admin_takes_the_providers_tokens(self) -> None:
        for algorithm in ("RS256", "ES256"):
            for machine, expected in (({"is_admin": True}, 200), ({"roles": ["admin"]}, 200), ({"roles": ["x"]}, 403)):
                provider = self.start("provider/serve.mjs", {"algorithm": algorithm, "machine_claims": machine})
                words = ["--cacert", provider["ca_file"], "-d", "grant_type=client_credentials"]
                words += ["-u", f"console-basic:{provider['client_secret']}"]
                token = json.loads(curl(f"{provider['issuer']}/token", *words)[1])["access_token"]
                accepts = {
                    **QUIET,
                    "secret": provider["public_key_pem"],
                    "algorithm": algorithm,
                    "audience": provider["resource"],
                    "issuer": provider["issuer"],
                }
                self.assertEqual(self.status(self.start("admin/serve.py", accepts), token), expected)
            other = self.start("admin/serve.py", {**accepts, "audience": "another"})
            self.assertEqual(self.status(other, token), 303)

    def test_the_admin_takes_the_issuers_tokens(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        same = {"algorithm": "ES256", "audience": "a", "issuer": "i"}
        users = [{"id": "alice", "password": "p"}, {"id": "norma", "password": "p", "is_admin": False}]
        issuer = self.start("admin/issue.py", {**same, "secret": private, "users": users})
        admin = self.start("admin/serve.py", {**QUIET, **same, "secret": public})
        for user, expected in (("alice", 200), ("norma", 403)):
            answer = curl(issuer["token_url"], "--data-urlencode", f"username={user}", "-d", "password=p")[1]
            self.assertEqual(self.status(admin, json.loads(answer)["access_token"]), expected)

    def test_one_authority_serves_everything(self) -> None:
        made = self.start("certificates/serve.py", {})
        trusting = ["--cacert", made["ca_file"]]
        provider = self.start("provider/serve.mjs", {"tls": made["server"]})
        self.assertNotIn("ca_file", provider)
        self.assertEqual(curl(provider["discovery_url"], *trusting)[0], 200)
        proxies = self.start("proxies/serve.mjs", {"tls": made["server"], "username": "ops", "password": "p"})
        through = [*trusting, "--noproxy", "", "--proxy-cacert", made["ca_file"], "-x"]
        for proxy in (proxies["socks5_url"], proxies["http_url"], proxies["https_url"]):
            named = proxy.replace("://", "://ops:p@")
            self.assertEqual(curl(provider["discovery_url"], *through, named)[0], 200, proxy)


if __name__ == "__main__":
    unittest.main()
