"""A Hub on 127.0.0.1 that keeps in memory what is pushed and serves it again: enough of the HTTP API for both."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


TOKEN = "hf_standin"
OWNER = "someone"


@dataclass
class Repository:
    """One repository: whether it is private, and the files of each commit."""

    private: bool
    commits: list[dict[str, bytes]] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        return {path: content for commit in self.commits for path, content in commit.items()}

    @property
    def revision(self) -> str:
        return _object_id(str(len(self.commits)).encode())


class HubStandIn:
    """The server, as a context manager.

    `repositories` holds what was pushed. While `refuse_with` is a status, every request is answered by it.
    """

    def __init__(self):
        self.repositories: dict[str, Repository] = {}
        self.refuse_with: int | None = None

    def __enter__(self) -> "HubStandIn":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
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
            "NO_PROXY": "127.0.0.1",
        }


def _key(kind: str, repository_id: str) -> str:
    """Where `repositories` keeps it: a Space has the name that its model may have too."""
    return f"spaces/{repository_id}" if kind == "spaces" else repository_id


def _object_id(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubStandIn

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.refuse(needs_login=True):
            return
        if self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif found := re.fullmatch(r"/api/(models|spaces)/(.+?/.+?)/(preupload|commit)/main", self.path):
            kind, repository_id, action = found.groups()
            repository_id = _key(kind, repository_id)
            {"preupload": self.preupload, "commit": self.commit}[action](repository_id, body)
        else:
            self.answer({"error": "Not found"}, status=404)

    def do_GET(self):
        space = re.fullmatch(r"/api/spaces/([^/]+/[^/]+)", self.route)
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+|(/tree/[^/]+)(?:/(.+))?)?", self.route)
        resolve = re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.route)
        found = space or api or resolve
        kind = "spaces" if space else "models"
        repository = self.hub.repositories.get(_key(kind, found[1])) if found else None
        if self.refuse(needs_login=repository is not None and repository.private):
            return
        if repository is None:
            self.answer({"error": "Repository not found"}, status=404, headers={"X-Error-Code": "RepoNotFound"})
        elif resolve:
            self.send_file(repository, resolve[2])
        elif api and api[2]:
            self.list_tree(repository, f"{api[3]}/" if api[3] else "")
        else:
            siblings = [{"rfilename": path} for path in repository.files]
            described = {"id": found[1], "sha": repository.revision, "private": repository.private, "tags": []}
            self.answer(described | {"siblings": siblings})

    def do_HEAD(self):
        self.do_GET()

    @property
    def route(self) -> str:
        return self.path.partition("?")[0]

    def refuse(self, needs_login: bool) -> bool:
        login = self.headers.get("Authorization")
        status = self.hub.refuse_with or (401 if needs_login and login != f"Bearer {TOKEN}" else None)
        if status:
            # The login is sent back, so that a test sees whether a client repeats it.
            self.answer({"error": f"Refused: {login}"}, status=status)
        return bool(status)

    def create(self, request: dict) -> None:
        kind = "spaces" if request.get("type") == "space" else "models"
        repository_id = _key(kind, f"{request['organization'] or OWNER}/{request['name']}")
        exists = repository_id in self.hub.repositories
        self.hub.repositories.setdefault(repository_id, Repository(private=request.get("visibility") == "private"))
        self.answer({"url": f"{self.hub.url}/{repository_id}"}, status=409 if exists else 200)

    def preupload(self, repository_id: str, body: bytes) -> None:
        paths = [file["path"] for file in json.loads(body)["files"]]
        self.answer({"files": [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]})

    def commit(self, repository_id: str, body: bytes) -> None:
        operations = [json.loads(line) for line in body.splitlines()]
        files = [operation["value"] for operation in operations if operation["key"] == "file"]
        repository = self.hub.repositories[repository_id]
        repository.commits.append({file["path"]: base64.b64decode(file["content"]) for file in files})
        url = f"{self.hub.url}/{repository_id}/commit/{repository.revision}"
        self.answer({"commitUrl": url, "commitOid": repository.revision})

    def list_tree(self, repository: Repository, folder: str) -> None:
        self.answer(
            [
                {"type": "file", "path": path, "size": len(content), "oid": _object_id(content)}
                for path, content in repository.files.items()
                if path.startswith(folder)
            ]
        )

    def send_file(self, repository: Repository, path: str) -> None:
        if path not in repository.files:
            self.answer({"error": "Entry not found"}, status=404, headers={"X-Error-Code": "EntryNotFound"})
            return
        content = repository.files[path]
        self.answer(content, headers={"X-Repo-Commit": repository.revision, "ETag": f'"{_object_id(content)}"'})

    def answer(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        """A test's output is its own."""
