"""A running `openclip serve` for the tests, and clients of Python's standard library."""
import base64
import http.client
import json
import re
import signal
import socket
import struct
import subprocess
import threading

from support import BINARY, ProgramTest, png

RED = png(40, 30, lambda x, y: (220, 30, 30))
BLUE = png(30, 40, lambda x, y: (30, 30, 220))


def data_url(picture):
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def floats(text):
    """The vector in a base64 answer."""
    raw = base64.b64decode(text)
    return struct.unpack(f"<{len(raw) // 4}f", raw)


def form(parts):
    """(content type, body) of multipart/form-data."""
    body = b""
    for name, value in parts.items():
        file = isinstance(value, bytes)
        body += (f'--BOUNDARY\r\nContent-Disposition: form-data; name="{name}"'
                 + ('; filename="a.png"' if file else "") + "\r\n\r\n").encode()
        body += (value if file else value.encode()) + b"\r\n"
    return "multipart/form-data; boundary=BOUNDARY", body + b"--BOUNDARY--\r\n"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]["message"]


class Server:
    """The program with some options on a free port; ready when made."""

    def __init__(self, test, *options):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--verbose", *map(str, options)], cwd=test.dir,
            env=test.env, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        self.log = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"http://(\S+):(\d+) serves", line):
                self.host, self.port = found[1].strip("[]"), int(found[2])
                break
        else:
            raise AssertionError("the server did not start: " + "".join(self.log))
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)

    def connect(self, timeout=30):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, connection=None):
        used = connection or self.connect()
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers = {"Content-Type": "application/json", **(headers or {})}
        try:
            used.request(method, path, body, headers or {})
            return Answer(used.getresponse())
        finally:
            if connection is None:
                used.close()

    def get(self, path, **headers):
        return self.ask("GET", path, headers=headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, headers)

    def raw(self, data, timeout=30, half_close=False):
        """Sends bytes as they are; all that comes back until the server closes."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as s:
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before everything was sent
            got = b""
            try:
                while piece := s.recv(65536):
                    got += piece
            except ConnectionResetError:
                pass
            return got

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        self.reader.join(10)
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.reader.ident:
            self.reader.join(10)
        self.process.stderr.close()


class ServeTest(ProgramTest):
    def serve(self, *options):
        return Server(self, *options)

    def assert_alive(self, server):
        """It still computes, not only answers."""
        answer = server.post("/v1/embeddings", {"input": ["a", data_url(RED)]})
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(server.process.poll(), None)
