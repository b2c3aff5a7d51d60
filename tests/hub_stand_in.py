"""A Hub on 127.0.0.1 that keeps in memory what is pushed and serves it again: enough of the HTTP API for both."""

import base64
import hashlib
import json
import re
import socket
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, unquote


TOKEN = "hf_standin"
OWNER = "someone"
KINDS = {"model": "models", "dataset": "datasets", "space": "spaces"}
# What goes to the large file storage first, and into a commit by its hash.
LARGE = (".safetensors", ".parquet", ".png")


@dataclass
class Repository:
    """One repository: whether it is private, and the files of each commit; None for one that it removes."""

    private: bool
    commits: list[dict[str, bytes | None]] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        last = {path: content for commit in self.commits for path, content in commit.items()}
        return {path: content for path, content in last.items() if content is not None}

    @property
    def revision(self) -> str:
        return hashlib.sha1(str(len(self.commits)).encode()).hexdigest()


class HubStandIn:
    """The server, as a context manager.

    Attributes:
        repositories (`dict[str, Repository]`):
            What was pushed; `datasets/` and `spaces/` stand before the ids of theirs.
        refuse_with (`int`, *optional*):
            While it is a status, every request is answered by it.
        faults (`dict[str, list]`):
            What happens instead to the next requests of a kind (`create`, `info`, `preupload`, `large`, `commit`): a
            status; `cut`, the connection ends in the middle; `silent`, no answer comes; `lost`, it is done, and the
            answer does not arrive.
        requests (`list[str]`):
            The kinds of all requests that came.
    """

    def __init__(self):
        self.repositories: dict[str, Repository] = {}
        self.large_files: dict[str, bytes] = {}
        self.refuse_with: int | None = None
        self.faults: dict[str, list[int | str]] = {}
        self.requests: list[str] = []
        self.is_over = Event()

    def __enter__(self) -> "HubStandIn":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self.is_over.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What sends a process of its own to this Hub, logged in."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": TOKEN,
            "HF_HUB_OFFLINE": "0",
            "TRANSFORMERS_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }


def _key(kind: str, repository_id: str) -> str:
    """Where `repositories` keeps it: a Space has the name that its model may have too."""
    return repository_id if kind == "models" else f"{kind}/{repository_id}"


