"""Where a server is, and which URLs are its own."""

from __future__ import annotations

import ipaddress

import httpx

from .errors import StrongroomError


def _wrong(text: str) -> StrongroomError:
    return StrongroomError("client.url_must_be_valid", f"`{text}` is no URL of the server, like https://host:8443/v1")


def _parsed(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise _wrong(text) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def base_of(server: str) -> str:
    """Scheme, host and port, without a slash at the end. Plaintext is for loopback only. Raises StrongroomError."""
    url = _parsed(server)
    if url.scheme not in ("https", "http") or not url.host or url.userinfo:
        raise _wrong(server)
    if url.scheme == "http" and not _is_loopback(url.host):
        text = f"plain http is for loopback only, and {url.host} is not; use https"
        raise StrongroomError("client.plaintext_must_stay_on_loopback", text)
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def url_of(base: str, target: str) -> httpx.URL:
    """A path, or a whole URL of the server: a signature for one must not be sent to another. Raises StrongroomError."""
    text = base + target if target.startswith("/") else target
    if not (text == base or text.startswith((f"{base}/", f"{base}?"))) or "#" in text:
        raise _wrong(target)
    url = _parsed(text)
    if f"{url.scheme}://{url.netloc.decode('ascii')}" != base or url.userinfo:
        raise _wrong(target)
    return url
