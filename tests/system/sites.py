# Web servers for the tests of spliced services: nginx, Apache httpd and origin.py in every backend.
"""start(system) starts them all; spliced() is the text of a service in front of one of them."""

import json
import os
import shutil
import subprocess
import time

from hawser import PYTHON, RUN, Broken, Lab, netns
from harness import HERE
from peers import BACKENDS
from services import EVEN, EVEN6

SITE = "10.77.0.100"
SITE6 = "fd77::100"
CLIENT, CLIENT6 = "10.77.0.207", "fd77::207"
SOURCES = ",".join(f"10.77.0.{n}" for n in range(201, 221))
# Ports of the servers. PROXIED: behind a PROXY header.
NGINX_PROXIED, NGINX, NGINX_TLS, NGINX_TLS_PROXIED = 8180, 8182, 8443, 8444
APACHE_PROXIED = 8280
ORIGIN, ORIGIN_PROXIED, WEBSOCKET = 8382, 8380, 8390
NAT_ADDRESSES = ("10.77.0.20", "10.77.0.21", "fd77::20")
CLOSED = 8999  # nobody listens there
NAMES = ("a.example", "b.example")
# nginx of the lab answers checks, so that a service is well before the servers here are started.
CHECK = 'check = { type = "http", path = "/healthz", port = 8080, interval = "500ms", ' \
        'timeout = "300ms", rise = 2, fall = 2 }\n'
COOKIE = 'affinity = { by = "cookie" }\n'
PROXY = 'client_address = "proxy-v2"\n'


def spliced(name, port, backend_port, extra=COOKIE + PROXY, address=SITE, backends=None, **more):
    """A service; `more` may have protocol, rules (text behind all), check."""
    if backends is None:
        backends = EVEN6 if ":" in address else EVEN
    rows = []
    for row in backends:
        backend, backend_address, weight, *generation = row
        also = f', generation = "{generation[0]}"' if generation else ""
        rows.append(f'  {{ name = "{backend}", address = "{backend_address}", '
                    f"port = {backend_port}, weight = {weight}{also} }},\n")
    return (f'[[service]]\nname = "{name}"\naddress = "{address}"\nport = {port}\n'
            f'protocol = "{more.get("protocol", "http")}"\nforward = "splice"\n{extra}'
            f'{more.get("check", CHECK)}backend = [\n{"".join(rows)}]\n{more.get("rules", "")}\n')


def nginx_listens(n, port, words):
    return "".join(f"    listen {address}:{port} {words} backlog=4096;\n"
                   for address in (f"10.77.0.1{n}", f"[fd77::1{n}]"))


def nginx_tls_servers(n):
    text = ""
    for name in NAMES:
        default = " default_server" if name == NAMES[0] else ""
        text += (f"  server {{\n    listen 10.77.0.1{n}:{NGINX_TLS} ssl{default};\n"
                 f"    listen 10.77.0.1{n}:{NGINX_TLS_PROXIED} ssl proxy_protocol{default};\n"
                 f"    server_name {name};\n    ssl_certificate {RUN}/{name}.crt;\n"
                 f"    ssl_certificate_key {RUN}/{name}.key;\n"
                 "    add_header X-Client \"$proxy_protocol_addr $proxy_protocol_port\" always;\n"
                 f"    add_header X-Backend b{n} always;\n    add_header X-Name {name} always;\n"
                 f"    location / {{ return 200 \"{name}\\n\"; }}\n"
                 f"    location /files/ {{ alias {RUN}/files/; }}\n  }}\n")
    return text


