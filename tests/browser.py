"""A headless Chromium that a test can drive: the DevTools protocol over tornado's web socket, no driver needed."""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--remote-debugging-port=0",
    "--allow-file-access-from-files",
)
WAIT = 60  # seconds for an answer


class Browser:
    """One page of a browser. Use as `with Browser() as page:`; calls block."""

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [PROGRAM, *OPTIONS, f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        line = next(line for line in self.process.stderr if "DevTools listening" in line)
        host = re.search(r"ws://([^/]+)/", line)[1]
        self.loop = asyncio.new_event_loop()
        self.count, self.events = 0, []
        self.socket = self._wait(self._connect(host))
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *error):
        self._wait(self._close())
        self.process.terminate()
        self.process.wait(10)
        self.process.stderr.close()
        self.loop.close()
        self.profile.cleanup()

    def ask(self, method, **parameters):
        """The answer to a command of the protocol."""
        self.count += 1
        self._wait(self._say({"id": self.count, "method": method, "params": parameters}))
        return self._until(lambda told: told.get("id") == self.count).get("result", {})

    def open(self, address, width=1200, height=900, mobile=False):
        """Load a page at a size in px; returns what it complained of: console errors, exceptions, failed loads."""
        self.events.clear()
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        self.ask("Page.navigate", url=address)
        if not any(told.get("method") == "Page.loadEventFired" for told in self.events):
            self._until(lambda told: told.get("method") == "Page.loadEventFired")
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
        return [complaint for told in self.events if (complaint := _complaint(told))]

    def run(self, expression):
        """The value of a JavaScript expression in the page."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"])
        return told["result"].get("value")

    def press(self, key):
        """A key goes down and up."""
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode={"Tab": 9}[key])

    async def _connect(self, host):
        pages = await AsyncHTTPClient().fetch(HTTPRequest(f"http://{host}/json"))
        target = next(one for one in json.loads(pages.body) if one["type"] == "page")
        return await websocket_connect(target["webSocketDebuggerUrl"], max_message_size=2**26)

    async def _close(self):
        self.socket.close()

    async def _say(self, told):
        await self.socket.write_message(json.dumps(told))

    async def _hear(self):
        return await self.socket.read_message()

    def _wait(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, WAIT))

    def _until(self, found):
        while True:
            told = json.loads(self._wait(self._hear()))
            self.events.append(told)
            if found(told):
                return told


def _complaint(told):
    """What an event complains of, or nothing."""
    method, details = told.get("method"), told.get("params", {})
    if method == "Runtime.exceptionThrown":
        return str(details["exceptionDetails"].get("exception", details["exceptionDetails"])["description"])
    if method == "Runtime.consoleAPICalled" and details["type"] == "error":
        return " ".join(str(one.get("value", one.get("description"))) for one in details["args"])
    if method == "Log.entryAdded" and details["entry"]["level"] == "error":
        return details["entry"]["text"] + " " + details["entry"].get("url", "")
    return ""
