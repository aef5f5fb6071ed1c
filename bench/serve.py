#!/usr/bin/env python3
"""Requests a second of `pomerium-jwt serve`'s /auth, alone and behind nginx's auth_request, and its memory.

usage: serve.py PATH-OF-POMERIUM-JWT [SECONDS]
"""

import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples/serve"))
from test import free_port, running, wait_for  # noqa: E402

EXAMPLE = Path(__file__).resolve().parent.parent / "examples/serve/nginx.conf"


def memory(process):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1])


def measure(name, url, token, seconds, process):
    before = memory(process)
    output = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", "--latency", "-H", f"X-Pomerium-Jwt-Assertion: {token}", url],
        check=True, capture_output=True, text=True).stdout
    rate, p99 = re.search(r"Requests/sec:\s+(\S+)", output)[1], re.search(r"99%\s+(\S+)", output)[1]
    bad = re.search(r"Non-2xx.*", output)
    print(f"{name:28} {rate:>10} requests/s   p99 {p99:>9}   {before} -> {memory(process)} kB   {bad[0] if bad else ''}")


def main(command, seconds="5"):
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with running([command, "issuer"], **pipe) as issuer, tempfile.TemporaryDirectory() as folder:
        url = issuer.stdout.readline().decode().split()[1]
        # Valid for an hour: it is checked again for each request all the same
        token = urllib.request.urlopen(f"{url}/mint?sub=alice&email=a@example.com&groups=a,b&expires_in=3600").read().decode().strip()
        with running([command, "serve", "--listen", "127.0.0.1:0", "--route", url, "--proxy", "nginx"], **pipe) as serve:
            address = serve.stdout.readline().decode().strip()
            measure("/healthz (no check)", f"{address}/healthz", token, seconds, serve)
            measure("/auth", f"{address}/auth", token, seconds, serve)
            ports = {"8080": free_port(), "8000": address.rsplit(":", 1)[1]}
            text = re.sub(r"127\.0\.0\.1:(8080|8000)\b", lambda match: f"127.0.0.1:{ports[match[1]]}", EXAMPLE.read_text())
            text = text.replace("proxy_pass http://127.0.0.1:3000;", "root /nowhere; try_files /nothing @done;")
            text = text.replace("location @unavailable", "location @done { return 204; }\n    location @unavailable")
            text = f"daemon off; pid {folder}/pid; error_log /dev/null; events {{}} http {{ access_log off; {text} }}"
            (Path(folder) / "config").write_text(text)
            with running(["/usr/sbin/nginx", "-p", folder, "-c", f"{folder}/config"], stderr=subprocess.DEVNULL) as nginx:
                wait_for(ports["8080"], nginx)
                measure("nginx auth_request", f"http://127.0.0.1:{ports['8080']}/a", token, seconds, serve)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