def nginx_configuration(n):
    place = f"{RUN}/site{n}"
    temporary = "".join(f"  {kind}_temp_path {place}/tmp;\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""\
user www-data;
worker_processes 1;
daemon off;
pid {place}/pid;
error_log {place}/error.log warn;
events {{ worker_connections 16384; }}
http {{
  access_log off;
{temporary}
  default_type text/plain;
  keepalive_requests 10000000;
  keepalive_timeout 300s;
  sendfile on;
  tcp_nopush on;
  large_client_header_buffers 8 32k;
  client_max_body_size 0;
  client_header_timeout 20s;
  map $http_upgrade $wanted {{ default upgrade; '' close; }}
  ssl_protocols TLSv1.2 TLSv1.3;
  server {{
{nginx_listens(n, NGINX_PROXIED, "proxy_protocol")}{nginx_listens(n, NGINX, "")}
    add_header X-Backend b{n} always;
    add_header X-Agent $http_user_agent always;
    add_header X-Client "$proxy_protocol_addr $proxy_protocol_port" always;
    add_header X-For $http_x_forwarded_for always;
    location / {{ return 200 "b{n}\\n"; }}
    location /uri/ {{ return 200 "b{n} $request_uri\\n"; }}
    location /files/ {{ alias {RUN}/files/; }}
    location /ws {{
      proxy_pass http://127.0.0.1:{WEBSOCKET};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $wanted;
      proxy_read_timeout 300s;
    }}
    location /part/ {{
      default_type application/javascript;
      return 200 "document.write('<b>b{n} $http_cookie</b>');\\n";
    }}
  }}
{nginx_tls_servers(n)}}}
"""


MODULES = ("mpm_event", "authz_core", "remoteip", "headers", "mime", "unixd", "reqtimeout")


def apache_configuration(n):
    place = f"{RUN}/apache{n}"
    # What is compiled in has no file.
    files = {name: f"/usr/lib/apache2/modules/mod_{name}.so" for name in MODULES}
    modules = "".join(f"LoadModule {name}_module {file}\n" for name, file in files.items()
                      if os.path.exists(file))
    return f"""\
{modules}ServerRoot {place}
ServerName site
DefaultRuntimeDir {place}
PidFile {place}/pid
ErrorLog {place}/error.log
LogLevel warn
User www-data
Group www-data
ServerLimit 4
StartServers 1
ThreadsPerChild 64
MaxRequestWorkers 256
Listen 10.77.0.1{n}:{APACHE_PROXIED}
Listen [fd77::1{n}]:{APACHE_PROXIED}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
LimitRequestFieldSize 20000
TypesConfig /dev/null
DocumentRoot {RUN}/files
RemoteIPProxyProtocol On
Header always set X-Backend b{n}
Header always set X-Agent "expr=%{{HTTP_USER_AGENT}}"
Header always set X-Client "expr=%{{REMOTE_ADDR}} %{{REMOTE_PORT}}"
<Directory {RUN}/files>
  Require all granted
</Directory>
"""


def make_certificates():
    for name in NAMES:
        if os.path.exists(f"{RUN}/{name}.crt"):
            continue
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                        "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{RUN}/{name}.key",
                        "-out", f"{RUN}/{name}.crt"], check=True, capture_output=True)


def write(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def make_files():
    write(f"{RUN}/files/index.html", "home\n")
    parts = "".join(f'<script src="/part/{n}.js"></script>\n' for n in range(20))
    write(f"{RUN}/files/page.html", f"<!doctype html><title>page</title><body>\n{parts}</body>\n")


def listens(space, port):
    done = Lab.run(space, "ss", "-Hlnt", f"sport = :{port}")
    return done.stdout.strip() != ""


def start_nginx(system, n):
    place = f"{RUN}/site{n}"
    os.makedirs(f"{place}/tmp", exist_ok=True)
    shutil.chown(f"{place}/tmp", "www-data")
    write(f"{place}/nginx.conf", nginx_configuration(n))
    system.helper(f"site{n}", f"backend{n}", "nginx", "-p", f"{place}/", "-c",
                  f"{place}/nginx.conf", "-e", f"{place}/error.log")


def start_apache(system, n):
    place = f"{RUN}/apache{n}"
    os.makedirs(place, exist_ok=True)
    write(f"{place}/httpd.conf", apache_configuration(n))
    system.helper(f"apache{n}", f"backend{n}", "apache2", "-f", f"{place}/httpd.conf",
                  "-DFOREGROUND")


def start(system):
    """Every server in every backend; nothing happens when they run."""
    wanted = {f"{kind}{n}" for kind in ("site", "apache", "origin") for n in BACKENDS}
    if all(name in system.helpers and system.helpers[name].alive() for name in wanted):
        return
    make_certificates()
    make_files()
    for n in BACKENDS:
        start_nginx(system, n)
        start_apache(system, n)
        system.helper(f"origin{n}", f"backend{n}", PYTHON, os.path.join(HERE, "origin.py"),
                      f"b{n}", str(ORIGIN), str(ORIGIN_PROXIED), str(WEBSOCKET))
    for n in BACKENDS:
        for port in (NGINX_PROXIED, NGINX_TLS, APACHE_PROXIED, ORIGIN, ORIGIN_PROXIED, WEBSOCKET):
            system.wait(lambda p=port, s=f"backend{n}": listens(s, p),
                        f"port {port} of backend {n}")


def kill_nginx(system, n):
    """All processes of the site's nginx at once, as an accident would."""
    helper = system.helpers.pop(f"site{n}")
    with open(f"{RUN}/site{n}/pid", encoding="ascii") as stream:
        master = stream.read().strip()
    workers = subprocess.run(["pgrep", "-P", master], capture_output=True, text=True, check=False)
    subprocess.run(["kill", "-9", master, *workers.stdout.split()], check=True)
    helper.process.wait()


def causes(system, service):
    """{name: count} of one service: refusals by name, "cookie CAUSE", "rule NAME", sessions."""
    for row in system.balancer.json("counters", "--all")["services"]:
        if row["service"] == service:
            seen = {entry["name"]: entry["packets"] for entry in row["refusals"]}
            for group, word in (("cookies", "cookie"), ("rules", "rule")):
                seen.update({f"{word} {entry['name']}": entry["packets"] for entry in row[group]})
            for name in ("requests", "sessions_new", "sessions_kept", "sessions_moved"):
                seen[name] = row[name]
            return seen
    raise Broken(f"no counters of service {service}")


def caused(system, service, action):
    """Runs `action`; returns (its value, {cause: by how much it rose})."""
    before = causes(system, service)
    value = action()
    after = causes(system, service)
    return value, {name: count - before.get(name, 0) for name, count in after.items()
                   if count != before.get(name, 0)}


def still_open(system):
    """Connections that servers still have with the balancer, and local ports it still uses."""
    seen = {}
    for n in BACKENDS:
        done = Lab.run(f"backend{n}", "ss", "-Hnt", "state", "established", "state", "close-wait")
        rows = [line for line in done.stdout.split("\n")
                if any(address in line for address in NAT_ADDRESSES)]
        if rows:
            seen[f"b{n}"] = f"{len(rows)}, such as {' '.join(rows[0].split())}"
    for worker in system.balancer.json("status")["dataplane"]["workers"]:
        if worker["nat_ports_used"]:
            seen["local ports"] = worker["nat_ports_used"]
    return seen


def everything_closes(system, seconds=8):
    """Once all clients are gone: no server has a connection left, no local port is used."""
    end = time.monotonic() + seconds
    while still_open(system):
        if time.monotonic() > end:
            raise Broken(f"still open after {seconds} s: {still_open(system)}")
        time.sleep(0.2)


def sessions(*arguments, timeout=120):
    """sessions.py in the client's namespace, to its end; what it tells."""
    done = Lab.run("client", PYTHON, os.path.join(HERE, "sessions.py"), *map(str, arguments),
                   timeout=timeout)
    if done.returncode != 0:
        raise Broken(f"sessions.py: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout)


class Crowd:
    """sessions.py that goes on until it is stopped: a context manager."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            netns("client", PYTHON, os.path.join(HERE, "sessions.py"), *map(str, arguments)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.told = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.told is None:
            self.process.kill()
            self.process.communicate()

    def stop(self):
        """What happened, once the requests under way have ended."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=30)
        if self.process.returncode != 0:
            raise Broken(f"sessions.py: {err.strip()[-600:]}")
        self.told = json.loads(out)
        return self.told
