# Chromium without a window, told what to do over the DevTools protocol, in a namespace of the lab.
"""Browser: the program. Page: a tab of it, with what it asked for and what it complained about."""

import base64
import contextlib
import json
import os
import queue
import shutil
import subprocess
import threading
import time

from hawser import RUN, Broken, netns
from harness import Skipped

OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--no-first-run", "--disable-background-networking", "--disable-component-update",
           "--disable-extensions", "--hide-scrollbars", "--remote-debugging-pipe",
           f"--user-data-dir={RUN}/browser"]
# Chromium reads orders from descriptor 3 and answers on 4. dash knows no numbers above 9.
REDIRECT = 'orders=$1; answers=$2; shift 2; exec "$@" 3<&"$orders" 4>&"$answers"'
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27}


class Browser:
    """A helper of a system test, as peers.py has them: alive(), stop()."""

    def __init__(self, space="balancer"):
        if not shutil.which("chromium"):
            raise Skipped("chromium is not installed")
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        command = netns(space, "bash", "-c", REDIRECT, "bash", str(orders), str(answers),
                        "chromium", *OPTIONS, "about:blank")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=(orders, answers), start_new_session=True,
            env={**os.environ, "HOME": RUN, "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
        os.close(orders)
        os.close(answers)
        self.number = 0
        self.results = {}
        self.told = threading.Condition()
        self.pages = {}  # by session
        self.gone = False
        threading.Thread(target=self.listen, daemon=True).start()

    def alive(self):
        return self.process.poll() is None

    @staticmethod
    def tail(lines=25):
        return f"(Chromium has no log of {lines} lines)"

    def stop(self):
        with contextlib.suppress(Broken, OSError):
            self.call("Browser.close", {}, timeout=5)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.orders)

    def listen(self):
        rest = b""
        while True:
            block = os.read(self.answers, 1 << 20)
            if not block:
                break
            *messages, rest = (rest + block).split(b"\0")
            for message in messages:
                self.take(json.loads(message))
        os.close(self.answers)
        with self.told:
            self.gone = True
            self.told.notify_all()

    def take(self, message):
        if "id" in message:
            with self.told:
                self.results[message["id"]] = message
                self.told.notify_all()
        elif message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].take(message["method"], message["params"])

    def send(self, method, parameters, session=None):
        with self.told:
            self.number += 1
            number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.orders, json.dumps(message).encode() + b"\0")
        return number

    def call(self, method, parameters, session=None, timeout=60):
        number = self.send(method, parameters, session)
        with self.told:
            self.told.wait_for(lambda: number in self.results or self.gone, timeout)
            message = self.results.pop(number, None)
        if message is None or "error" in message:
            raise Broken(f"Chromium, {method}: {message['error'] if message else 'no answer'}")
        return message["result"]

    def page(self):
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget",
                            {"targetId": target, "flatten": True})["sessionId"]
        return Page(self, session)


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.requests = []    # URLs
        self.complaints = []  # errors and warnings of the console, exceptions, violations
        self.loaded = queue.Queue()
        self.replace = None   # a function from the text of an answer to another
        browser.pages[session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(1280, 900)

    def call(self, method, timeout=60, **parameters):
        return self.browser.call(method, parameters, self.session, timeout)

    def take(self, method, told):
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(f"{told['type']}: {told['args']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"])[:600])
        elif method == "Page.loadEventFired":
            self.loaded.put(True)
        elif method == "Fetch.requestPaused":
            threading.Thread(target=self.answer, args=(told["requestId"],), daemon=True).start()

    def go(self, url):
        while not self.loaded.empty():
            self.loaded.get()
        told = self.call("Page.navigate", url=url)
        if told.get("errorText"):
            raise Broken(f"{url}: {told['errorText']}")
        try:
            self.loaded.get(timeout=60)
        except queue.Empty:
            raise Broken(f"{url} did not load") from None

    def run(self, script, timeout=120):
        """The value of an expression, awaited."""
        told = self.call("Runtime.evaluate", timeout, expression=script, awaitPromise=True,
                         returnByValue=True)
        if "exceptionDetails" in told:
            raise Broken(f"in the page: {json.dumps(told['exceptionDetails'])[:600]}")
        return told["result"].get("value")

    def until(self, script, what, timeout=30):
        """Waits until the expression is true; returns its value."""
        end = time.monotonic() + timeout
        while True:
            value = self.run(script)
            if value:
                return value
            if time.monotonic() > end:
                text = self.run("document.body.innerText")
                raise Broken(f"waited {timeout} s in vain for {what}; the page: {text[:1500]}")
            time.sleep(0.1)

    def press(self, key, shift=False):
        """A key, as its user would."""
        told = {"key": key, "code": "Space" if key == " " else key, "modifiers": 8 if shift else 0,
                "windowsVirtualKeyCode": KEYS[key]}
        text = {"Enter": "\r", " ": " "}.get(key)
        down = {**told, "text": text} if text else told
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def write(self, text):
        self.call("Input.insertText", text=text)

    def size(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=False)

    def prefer(self, scheme, motion="no-preference"):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion}])

    def picture(self, path):
        """What is seen, as a PNG."""
        told = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        with open(path, "wb") as stream:
            stream.write(base64.b64decode(told["data"]))

    def falsify(self, pattern, replace):
        """From now on `replace` makes the answers that the page gets out of the real ones."""
        self.replace = replace
        self.call("Fetch.enable", patterns=[{"urlPattern": pattern, "requestStage": "Response"}])

    def answer(self, request):
        with contextlib.suppress(Broken):
            told = self.call("Fetch.getResponseBody", requestId=request)
            body = told["body"]
            if told["base64Encoded"]:
                body = base64.b64decode(body).decode()
            body = base64.b64encode(self.replace(body).encode()).decode()
            self.call("Fetch.fulfillRequest", requestId=request, responseCode=200, body=body,
                      responseHeaders=[{"name": "Content-Type", "value": "application/json"}])
