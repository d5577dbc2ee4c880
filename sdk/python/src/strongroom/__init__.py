"""A client of a Strongroom server: it signs every request, believes only answers that a pinned key signed, and
heals its clock; it also verifies webhooks and receipts of the audit log.

    import strongroom

    with strongroom.Client.open("ap-one.key") as client:
        client.post("/v1/funds/BTCX/orders", json={"id": "A1", "side": "creation", "baskets": 5}).success()
"""

from .client import AsyncClient, Client, enrol, enrol_async, import_secret
from .errors import (
    KeyFileError,
    ReceiptError,
    Refused,
    SignatureError,
    StrongroomError,
    TransportError,
    UnbelievableAnswer,
    UnreadableMessage,
    WebhookError,
)
from .exchange import Answer, Options
from .key_file import CallbackStore, FileStore, KeyFile, KeyStore, ServerKey
from .receipts import Checkpoint, VerifiedReceipt, verify_receipt
from .ring import ClientKey, KeyRing
from .webhook import MemoryOfIds, SeenIds, Webhook, WebhookReceiver

__all__ = [
    "Answer",
    "AsyncClient",
    "CallbackStore",
    "Checkpoint",
    "Client",
    "ClientKey",
    "FileStore",
    "KeyFile",
    "KeyFileError",
    "KeyRing",
    "KeyStore",
    "MemoryOfIds",
    "Options",
    "ReceiptError",
    "Refused",
    "SeenIds",
    "ServerKey",
    "SignatureError",
    "StrongroomError",
    "TransportError",
    "UnbelievableAnswer",
    "UnreadableMessage",
    "VerifiedReceipt",
    "Webhook",
    "WebhookError",
    "WebhookReceiver",
    "enrol",
    "enrol_async",
    "import_secret",
    "verify_receipt",
]
