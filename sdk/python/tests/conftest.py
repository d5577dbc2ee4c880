"""A real `strongroom serve` in a folder of its own. `STRONGROOM_BIN` names the program."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import strongroom

REPOSITORY = Path(__file__).parents[3]


class Served:
    """The server, its operator's key, and a fund that is open."""

    def __init__(self, folder: Path) -> None:
        self.program = os.environ["STRONGROOM_BIN"]
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        said = self.start()
        self.run("key", "enrol", "--code", json.loads(said)["first_enrolment"], "--out", "operator.key", key=None)
        fund = REPOSITORY / "funds/bitcoin.toml"
        self.run("fund", "open", str(fund), "--seed-date", "last-session", "--seed-price", "BTC=92000")
        self.run("principal", "add", "ap-one", "--role", "participant", "--participant", "AP One")

    def start(self) -> str:
        command = [self.program, "serve", "--listen", self.url.removeprefix("http://"), "--json"]
        with open(self.folder / "server.txt", "w") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT)
        for _ in range(600):
            said = (self.folder / "server.txt").read_text()
            if "url" in said and said.endswith("\n"):
                return said
            assert self.process.poll() is None, said
            time.sleep(0.05)
        raise AssertionError(said)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def run(self, *arguments: str, key: str | None = "operator.key") -> str:
        command = [self.program, *arguments, "--server", self.url, *(["--key", key] if key else [])]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def issue(self, *more: str, principal: str = "ap-one") -> dict[str, Any]:
        scopes = ("--scope", "read", "--scope", "orders:write", "--env", "dev", "--json")
        issued: dict[str, Any] = json.loads(self.run("key", "issue", "--principal", principal, *scopes, *more))
        return issued

    def code(self) -> str:
        issued = self.issue()
        return f"{issued['enrolment']}.{issued['code']}"

    def orders(self) -> list[str]:
        return [order["id"] for order in json.loads(self.run("order", "list", "--json"))]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("server"))
    # It challenges in its first seconds. Afterwards what is signed twice is so for the test's own reason.
    with strongroom.Client.open(server.folder / "operator.key") as client:
        for _ in range(100):
            if client.get("/v1/whoami").tries == 1:
                break
            time.sleep(0.1)
    yield server
    server.kill()


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Served]:
    """A server that challenges after a restart."""
    server = Served(tmp_path)
    yield server
    server.kill()


class Between(httpx.BaseTransport):
    """Stands between client and server: sees every request and answer, and may change or withhold them."""

    def __init__(self) -> None:
        self.inner = httpx.HTTPTransport()
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.carry(request)
        self.answers.append(answer)
        return answer

    def carry(self, request: httpx.Request) -> httpx.Response:
        came = self.inner.handle_request(request)
        content = came.read()
        return httpx.Response(came.status_code, headers=came.headers.raw, stream=httpx.ByteStream(content))

    def close(self) -> None:
        self.inner.close()
