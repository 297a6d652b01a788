"""The address of a server that speaks OpenAI's protocol, the key for it, and what of both no message may show."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from sidkit.shown import shown

KEY = "OPENAI_API_KEY"
CHAT = "/chat/completions"
LONG = 8  # letters; what is shorter may be a part of any word
PART = 10  # letters of a secret that are not shown either
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
        told = re.sub(r"(//)?.*@", r"\1***@", text).partition("?")[0]
        raise ValueError(
            f"openai: expected an address with http:// or https:// before it, such as http://localhost:11434/v1, "
            f"got {shown(told)}"
        )
    if CHAT in text:
        raise ValueError(f"openai: expected an address such as http://localhost:11434/v1, without {CHAT} at its end")
    return text


def host_of(address: str) -> str:
    """The server without a user or password that its address may hold."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def bare(address: str) -> str:
    """The address as the client may log it, without a password and without what stands behind a question mark."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", address)[0])


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
    addresses = [text for text in (address, *getproxies().values()) if _can_be_asked(text)]
    passwords = {urlsplit(text).password or "" for text in addresses} | set(query_of(address).values())
    headers = {header.removeprefix("Basic ") for text in addresses for header in password_header(text).values()}
    plain = {read_key(), *passwords, *map(unquote, passwords)}
    return (plain | headers | {quote(secret, safe="") for secret in plain}) - {""}


def query_of(address: str) -> dict[str, str]:
    """What an address has behind its question mark, such as Azure's api-version."""
    return dict(parse_qsl(urlsplit(address).query))


def masked(message: str, secrets: Iterable[str]) -> str:
    """A message without what is secret, should a server have sent it back: one of "x" as a word of its own only."""
    for secret in sorted(secrets, key=len, reverse=True):
        found = re.escape(secret) if len(secret) >= LONG else rf"(?<!\w){re.escape(secret)}(?!\w)"
        message = re.sub(found, "***", message)
    for secret in filter(_is_no_word, secrets):
        message = _without_parts(message, secret)
    return message


def _without_parts(message: str, secret: str) -> str:
    """A message without what a server left of a secret that it has cut."""
    parts = {secret[start : start + PART] for start in range(len(secret) - PART + 1)}
    hidden = set[int]()
    for start in range(len(message) - PART + 1):
        if message[start : start + PART] in parts:
            hidden.update(range(start, start + PART))
    return re.sub(r"\0+", "***", "".join("\0" if place in hidden else letter for place, letter in enumerate(message)))


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
