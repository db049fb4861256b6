#!/usr/bin/python3
# Catches the first messages of real TLS clients for client_hello_vectors.h, and checks those there.
"""usage: client_hello_vectors.py openssl | listen PORT | check

openssl  prints hellos of the OpenSSL that Python uses
listen   prints the first bytes of one client that connects to 127.0.0.1, for example
           chromium --headless=new --host-resolver-rules="MAP * 127.0.0.1" \\
             https://shop.example:PORT/
           keytool -J-Djdk.net.hosts.file=FILE -printcert -sslserver shop.example:PORT
check    gives each hello of the header to a server of OpenSSL (needs its command) and compares the
         name (in lower case) and the protocols that it sees with those that the header says; one
         TAP line each
"""
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile

HEADER = pathlib.Path(__file__).with_name("client_hello_vectors.h")
ROW = re.compile(r'\.title = "(.*?)",\s*\.name = "(.*?)",\s*\.protocols = "(.*?)",.*?'
                 r'\.hex =((?:\s*"[0-9a-f]*")+)', re.DOTALL)


def vectors():
    """Title, name, protocols and bytes of each hello in the header."""
    for title, name, protocols, lines in ROW.findall(HEADER.read_text()):
        yield title, name, protocols.split(), bytes.fromhex("".join(re.findall(r'"(.*?)"', lines)))


def print_hex(hello):
    text = hello.hex()
    print("\n".join(f'         "{text[i:i + 84]}"' for i in range(0, len(text), 84)))


def openssl_hello(name, protocols=(), newest=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = newest
    if protocols:
        context.set_alpn_protocols(protocols)
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("a handshake without a server")


def listen(port):
    with socket.create_server(("127.0.0.1", port)) as server:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(1)
            hello = b""
            while len(hello) < 5 or len(hello) < 5 + int.from_bytes(hello[3:5], "big"):
                hello += connection.recv(65536)
            return hello


def seen_by_openssl(hello, certificate, protocols):
    """The name and the protocol a server that can do `protocols` alone takes from the hello."""
    seen = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(protocols)
    context.sni_callback = lambda connection, name, context: seen.append(name)
    received = ssl.MemoryBIO()
    received.write(hello)
    server = context.wrap_bio(received, ssl.MemoryBIO(), server_side=True)
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return ((seen[0] if seen else None) or "").lower(), server.selected_alpn_protocol()


def check():
    with tempfile.TemporaryDirectory() as directory:
        certificate = pathlib.Path(directory) / "pair.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                        "/CN=any", "-keyout", certificate, "-out", certificate.with_suffix(".c")],
                       check=True, stderr=subprocess.DEVNULL)
        with certificate.open("ab") as pair:
            pair.write(certificate.with_suffix(".c").read_bytes())
        failed = 0
        rows = list(vectors())
        print(f"1..{len(rows)}")
        for number, (title, name, protocols, hello) in enumerate(rows, 1):
            seen = [seen_by_openssl(hello, certificate, [wanted])
                    for wanted in protocols + ["none of them"]]
            good = seen == [(name, wanted) for wanted in protocols] + [(name, None)]
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {title}: {seen}")
        return 1 if failed or not rows else 0


def main():
    if sys.argv[1:] == ["openssl"]:
        print(ssl.OPENSSL_VERSION)
        print_hex(openssl_hello("Shop.Example", ["h2", "http/1.1"]))
        print_hex(openssl_hello(None, newest=ssl.TLSVersion.TLSv1_2))
    elif sys.argv[1:2] == ["listen"] and len(sys.argv) == 3:
        print_hex(listen(int(sys.argv[2])))
    elif sys.argv[1:] == ["check"]:
        return check()
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
