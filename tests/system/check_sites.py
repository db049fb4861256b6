# Certificates of every kind, and an nginx that shows each at a port of its own.
"""make() makes the certificates, nginx() is the text of the configuration."""

import datetime
import os
import subprocess

from hawser import RUN, Broken

FOLDER = f"{RUN}/checks"
NAME = "web.test"
PORTS = {"good": 9443, "expired": 9444, "soon": 9445, "other": 9446, "self": 9447,
         "stranger": 9448, "old": 9449, "asks": 9450, "proxied": 9451, "proxied_tls": 9452,
         "plain": 9453}
AUTHORITY = """\
[ca]
default_ca = own
[own]
dir = {folder}
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"openssl {' '.join(arguments)}: {done.stderr.strip()[-400:]}")


def day(days):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return when.strftime("%Y%m%d%H%M%SZ"), when.strftime("%Y-%m-%d")


def request(name, subject, *more):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            f"{FOLDER}/{name}.key", "-subj", f"/CN={subject}", *more)


def signed(name, subject, first, last, authority="authority"):
    """A certificate of `authority`, valid between these days from now."""
    request(name, subject, "-out", f"{FOLDER}/{name}.csr", "-addext",
            f"subjectAltName=DNS:{subject}")
    openssl("ca", "-batch", "-config", f"{FOLDER}/ca.conf", "-cert", f"{FOLDER}/{authority}.crt",
            "-keyfile", f"{FOLDER}/{authority}.key", "-in", f"{FOLDER}/{name}.csr", "-out",
            f"{FOLDER}/{name}.crt", "-notext", "-startdate", day(first)[0], "-enddate",
            day(last)[0])


def make():
    os.makedirs(FOLDER, exist_ok=True)
    for file, text in (("ca.conf", AUTHORITY.format(folder=FOLDER)), ("index", ""),
                       ("serial", "01\n")):
        with open(f"{FOLDER}/{file}", "w", encoding="ascii") as stream:
            stream.write(text)
    for authority, subject in (("authority", "Lab Authority"), ("nobody", "Nobody's Authority")):
        request(authority, subject, "-x509", "-days", "90", "-out", f"{FOLDER}/{authority}.crt")
    request("self", NAME, "-x509", "-days", "90", "-out", f"{FOLDER}/self.crt", "-addext",
            f"subjectAltName=DNS:{NAME}")
    signed("good", NAME, -2, 60)
    signed("expired", NAME, -9, -3)
    signed("soon", NAME, -2, 3.5)
    signed("other", "other.test", -2, 60)
    signed("stranger", NAME, -2, 60, "nobody")
    signed("client", "client.test", -2, 60)


def server(name, listen, certificate=None, more=""):
    tls = (f"    ssl_certificate {FOLDER}/{certificate}.crt;\n"
           f"    ssl_certificate_key {FOLDER}/{certificate}.key;\n" if certificate else "")
    words = (" ssl" if certificate else "") + listen
    return (f"  server {{\n    listen 0.0.0.0:{PORTS[name]}{words};\n{tls}{more}"
            "    add_header X-Ready yes always;\n"
            "    add_header X-Told \"$request_method $http_x_check $host\" always;\n"
            "    location / { return 200 \"status: ok 42\\n\"; }\n  }\n")


def nginx():
    old = ("    ssl_protocols TLSv1.1;\n    ssl_ciphers ALL:@SECLEVEL=0;\n")
    asks = f"    ssl_verify_client on;\n    ssl_client_certificate {FOLDER}/authority.crt;\n"
    same = "".join(server(name, "", name) for name in ("good", "expired", "soon", "other", "self",
                                                       "stranger"))
    temporary = "".join(f"  {kind}_temp_path {FOLDER}/tmp;\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (f"worker_processes 1;\ndaemon off;\npid {FOLDER}/pid;\n"
            f"error_log {FOLDER}/nginx.log warn;\nevents {{ worker_connections 1024; }}\n"
            f"http {{\n  access_log off;\n{temporary}{same}"
            + server("old", "", "good", old) + server("asks", "", "good", asks)
            + server("proxied", " proxy_protocol") + server("proxied_tls", " proxy_protocol", "good")
            + server("plain", "") + "}\n")