def _hash_small(content: bytes) -> str:
    """The name that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _describe_file(path: str, content: bytes) -> dict:
    described = {"type": "file", "path": path, "size": len(content), "oid": _hash_small(content)}
    if path.endswith(LARGE):
        described["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return described


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubStandIn

    def do_POST(self):
        if self.path == "/api/validate-yaml":
            self.read_body()
            self.answer({"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            self.act("create", self.create)
        elif found := re.fullmatch(r"/api/(models|datasets|spaces)/(.+?/.+?)/(preupload|commit)/main", self.path):
            kind, repository_id, action = found.groups()
            self.act(action, {"preupload": self.preupload, "commit": self.commit}[action], _key(kind, repository_id))
        elif found := re.fullmatch(r"/api/(models|datasets|spaces)/(.+?/.+?)/paths-info/[^/]+", self.path):
            self.find_paths(_key(*found.groups()), self.read_body())
        elif re.fullmatch(r"/.+\.git/info/lfs/objects/batch", self.path):
            self.act("large", self.plan_large)
        else:
            self.read_body()
            self.answer({"error": "Not found"}, status=404)

    def do_PUT(self):
        self.act("large", self.take_large)

    def do_GET(self):
        api = re.fullmatch(
            r"/api/(models|datasets|spaces)/([^/]+/[^/]+)(?:/revision/[^/]+|(/tree/[^/]+)(?:/(.+))?)?", self.route
        )
        resolve = re.fullmatch(r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.route)
        found = api or resolve
        repository = self.hub.repositories.get(_key(found[1] or "models", found[2])) if found else None
        if self.refuse(needs_login=repository is not None and repository.private) or self.fail("info"):
            return
        if repository is None:
            self.answer({"error": "Repository not found"}, status=404, headers={"X-Error-Code": "RepoNotFound"})
        elif resolve:
            self.send_file(repository, resolve[3])
        elif api[3]:
            self.list_tree(repository, f"{api[4]}/" if api[4] else "")
        else:
            siblings = [{"rfilename": path} for path in repository.files]
            described = {"id": found[2], "sha": repository.revision, "private": repository.private, "tags": []}
            self.answer(described | {"siblings": siblings, "downloads": 0, "likes": 0})

    def do_HEAD(self):
        self.do_GET()

    @property
    def route(self) -> str:
        return unquote(self.path.partition("?")[0])

    def read_body(self, share: float = 1) -> bytes:
        """What a request sends, or the beginning of it."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(share * int(self.headers.get("Content-Length") or 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
            if share < 1:
                return b"".join(chunks)
        self.rfile.readline()
        return b"".join(chunks)

    def act(self, kind: str, action, *arguments) -> None:
        """Does what a request asks for, unless the login is wrong or a fault is due."""
        is_cut = (self.hub.faults.get(kind) or [None])[0] == "cut"
        body = self.read_body(0.5 if is_cut else 1)
        if self.command != "PUT" and self.refuse(needs_login=True):
            return
        if not self.fail(kind):
            action(*arguments, body)

    def fail(self, kind: str) -> bool:
        """Whether a fault stood in for an answer."""
        self.hub.requests.append(kind)
        pending = self.hub.faults.get(kind)
        if not pending:
            return False
        fault = pending.pop(0)
        if isinstance(fault, int):
            # The login is sent back, so that a test sees whether a client repeats it.
            self.answer({"error": f"Failed: {self.headers.get('Authorization')}"}, status=fault)
            return True
        if fault == "lost":
            self.is_lost = True
            return False
        if fault == "silent":
            self.hub.is_over.wait(20)
        self.drop()
        return True

    is_lost = False

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def refuse(self, needs_login: bool) -> bool:
        login = self.headers.get("Authorization")
        status = self.hub.refuse_with or (401 if needs_login and login != f"Bearer {TOKEN}" else None)
        if status:
            # The login is sent back, so that a test sees whether a client repeats it.
            self.answer({"error": f"Refused: {login}"}, status=status)
        return bool(status)

    def create(self, body: bytes) -> None:
        request = json.loads(body)
        kind = KINDS[request.get("type") or "model"]
        repository_id = _key(kind, f"{request['organization'] or OWNER}/{request['name']}")
        exists = repository_id in self.hub.repositories
        self.hub.repositories.setdefault(repository_id, Repository(private=request.get("visibility") == "private"))
        self.answer({"url": f"{self.hub.url}/{repository_id}"}, status=409 if exists else 200)

    def preupload(self, repository_id: str, body: bytes) -> None:
        files = self.hub.repositories[repository_id].files
        self.answer({"files": [self.plan(file["path"], files) for file in json.loads(body)["files"]]})

    def plan(self, path: str, files: dict[str, bytes]) -> dict:
        """How a file is to be sent, and which one is there: who has the same need not send it."""
        is_large = path.endswith(LARGE)
        planned = {"path": path, "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False}
        if path in files:
            hashed = hashlib.sha256(files[path]).hexdigest() if is_large else _hash_small(files[path])
            planned["oid"] = hashed
        return planned

    def plan_large(self, body: bytes) -> None:
        objects = [
            {**wanted, "actions": {"upload": {"href": f"{self.hub.url}/large/{wanted['oid']}"}}}
            for wanted in json.loads(body)["objects"]
        ]
        self.answer({"transfer": "basic", "objects": objects})

    def take_large(self, body: bytes) -> None:
        oid = self.path.rsplit("/", 1)[1]
        if hashlib.sha256(body).hexdigest() != oid:
            self.answer({"error": "Not what was announced"}, status=400)
            return
        self.hub.large_files[oid] = body
        self.answer({})

    def commit(self, repository_id: str, body: bytes) -> None:
        operations = [json.loads(line) for line in body.splitlines()]
        files = {
            operation["value"]["path"]: base64.b64decode(operation["value"]["content"])
            if operation["key"] == "file"
            else self.hub.large_files[operation["value"]["oid"]]
            for operation in operations
            if operation["key"] in ("file", "lfsFile")
        }
        repository = self.hub.repositories[repository_id]
        removed = {operation["value"]["path"] for operation in operations if operation["key"] == "deletedFile"}
        if not removed <= set(repository.files):
            self.answer({"error": "A file to be removed is not there"}, status=400)
            return
        repository.commits.append(files | dict.fromkeys(removed))
        url = f"{self.hub.url}/{repository_id}/commit/{repository.revision}"
        self.answer({"commitUrl": url, "commitOid": repository.revision})

    def find_paths(self, repository_id: str, body: bytes) -> None:
        repository = self.hub.repositories.get(repository_id)
        if self.refuse(needs_login=repository is not None and repository.private):
            return
        if self.headers.get("Content-Type", "").startswith("application/json"):
            paths = json.loads(body)["paths"]
        else:
            paths = parse_qs(body.decode())["paths"]
        found = []
        for path in paths:
            if path in repository.files:
                found.append(_describe_file(path, repository.files[path]))
            elif any(name.startswith(f"{path}/") for name in repository.files):
                found.append({"type": "directory", "path": path, "oid": "0" * 40})
        self.answer(found)

    def list_tree(self, repository: Repository, folder: str) -> None:
        is_recursive = "recursive=true" in self.path.lower()
        listed: dict[str, dict] = {}
        for path, content in repository.files.items():
            inner, slash, _ = path.removeprefix(folder).partition("/")
            if not path.startswith(folder):
                continue
            if slash:
                listed[folder + inner] = {"type": "directory", "path": folder + inner, "oid": "0" * 40}
            if is_recursive or not slash:
                listed[path] = _describe_file(path, content)
        self.answer(list(listed.values()))

    def send_file(self, repository: Repository, path: str) -> None:
        if path not in repository.files:
            self.answer({"error": "Entry not found"}, status=404, headers={"X-Error-Code": "EntryNotFound"})
            return
        content = repository.files[path]
        headers = {"X-Repo-Commit": repository.revision, "ETag": f'"{_hash_small(content)}"'}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted and self.command == "GET":
            start, end = int(wanted[1]), int(wanted[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
            self.answer(content[start : end + 1], status=206, headers=headers)
        else:
            self.answer(content, headers=headers)

    def answer(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        if self.is_lost:
            self.drop()
            return
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        """A test's output is its own."""
