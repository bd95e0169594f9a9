"""A monitoring service on loopback, as healthchecks.io is one. Contains no product logic."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Monitor:
    """Notes in ``calls`` what it is told, path and text; answers ``status`` and ``answer``, once ``open`` is set."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.agents: list[str] = []
        self.status, self.answer = 200, "OK"
        self.open = threading.Event()
        self.open.set()
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                monitor.calls.append((self.path, text))
                monitor.agents.append(self.headers["User-Agent"])
                monitor.open.wait(30)
                try:
                    self.send_response(monitor.status)
                    self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", str(len(monitor.answer)))
                    self.end_headers()
                    self.wfile.write(monitor.answer.encode())
                except ConnectionError:
                    pass  # whoever asked has gone

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """An address whose path nobody must see."""
        return f"http://{self.host}/ping/c4pability-5f2e"

    @property
    def paths(self) -> list[str]:
        """What was called, without what all addresses share."""
        return [path.removeprefix("/ping/c4pability-5f2e") for path, _ in self.calls]

    @property
    def text(self) -> str:
        """What it was told last."""
        return self.calls[-1][1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
