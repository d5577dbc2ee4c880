"""Against a real server: enrol, ask, order, heal, survive a restart, under threads and tasks."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from conftest import REPOSITORY, Between, Served

import strongroom


@pytest.fixture(scope="module")
def keys(served: Served) -> strongroom.KeyFile:
    return strongroom.enrol(served.url, served.code())


def nonce_of(request: httpx.Request) -> str:
    found = re.search(r'nonce="([^"]+)"', request.headers["signature-input"])
    assert found
    return found[1]


def order(name: str) -> dict[str, object]:
    return {"id": name, "side": "creation", "baskets": 1}


def test_a_key_is_enrolled_used_and_read_by_the_command_line(
    served: Served, keys: strongroom.KeyFile, tmp_path: Path
) -> None:
    path = tmp_path / "ap.key"
    keys.write_new(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert strongroom.KeyFile.read(path) == keys
    with strongroom.Client.open(path) as client:
        answer = client.get("/v1/whoami")
    assert answer.is_signed
    assert answer.tries == 1
    assert answer.success()["principal"] == "ap-one"
    assert '"principal":"ap-one"' in served.run("http", "GET", "/v1/whoami", key=str(path))


def test_a_key_file_of_the_command_line_is_read(served: Served) -> None:
    with strongroom.Client.open(served.folder / "operator.key") as client:
        principals = client.get("/v1/principals?limit=5").success()
    assert {row["id"] for row in principals["items"]} >= {"operator", "ap-one"}


def test_a_code_is_good_once(served: Served) -> None:
    code = served.code()
    strongroom.enrol(served.url, code)
    with pytest.raises(strongroom.Refused) as refused:
        strongroom.enrol(served.url, code)
    assert refused.value.code == "enrolment.must_be_open"


def test_a_secret_of_the_server_signs_too(served: Served) -> None:
    issued = served.issue("--algorithm", "hmac-sha256")
    keys = strongroom.import_secret(served.url, issued["key"], issued["secret"])
    with strongroom.Client(keys) as client:
        client.post("/v1/funds/BTCX/orders", json=order("hmac-1")).success()
        assert client.get("/v1/funds/BTCX/orders/hmac-1").success()["side"] == "creation"
        client.delete("/v1/funds/BTCX/orders/hmac-1").success()


def test_a_refusal_has_its_code(keys: strongroom.KeyFile) -> None:
    with strongroom.Client(keys) as client:
        answer = client.get("/v1/funds/NONE")
    assert (answer.is_signed, answer.status) == (True, 404)
    with pytest.raises(strongroom.Refused) as refused:
        answer.success()
    assert refused.value.code == answer.code


def test_paths_and_queries_are_signed_as_they_are_sent(keys: strongroom.KeyFile) -> None:
    with strongroom.Client(keys) as client:
        for target in ("/v1/funds?limit=1", "/v1/funds?", "/v1/funds/a%2fb%2Fc", "/v1/funds?after=a b", "/v1//x"):
            answer = client.get(target)
            assert answer.is_signed
            assert not (answer.code or "").startswith("request.signature"), target


@pytest.mark.parametrize("ahead", [-86_400, -38, 7, 86_400])
def test_a_clock_that_is_wrong_heals_once(keys: strongroom.KeyFile, ahead: int) -> None:
    with strongroom.Client(keys) as client:
        client.assume_clock(ahead)
        assert client.get("/v1/whoami").tries == 2
        assert client.get("/v1/whoami").tries == 1


def test_a_restart_is_answered_with_a_challenge_and_nothing_fails(forgetful: Served) -> None:
    served, keys = forgetful, strongroom.enrol(forgetful.url, forgetful.code())
    with strongroom.Client(keys) as client:
        client.get("/v1/whoami").success()
        served.kill()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.post, "/v1/funds/BTCX/orders", json=order("restart-1"))
            served.start()
            answer = waiting.result()
        assert answer.success()["id"] == "restart-1"
        assert answer.tries >= 3, "the server was away, then it challenged"
    assert served.orders().count("restart-1") == 1


def test_a_lost_answer_is_asked_for_again_under_one_key(served: Served, keys: strongroom.KeyFile) -> None:
    class Losing(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            answer = super().carry(request)
            if len(self.requests) == 1:
                raise httpx.ReadError("the line broke")
            return answer

    between = Losing()
    with strongroom.Client(keys, transport=between) as client:
        answer = client.post("/v1/funds/BTCX/commands", json={"submit_order": "no"})
        assert answer.tries == 2
        between.requests.clear()
        answer = client.post("/v1/funds/BTCX/orders", json=order("lost-1"))
    first, second = between.requests
    assert answer.success()["id"] == "lost-1"
    assert answer.headers["idempotency-replayed"] == "true"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert nonce_of(first) != nonce_of(second)
    assert served.orders().count("lost-1") == 1


def test_who_wants_no_retries_is_told_that_nobody_knows(keys: strongroom.KeyFile) -> None:
    class Losing(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("the line broke")

    between = Losing()
    options = strongroom.Options(retry_seconds=0)
    client = strongroom.Client(keys, options, transport=between)
    with client, pytest.raises(strongroom.TransportError) as lost:
        client.post("/v1/funds/BTCX/orders", json=order("never-1"))
    assert lost.value.was_sent
    assert len(between.requests) == 1


def test_threads_never_share_a_nonce(keys: strongroom.KeyFile) -> None:
    between = Between()
    with strongroom.Client(keys, transport=between) as client, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.get("/v1/whoami"), range(200)))
    assert all(answer.status == 200 and answer.is_signed for answer in answers)
    assert len({nonce_of(request) for request in between.requests}) == len(between.requests)


async def test_tasks_all_get_their_own_answer(served: Served) -> None:
    made = await strongroom.enrol_async(served.url, served.code())
    async with strongroom.AsyncClient(made) as client:
        client.assume_clock(-3_600)
        names = [f"task-{at}" for at in range(100)]
        answers = await asyncio.gather(*(client.post("/v1/funds/BTCX/orders", json=order(name)) for name in names))
        assert [answer.success()["id"] for answer in answers] == names
        listed = await client.get("/v1/funds/BTCX/orders?limit=1000")
        await client.delete("/v1/funds/BTCX/orders/task-0")
    assert {row["id"] for row in listed.success()["items"]} >= set(names)


def test_a_key_is_swapped_under_load_without_a_failed_request(served: Served) -> None:
    """The old key is revoked while its requests are on their way: those are signed anew with the key that follows."""
    old, new = (strongroom.enrol(served.url, served.code()) for _ in range(2))
    with strongroom.Client(old) as client, ThreadPoolExecutor(8) as pool:
        client.ring.stage(strongroom.ClientKey(new.key, new.signing_key()))
        waiting = [pool.submit(client.get, "/v1/whoami") for _ in range(100)]
        client.ring.promote()
        served.run("key", "revoke", old.key.rpartition(".")[0], "--reason", "a test")
        waiting += [pool.submit(client.get, "/v1/whoami") for _ in range(100)]
        answers = [each.result() for each in waiting]
    assert {answer.status for answer in answers} == {200}


def test_a_refusal_of_the_old_key_is_healed_by_the_new_one(served: Served) -> None:
    old, new = (strongroom.enrol(served.url, served.code()) for _ in range(2))

    class Swapping(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            if len(self.requests) == 1:
                served.run("key", "revoke", old.key.rpartition(".")[0], "--reason", "a test")
                client.ring.promote()
            return super().carry(request)

    with strongroom.Client(old, transport=Swapping()) as client:
        client.ring.stage(strongroom.ClientKey(new.key, new.signing_key()))
        answer = client.post("/v1/funds/BTCX/orders", json=order("swapped-1"))
    assert (answer.success()["id"], answer.tries) == ("swapped-1", 2)


def test_the_server_rotates_its_key_and_is_still_believed(served: Served, keys: strongroom.KeyFile) -> None:
    with strongroom.Client(keys) as client, strongroom.Client.open(served.folder / "operator.key") as operator:
        client.get("/v1/whoami").success()
        operator.post("/v1/server-keys/rotate").success()
        assert client.get("/v1/whoami").is_signed
    renewed = strongroom.enrol(served.url, served.code())
    assert len(renewed.server_keys) > 1


def test_the_example_of_the_readme_runs_as_it_is_printed(served: Served, tmp_path: Path) -> None:
    text = (REPOSITORY / "sdk/python/README.md").read_text()
    _, _, rest = text.partition("```python\n")
    example = rest.partition("```")[0]
    assert len([line for line in example.splitlines() if line.strip()]) == 10, "ten lines"
    environment = {"STRONGROOM_SERVER": served.url, "STRONGROOM_CODE": served.code()}
    command = [sys.executable, "-B", "-c", example]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "AP One creation 200000" in done.stdout
    assert json.loads((tmp_path / "ap-one.key").read_text())["algorithm"] == "ed25519"
