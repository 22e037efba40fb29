"""The HTTP that uiautomator2 speaks to its server on the device: a ping, and JSON-RPC."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import h11

from simonides.envs.android.adbd.automator import Automator, NoElement, NoMethod
from simonides.envs.android.adbd.stream import Stream

NO_METHOD, WRONG_PARAMETERS, NO_ELEMENT = -32601, -32602, -32001
"""JSON-RPC's codes, and the one that uiautomator2's server gives for an element that is not there."""

Act = Callable[[Callable[[], Any]], Awaitable[Any]]


async def serve_http(automator: Automator, stream: Stream, act: Act) -> None:
    """Answer the requests of one connection. `act` runs something in a thread that holds the device."""
    connection = h11.Connection(h11.SERVER)
    while True:
        try:
            request = await _event(connection, stream)
            if not isinstance(request, h11.Request):
                return
            body = bytearray()
            while isinstance(piece := await _event(connection, stream), h11.Data):
                body += piece.data
        except h11.RemoteProtocolError:
            return
        status, kind, answer = await _answer(automator, request, bytes(body), act)
        head = [("Content-Type", kind), ("Content-Length", str(len(answer)))]
        sent = connection.send(h11.Response(status_code=status, headers=head)) or b""
        sent += connection.send(h11.Data(data=answer)) or b""
        await stream.write(sent + (connection.send(h11.EndOfMessage()) or b""))
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _event(connection: h11.Connection, stream: Stream) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await stream.reader.read(64 * 1024))
    return event


async def _answer(automator: Automator, request: h11.Request, body: bytes, act: Act) -> tuple[int, str, bytes]:
    """Return status, content type and body."""
    if (request.method, request.target) == (b"GET", b"/ping"):
        return 200, "text/plain", b"pong"
    if (request.method, request.target) != (b"POST", b"/jsonrpc/0"):
        return 404, "text/plain", b"Not found"
    try:
        asked = json.loads(body)
        name, given = asked["method"], asked.get("params") or []
    except (ValueError, KeyError, TypeError, AttributeError):
        return 400, "text/plain", b"Not a JSON-RPC request"
    said = {"jsonrpc": "2.0", "id": asked.get("id"), **await act(lambda: _call(automator, name, given))}
    return 200, "application/json", json.dumps(said).encode()


def _call(automator: Automator, name: str, given: Any) -> dict[str, Any]:
    try:
        return {"result": automator.call(name, list(given) if isinstance(given, list) else [])}
    except NoElement as error:
        return _error(NO_ELEMENT, "androidx.test.uiautomator.UiObjectNotFoundException", str(error))
    except NoMethod as error:
        return _error(NO_METHOD, "Method not found", str(error))
    except (TypeError, ValueError, KeyError) as error:
        return _error(WRONG_PARAMETERS, "Invalid params", f"{name}: {error}")


def _error(code: int, message: str, data: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "data": data}}
