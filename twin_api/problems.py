"""Every error a client can meet (RFC 9457), with its status and its stable type. No other error text leaves the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """A fact that ends a request. `detail` says what would be right, with the client's own words in backticks and no others."""

    status: ClassVar[int]
    type: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})
        self.extra = extra

    def body(self) -> bytes:
        members = {"type": f"urn:twin-api:problem:{self.type}", "title": self.title, "status": self.status, **self.extra}
        if self.detail:
            members["detail"] = self.detail
        return orjson.dumps(members)


class NotFound(Problem):
    """There is nothing here; also the answer for what is hidden, byte for byte."""

    status, type, title = 404, "not-found", "there is nothing at this address"


class MethodNotAllowed(Problem):
    status, type, title = 405, "method-not-allowed", "this address does not know the method"


class InvalidParameter(Problem):
    status, type, title = 400, "invalid-parameter", "a parameter is not understood"

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail, parameter=parameter)


class NotAcceptable(Problem):
    status, type, title = 406, "not-acceptable", "nothing that the request accepts is offered"


class CredentialsMissing(Problem):
    status, type, title = 401, "credentials-missing", "this twin asks for a token"

    def __init__(self) -> None:
        super().__init__("send `Authorization: Bearer <token>`", headers={"WWW-Authenticate": 'Bearer realm="twin-api"'})


class CredentialsInvalid(Problem):
    status, type, title = 401, "credentials-invalid", "the token is not valid"

    def __init__(self) -> None:
        challenge = 'Bearer realm="twin-api", error="invalid_token"'
        super().__init__("it is malformed, unknown, revoked or expired", headers={"WWW-Authenticate": challenge})


class RoleMissing(Problem):
    status, type, title = 403, "role-missing", "the token does not hold the role of this twin"

    def __init__(self, held: tuple[str, ...]) -> None:
        super().__init__("use one of the twins in `roles`", roles=list(held))


class UriTooLong(Problem):
    status, type, title = 414, "uri-too-long", "the address is longer than 8 KiB"


class TooBusy(Problem):
    status, type, title = 503, "too-busy", "the server is busy"

    def __init__(self) -> None:
        super().__init__("try again in a moment", headers={"Retry-After": "1"})


class DatabaseAway(Problem):
    status, type, title = 503, "database-away", "the store does not answer"

    def __init__(self) -> None:
        super().__init__("try again in a moment", headers={"Retry-After": "5"})


class Unexpected(Problem):
    status, type, title = 500, "unexpected", "something went wrong here"


PROBLEMS: Final[tuple[type[Problem], ...]] = (
    NotFound, MethodNotAllowed, InvalidParameter, NotAcceptable, CredentialsMissing, CredentialsInvalid, RoleMissing, UriTooLong,
    TooBusy, DatabaseAway, Unexpected,
)  # fmt: skip
