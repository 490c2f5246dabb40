"""How does that read in nginx's own words?"""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from front.configuration import Configuration, Demand

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

ACCESS_LOG = (
    '{"event":"request","method":"$request_method","path":"$uri","status":$status,'
    '"protocol":"$server_protocol","connection":$connection,"session":"$ssl_session_reused",'
    '"client_certificate":"$ssl_client_verify","client_name":"$client_name"}'
)


def render(configuration: Configuration, folder: Path, port: int) -> str:
    """The whole nginx.conf; everything that nginx writes lies below `folder`."""
    temporary = "\n".join(f"    {name}_temp_path {folder}/{name};" for name in TEMPORARY)
    user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
    return f"""{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
{temporary}
    log_format events escape=json '{ACCESS_LOG}';
    access_log /dev/stdout events;
    server_tokens off;
    default_type text/html;
    # A name for the client's certificate.
    map $ssl_client_s_dn $client_name {{ default ""; "~(?:^|,)CN=(?<common_name>[^,]+)" $common_name; }}
{_demand_maps(configuration.wanted)}
    server {{
        listen {configuration.authority(port)}{_listen(configuration)};
{_tls(configuration)}
        client_max_body_size 32m;
{_demand(configuration.wanted)}
{_answers(configuration.answers)}
        location / {{
            proxy_pass {configuration.upstream};
            proxy_ssl_verify off;
            proxy_http_version 1.1;
            # Streams last as long as they like.
            proxy_read_timeout 1h;
            proxy_buffering {"on" if configuration.buffering else "off"};
            proxy_set_header Connection "";
{_headers(configuration)}
        }}
    }}
}}
"""


def _listen(configuration: Configuration) -> str:
    if configuration.tls is None:
        return ""
    return " ssl http2" if configuration.http2 else " ssl"


def _tls(configuration: Configuration) -> str:
    tls = configuration.tls
    if tls is None:
        return ""
    lines = [
        f'ssl_certificate "{tls["certificate_file"]}";',
        f'ssl_certificate_key "{tls["key_file"]}";',
        "ssl_protocols TLSv1.2 TLSv1.3;",
    ]
    if "client_ca_file" in tls:
        lines += [f'ssl_client_certificate "{tls["client_ca_file"]}";', "ssl_verify_client on;"]
    return _indented(lines, 8)


def _demands(demand: Demand) -> list[tuple[str, str]]:
    """nginx's variable of each header and cookie that is wanted, and its right value."""
    headers = [(f"$http_{name.lower().replace('-', '_')}", value) for name, value in demand.headers.items()]
    return headers + [(f"$cookie_{name}", value) for name, value in demand.cookies.items()]


def _demand_maps(demand: Demand) -> str:
    """Each wanted value is right, wrong or absent; together they are right, wrong or absent."""
    wanted = _demands(demand)
    if not wanted:
        return ""
    # A regular expression, because nginx compares plain strings without regard to case.
    lines = [
        f'map {variable} $wanted_{number} {{ default wrong; "" absent; "~^{_quoted(value)}$" right; }}'
        for number, (variable, value) in enumerate(wanted)
    ]
    together = " ".join(f"$wanted_{number}" for number in range(len(wanted)))
    right = " ".join("right" for _ in wanted)
    lines.append(f'map "{together}" $access {{ default wrong; "{right}" right; "~absent" absent; }}')
    return _indented(lines, 4)


def _quoted(value: str) -> str:
    return "".join(f"[{character}]" if character in ".+~=" else character for character in value)


def _demand(demand: Demand) -> str:
    if not _demands(demand):
        return ""
    return _indented(
        [f'if ($access = absent) {{ return 302 "{demand.sign_in}"; }}', "if ($access = wrong) { return 403; }"], 8
    )


def _answers(answers: dict) -> str:
    """Paths that the admin is not asked for."""
    return _indented([f"location = {path} {{ return {status}; }}" for path, status in answers.items()], 8)


def _headers(configuration: Configuration) -> str:
    """What the admin sees. The demanded headers stay here; an injected one replaces the client's own."""
    headers = {"Host": "$http_host" if configuration.keep_host else "$proxy_host"}
    if configuration.forwarded:
        headers |= {
            "X-Forwarded-For": "$proxy_add_x_forwarded_for",
            "X-Forwarded-Host": "$http_host",
            "X-Forwarded-Proto": "$scheme",
        }
    headers |= dict.fromkeys(configuration.wanted.headers, "")
    headers |= configuration.inject
    if configuration.identify:
        headers[configuration.identify] = "$client_name"
    return _indented([f'proxy_set_header {name} "{value}";' for name, value in headers.items()], 12)


def _indented(lines: list[str], depth: int) -> str:
    return "\n".join(" " * depth + line for line in lines)
