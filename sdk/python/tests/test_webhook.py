"""Webhooks in: `spec/vectors/webhooks.json`, the published library as a judge, and what must be taken only once."""

from __future__ import annotations

import json
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
from conftest import REPOSITORY

import strongroom

VECTORS = json.loads((REPOSITORY / "spec/vectors/webhooks.json").read_text())
ROW = next(row for row in VECTORS["webhooks"] if row["name"] == "v1")
NOW = ROW["now"]


@pytest.mark.parametrize("row", VECTORS["webhooks"], ids=lambda row: row["name"])
def test_a_webhook_has_its_outcome(row: dict[str, Any]) -> None:
    try:
        receiver = strongroom.WebhookReceiver(row["secrets"])
        headers = [(name, value) for name, value in row["headers"]]
        found = receiver.verify(headers, b64decode(row["content"]), now=row["now"])
    except strongroom.WebhookError as error:
        assert error.code == row["outcome"]
    else:
        assert row["outcome"] == "ok"
        assert found.content == b64decode(row["content"])


def test_what_the_published_library_signs_is_taken() -> None:
    secret = ROW["secrets"][0]
    at = datetime.fromtimestamp(NOW, tz=UTC)
    signature = standardwebhooks.Webhook(secret).sign("msg_7", at, '{"a":1}')
    headers = {"Webhook-Id": "msg_7", "Webhook-Timestamp": str(NOW), "Webhook-Signature": signature}
    assert strongroom.WebhookReceiver([secret]).verify(headers, b'{"a":1}', now=NOW).json() == {"a": 1}


def receiver(**given: Any) -> strongroom.WebhookReceiver:
    return strongroom.WebhookReceiver(ROW["secrets"], **given)


def take(into: strongroom.WebhookReceiver, now: float = NOW) -> None:
    with into.receive(ROW["headers"], b64decode(ROW["content"]), now=now):
        pass


def code_of(into: strongroom.WebhookReceiver, now: float = NOW) -> str:
    with pytest.raises(strongroom.WebhookError) as refused:
        take(into, now)
    return refused.value.code


def test_each_is_acted_on_once() -> None:
    into = receiver()
    take(into)
    assert code_of(into) == "webhook.id_must_be_new"
    assert code_of(into, NOW + 299) == "webhook.id_must_be_new"
    assert code_of(into, NOW + 301) == "webhook.must_be_fresh"


def test_of_many_at_once_one_acts() -> None:
    into, acted = receiver(), []

    def act(_: int) -> str:
        try:
            with into.receive(ROW["headers"], b64decode(ROW["content"]), now=NOW) as webhook:
                acted.append(webhook.id)
        except strongroom.WebhookError as error:
            return error.code
        return "acted"

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(act, range(100)))
    assert acted == ["msg_1"]
    assert set(said) <= {"acted", "webhook.id_must_be_new", "webhook.id_must_not_be_in_use"}


def test_while_one_acts_another_is_told_to_come_back_and_after_a_failure_it_may_act() -> None:
    into = receiver()
    body = b64decode(ROW["content"])
    with pytest.raises(ZeroDivisionError), into.receive(ROW["headers"], body, now=NOW):
        assert code_of(into) == "webhook.id_must_not_be_in_use"
        raise ZeroDivisionError
    take(into)


def test_the_memory_is_bounded_and_forgets_nothing_that_could_be_replayed() -> None:
    memory = strongroom.MemoryOfIds(ids_max=3)
    for at, name in enumerate("abc"):
        assert memory.begin(name, NOW + at) == "new"
        memory.finish(name)
    with pytest.raises(strongroom.WebhookError) as refused:
        memory.begin("d", NOW + 600)
    assert refused.value.code == "webhook.memory_must_have_room"
    assert memory.begin("d", NOW + 601) == "new"
    assert memory.begin("b", NOW + 601) == "done"
    assert memory.begin("b", NOW + 302_402) == "new"
