"""A Hugging Face Hub on this machine, for tests: the parts of its protocol that clients use, and the
ways in which networks go wrong. Python's standard library only.

    python3 tests/e2e/hub_server.py FOLDER      serves FOLDER/org/name/... as repositories, for a try by hand

One Hub listens on two ports. The first answers /ORG/NAME/resolve/REVISION/FILE and
/api/models/ORG/NAME/revision/REVISION; large files ("LFS") are redirected to the second, which is
another origin and plays the content network. Every request is kept in `requests`.
"""
import hashlib
import http.server
import json
import pathlib
import re
import socket
import sys
import threading
import time
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Repo:
    """files: name -> bytes. Those in `lfs` are large: sha256 as etag, content from the other host."""

    def __init__(self, files, lfs=(), commit=COMMIT, token=None, gated=False):
        self.files, self.lfs, self.commit = dict(files), set(lfs), commit
        self.token, self.gated = token, gated
        self.revisions = {"main": commit, commit: commit}

    def etag(self, name):
        data = self.files[name]
        return hashlib.sha256(data).hexdigest() if name in self.lfs else git_sha1(data)


class Faults:
    """What goes wrong; each test sets what it needs. Counts go down as they are used."""

    def __init__(self):
        self.break_after = []       # bodies end after so many bytes, one entry per request
        self.busy = []              # statuses of the next answers, e.g. [503, 429]
        self.retry_after = None
        self.trickle = None         # (bytes, seconds) per piece
        self.stall_after = []       # bodies stop after so many bytes, the connection stays open
        self.corrupt = False        # other bytes of the same length
        self.size_lie = 0           # added to X-Linked-Size
        self.no_ranges = False      # 200 for a Range
        self.wrong_range = False    # 206 with another range than asked for
        self.no_etag = False
        self.no_commit = False
        self.no_length = False      # bodies without Content-Length
        self.bad_etag = None
        self.redirect_loop = False
        self.relative_redirect = False   # /org/name was renamed: a redirect on the same host
        self.redirect_to = None     # a Location for content
        self.huge_header = False
        self.listing = None         # bytes in place of the API's JSON


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        hub = self.server.hub
        with hub.lock:
            hub.requests.append((self.server.role, self.command, self.path, dict(self.headers)))
        if hub.faults.busy:
            return self.refuse(hub.faults.busy.pop(0))
        path = urllib.parse.unquote(self.path.split("?")[0])
        if hub.faults.huge_header:
            return self.send(200, {f"X-Filler-{i}": "x" * 1000 for i in range(100)}, b"")
        if self.server.role == "cdn":
            return self.content(path)
        if match := re.fullmatch(r"/api/models/([^/]+(?:/[^/]+)?)/revision/(.+)", path):
            return self.listing(*match.groups())
        if match := re.fullmatch(r"/(moved/)?([^/]+(?:/[^/]+)?)/resolve/(refs/pr/\d+|[^/]+)/(.+)", path):
            return self.resolve(*match.groups())
        if path in hub.plain:
            return self.body(hub.plain[path], {})
        return self.refuse(404)

    def repo(self, name, revision):
        """The repository and the commit, or None after an error was sent."""
        hub = self.server.hub
        repo = hub.repos.get(name)
        if repo is None:
            return self.refuse(404 if "Authorization" in self.headers else 401, "RepoNotFound")
        if repo.token and self.headers.get("Authorization") != f"Bearer {repo.token}":
            return self.refuse(403 if repo.gated else 401, "GatedRepo" if repo.gated else "RepoNotFound")
        if revision not in repo.revisions:
            return self.refuse(404, "RevisionNotFound")
        return repo, repo.revisions[revision]

    def listing(self, name, revision):
        found = self.repo(name, revision)
        if found is None:
            return
        repo, commit = found
        text = json.dumps({"id": name, "sha": commit, "private": False,
                           "siblings": [{"rfilename": file} for file in repo.files]}).encode()
        faults = self.server.hub.faults
        self.send(200, {"Content-Type": "application/json"},
                  text if faults.listing is None else faults.listing)

    def resolve(self, moved, name, revision, file):
        hub, faults = self.server.hub, self.server.hub.faults
        found = self.repo(name, revision)
        if found is None:
            return
        repo, commit = found
        if faults.redirect_loop or (faults.relative_redirect and not moved):
            return self.send(307, {"Location": "/moved" + self.path.replace("/moved", "")}, b"")
        if file not in repo.files:
            return self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
        headers = {"X-Repo-Commit": commit}
        if faults.no_commit:
            headers = {}
        etag = faults.bad_etag or f'"{repo.etag(file)}"'
        if file in repo.lfs:
            if not faults.no_etag:
                headers["X-Linked-Etag"] = etag
            headers["X-Linked-Size"] = str(len(repo.files[file]) + faults.size_lie)
            headers["Location"] = faults.redirect_to or f"{hub.cdn}/{name}/{file}?signature=secret"
            return self.send(302, headers, b"Found")
        if not faults.no_etag:
            headers["ETag"] = etag
        self.body(repo.files[file], headers)

    def content(self, path):
        org, name, file = path[1:].split("/", 2)
        self.body(self.server.hub.repos[f"{org}/{name}"].files[file], {"ETag": '"other"'})

    def body(self, data, headers):
        faults = self.server.hub.faults
        status, first = 200, 0
        if (asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))) and not faults.no_ranges:
            first = int(asked.group(1))
            if first >= len(data):
                return self.send(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
            status = 206
            shift = 1 if faults.wrong_range else 0
            headers["Content-Range"] = f"bytes {first - shift}-{len(data) - 1}/{len(data)}"
        if faults.corrupt:
            data = bytes(b ^ 0x20 for b in data)
        self.send(status, headers, data[first:], faulty=True)

    def send(self, status, headers, data, faulty=False):
        faults = self.server.hub.faults
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if faults.no_length and faulty and self.command == "GET":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if faulty:
            self.write_faulty(data, faults)
        else:
            self.wfile.write(data)

    def write_faulty(self, data, faults):
        with self.server.hub.lock:
            stop = faults.break_after.pop(0) if faults.break_after else None
            stall = faults.stall_after.pop(0) if faults.stall_after and stop is None else None
        step, pause = faults.trickle or (65536, 0)
        end = min(x for x in (len(data), stop, stall) if x is not None)
        for at in range(0, end, step):
            self.wfile.write(data[at:min(at + step, end)])
            self.wfile.flush()
            time.sleep(pause)
        if stall is not None and end < len(data):
            self.server.hub.stopped.wait(30)
        if end < len(data):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def refuse(self, status, code=None, headers=None):
        headers = dict(headers or {})
        if code:
            headers["X-Error-Code"] = code
            headers["X-Error-Message"] = code
        if self.server.hub.faults.retry_after is not None:
            headers["Retry-After"] = str(self.server.hub.faults.retry_after)
        self.send(status, headers, b'{"error":"refused"}')


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub, role):
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub, self.role = hub, role

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is part of the tests
            super().handle_error(request, client_address)


class Hub:
    """`with Hub() as hub:` serves hub.repos at hub.url until the block ends."""

    def __init__(self):
        self.repos, self.plain, self.requests = {}, {}, []
        self.faults, self.lock, self.stopped = Faults(), threading.Lock(), threading.Event()
        self.servers = [Server(self, "hub"), Server(self, "cdn")]
        self.url, self.cdn = (f"http://127.0.0.1:{s.server_address[1]}" for s in self.servers)

    def __enter__(self):
        for server in self.servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05},
                             daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.stopped.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def seen(self, command, part, role=None):
        """Requests of a method whose path holds `part`."""
        with self.lock:
            return [r for r in self.requests
                    if r[1] == command and part in r[2] and (role is None or r[0] == role)]


def main():
    root = pathlib.Path(sys.argv[1])
    with Hub() as hub:
        for folder in root.glob("*/*"):
            files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
            large = [name for name, data in files.items() if len(data) > 100_000]
            hub.repos[f"{folder.parent.name}/{folder.name}"] = Repo(files, large)
        print(f"HF_ENDPOINT={hub.url} serves {', '.join(hub.repos)}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
