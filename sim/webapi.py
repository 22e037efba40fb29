"""What a web API's answers and failures mean: whether to ask again, when, and the one line that says what went wrong.

It opens no connection and knows no HTTP library; models and embedders that are asked by URL share it. A key comes from
the environment when a request is sent, and is taken out of every text that could be kept.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from simonides.sim.errors import ModelFailed, UserError
from simonides.sim.types import Plain

SHORTEST_KEY = 8
"""Characters: shorter ones ("EMPTY", "none") are placeholders for servers that ask for no key, not secrets."""

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
"""Statuses after which the same request may succeed (RFC 9110 and 6585; 520-529 are used by proxies and providers)."""

TOLD = 300
"""Characters of a server's own words that an error repeats."""


class Transient(ModelFailed):
    """No answer this time; the same request may get one. `pause` is how many seconds the server asks to wait."""

    def __init__(self, line: str, pause: float = 0.0) -> None:
        super().__init__(line)
        self.pause = pause


class Refused(ModelFailed):
    """The server understood where the request goes and refuses it: its `status`, and what it `said` in one line."""

    def __init__(self, line: str, status: int, said: str) -> None:
        super().__init__(line)
        self.status, self.said = status, said


@dataclass(frozen=True, slots=True)
class Api:
    """Where a web API is, and the environment variable that holds its key ("" for none)."""

    url: str
    key_env: str

    @classmethod
    def at(cls, url: str, key_env: str) -> Api:
        """Return a checked API. Raises UserError for what is no plain http(s) URL, or holds a password."""
        try:
            parts = urlsplit(url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            raise UserError("url is no URL: give one like http://127.0.0.1:8000/v1.") from None
        if parts.username is not None or parts.query or parts.fragment:
            raise UserError(
                "url holds a user, a query or a fragment: give the plain URL, and a key by the environment variable "
                "that key_env names."
            )
        if not fits:
            raise UserError(f"url {url!r} is no web address: give one like http://127.0.0.1:8000/v1.")
        return cls(url.rstrip("/"), key_env)

    def headers(self) -> dict[str, str]:
        """Return what is sent along with each request. Raises ModelFailed for a key that no header can hold."""
        key = self._key()
        if not key:
            return {}
        if not (key.isascii() and key.isprintable()):
            raise ModelFailed(f"The key in {self.key_env} holds characters that no header can carry; set it again.")
        return {"Authorization": f"Bearer {key}"}

    def scrub(self, data: bytes) -> bytes:
        """Return bytes without the key."""
        key = self._key()
        return data.replace(key.encode(), b"[key]") if len(key) >= SHORTEST_KEY else data

    def said(self, body: bytes) -> str:
        """Return what the server says in an error body, in one line of at most `TOLD` characters."""
        text = self.scrub(body).decode("utf-8", "replace")
        line = " ".join((_message(text) or text).split())
        return line if len(line) <= TOLD else line[:TOLD] + "..."

    def refused(self, status: int, body: bytes, headers: Mapping[str, str], asked: str) -> ModelFailed:
        """Return the error of an answer that is no success; `asked` says what was asked ("model 'x' at URL")."""
        said = self.said(body)
        line = f"{asked}: HTTP {status}{f' ({said})' if said else ''}"
        if status in TRANSIENT:
            return Transient(f"{line}.", pause_of(headers))
        if status in (401, 403):
            where = f"the environment variable {self.key_env}" if self.key_env else "key_env"
            state = "is set, but its key is not accepted" if self._key() else "is not set where the model runs"
            return Refused(f"{line}: the server wants a key, and {where} {state}.", status, said)
        if 300 <= status < 400:
            to = self.scrub(headers.get("location", "").encode()).decode("utf-8", "replace")
            return Refused(f"{line}, redirected to {to or 'nowhere'}: give the URL of the API itself.", status, said)
        return Refused(f"{line}.", status, said)

    def parsed(self, body: bytes, content_type: str, asked: str) -> Mapping[str, Plain]:
        """Return the JSON object of a successful answer. Raises ModelFailed, Transient for a damaged one."""
        if content_type and "json" not in content_type:
            raise ModelFailed(
                f"{asked}: the answer is {content_type.split(';')[0]}, not JSON: is this the URL of the API (usually "
                "ending in /v1)?"
            )
        try:
            found = json.loads(self.scrub(body).decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Transient(f"{asked}: the answer is not valid UTF-8 (byte {error.start} of {len(body)}).") from None
        except (ValueError, RecursionError) as error:
            raise Transient(f"{asked}: the answer of {len(body)} bytes is not valid JSON ({error}).") from None
        if not isinstance(found, dict):
            raise ModelFailed(f"{asked}: the answer is a JSON {type(found).__name__}, not an object.")
        return found

    def unreachable(self, error: BaseException, asked: str, timeout: float) -> ModelFailed:
        """Return the error of a request that got no whole answer; which one is read from its chain of causes."""
        chain = list(causes(error))
        for kind, words in _NO_CONNECTION:
            found = next((cause for cause in chain if isinstance(cause, kind)), None)
            if found is not None:
                line = f"{asked}: {words.format(timeout=timeout, why=self.said(str(found).encode()))}"
                return ModelFailed(line) if kind is ssl.SSLCertVerificationError else Transient(line)
        why = self.said(f"{type(error).__name__}: {error}".encode())
        return Transient(f"{asked}: no whole answer came ({why}).")

    def _key(self) -> str:
        return os.environ.get(self.key_env, "").strip() if self.key_env else ""


_NO_CONNECTION: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted ({why}); SSL_CERT_FILE may name a further one."),
    (ssl.SSLError, "no secure connection ({why}); does the server speak https?"),
    (socket.gaierror, "no such host ({why}); is the URL right?"),
    (ConnectionRefusedError, "nothing listens there (connection refused); is the server running?"),
    (ConnectionResetError, "the connection was cut."),
    (TimeoutError, "no answer within {timeout:g} s; raise timeout if the server needs longer."),
)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it, groups opened."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from causes(inner)
        error = error.__cause__ or error.__context__


def pause_of(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After asks to wait (RFC 9110: seconds or a date), 0 when it is absent or odd."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _message(text: str) -> str:
    """Return the message in the shapes that servers give to an error body, or nothing."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "message", "detail"):
        while isinstance(found, dict) and key in found:
            found = found[key]
    return found if isinstance(found, str) else ""
