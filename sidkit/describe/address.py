"""The address of a server that speaks OpenAI's protocol, the key for it, and what of both no message may show."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from sidkit.shown import shown

KEY = "OPENAI_API_KEY"
CHAT = "/chat/completions"
LONG = 8  # letters; what is shorter may be a part of any word
SECRET = 16  # letters; from here on no word of a caption is meant


def read_key() -> str:
    """The key in the environment, "" where there is none. ValueError for one that cannot be a key, and how to tell."""
    key = os.environ.get(KEY, "").strip()
    odd = re.search(r"[^!-~]|[\"'`]", key)
    if odd:
        raise ValueError(
            f"{KEY}: expected a key without spaces, quotation marks and line ends, got {shown(odd.group())} in it; "
            "export it as the server gave it"
        )
    return key


def read_address(text: str) -> str:
    """An address that can be asked. ValueError for any other, without the password that it may hold."""
    text = text.strip()
    if not _can_be_asked(text):
        bare = re.sub(r"[^/@]*@", "***@", text)
        raise ValueError(
            f"openai: expected an address with http:// or https:// before it, such as http://localhost:11434/v1, "
            f"got {shown(bare)}"
        )
    if CHAT in text:
        raise ValueError(f"openai: expected an address such as http://localhost:11434/v1, without {CHAT} at its end")
    return text


def host_of(address: str) -> str:
    """The server without a user or password that its address may hold."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def without_password(address: str) -> str:
    """The address as the client may log it."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def password_header(address: str) -> dict[str, str]:
    """The header for a user and password in an address, which takes the place of the key's."""
    parts = urlsplit(address)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def proxy_of(address: str) -> str:
    """The host of the proxy that stands before an address, "" for none; told by the environment, as the client is."""
    parts = urlsplit(address)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(str(parts.hostname)):
        return ""
    return proxy.rpartition("@")[2].rpartition("//")[2].strip("/")


def secrets_for(address: str) -> set[str]:
    """The key, and the passwords in the address and in those of proxies."""
    addresses = [address, *getproxies().values()]
    passwords = {urlsplit(text).password or "" for text in addresses if _can_be_asked(text)}
    return {read_key(), *passwords, *map(unquote, passwords)} - {""}


def masked(message: str, secrets: Iterable[str]) -> str:
    """A message without what is secret, should a server have sent it back: one of "x" as a word of its own only."""
    for secret in sorted(secrets, key=len, reverse=True):
        found = re.escape(secret) if len(secret) >= LONG else rf"(?<!\w){re.escape(secret)}(?!\w)"
        message = re.sub(found, "***", message)
    return message


def gives_away(answer: str, secrets: Iterable[str]) -> bool:
    """Whether an answer holds a secret that can be no word of it. An answer is data: it is never masked."""
    return any(_is_no_word(secret) and secret in answer for secret in secrets)


def _is_no_word(secret: str) -> bool:
    return len(secret) >= SECRET or (len(secret) >= LONG and any(map(str.isdigit, secret)))


def _can_be_asked(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:  # a port that is none
        return False
