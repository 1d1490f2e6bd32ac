"""Every error a client can meet (RFC 9457), with its status, its stable type and its words in German and English.

No other error text leaves the house. `docs/problems.md` is written from this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

from twin_api.texts import Language, Text

MEDIA_TYPE: Final = "application/problem+json"
SCHEME: Final = "urn:twin-api:problem:"


class Problem(Exception):
    """A fact that ends a request. `detail` says what would be right, with the client's own words in backticks and no others.

    `advice` is for the list of all problems: what whoever meets one should do.
    """

    status: ClassVar[int]
    type: ClassVar[str]
    title: ClassVar[Text]
    advice: ClassVar[Text]

    def __init__(self, detail: Text | None = None, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        super().__init__(self.type)
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})
        self.extra = extra

    def members(self, language: Language) -> dict[str, Any]:
        """The members of the problem in one language, in the order in which they are told."""
        told = {"type": SCHEME + self.type, "title": self.title.say(language), "status": self.status, **self.extra}
        return told if self.detail is None else told | {"detail": self.detail.say(language)}

    def body(self, language: Language) -> bytes:
        return orjson.dumps(self.members(language))


class InvalidParameter(Problem):
    status, type = 400, "invalid-parameter"
    title = Text("Ein Parameter ist nicht verständlich", "a parameter is not understood")
    advice = Text(
        "`parameter` nennt ihn, `detail` sagt, was richtig wäre. Unbekannte und doppelte Parameter werden nicht übergangen.",
        "`parameter` names it, `detail` says what would be right. Unknown and repeated parameters are not passed over.",
    )

    def __init__(self, parameter: str, detail: Text) -> None:
        super().__init__(detail, parameter=parameter)


class CredentialsMissing(Problem):
    status, type = 401, "credentials-missing"
    title = Text("Dieser Zwilling verlangt ein Token", "this twin asks for a token")
    advice = Text("In der Kopfzeile `Authorization` ein Token der Gemeinde senden.", "Send the town's token in the header `Authorization`.")

    def __init__(self) -> None:
        detail = Text("`Authorization: Bearer <token>` senden", "send `Authorization: Bearer <token>`")
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="twin-api"'})


class CredentialsInvalid(Problem):
    status, type = 401, "credentials-invalid"
    title = Text("Das Token ist nicht gültig", "the token is not valid")
    advice = Text("Ein neues Token bei der Gemeinde erbitten.", "Ask the town for a new token.")

    def __init__(self) -> None:
        challenge = 'Bearer realm="twin-api", error="invalid_token"'
        detail = Text("es ist falsch geschrieben, unbekannt, widerrufen oder abgelaufen", "it is malformed, unknown, revoked or expired")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class RoleMissing(Problem):
    status, type = 403, "role-missing"
    title = Text("Das Token hat die Rolle dieses Zwillings nicht", "the token does not hold the role of this twin")
    advice = Text("`roles` nennt die Zwillinge, für die das Token gilt.", "`roles` names the twins that the token is for.")

    def __init__(self, held: tuple[str, ...]) -> None:
        super().__init__(Text("einen der Zwillinge in `roles` verwenden", "use one of the twins in `roles`"), roles=list(held))


class NotFound(Problem):
    """There is nothing here; also the answer for what is hidden, byte for byte."""

    status, type = 404, "not-found"
    title = Text("Unter dieser Adresse ist nichts", "there is nothing at this address")
    advice = Text(
        "Die Adresse prüfen, oder von der Startseite des Zwillings aus den Verweisen folgen.",
        "Check the address, or follow the links from the twin's landing page.",
    )


class MethodNotAllowed(Problem):
    status, type = 405, "method-not-allowed"
    title = Text("Diese Adresse kennt die Methode nicht", "this address does not know the method")
    advice = Text("Eine der Methoden in der Kopfzeile `Allow` verwenden.", "Use one of the methods in the header `Allow`.")


class NotAcceptable(Problem):
    status, type = 406, "not-acceptable"
    title = Text("Nichts von dem, was die Anfrage annimmt, wird angeboten", "nothing that the request accepts is offered")
    advice = Text(
        "`detail` nennt, was es gibt; `f=json` oder `f=html` gilt vor der Kopfzeile `Accept`.",
        "`detail` names what there is; `f=json` or `f=html` goes before the header `Accept`.",
    )


class UriTooLong(Problem):
    status, type = 414, "uri-too-long"
    title = Text("Die Adresse ist länger als 8 KiB", "the address is longer than 8 KiB")
    advice = Text("Kürzer fragen, etwa in mehreren Anfragen.", "Ask in fewer words, such as in several requests.")


class RequestMalformed(Problem):
    status, type = 400, "request-malformed"
    title = Text("Das ist keine HTTP-Anfrage", "this is no HTTP request")
    advice = Text(
        "Das Programm prüfen, das fragt, und was zwischen ihm und dem Server steht.",
        "Check the program that asks, and what stands between it and the server.",
    )


class TooManyParameters(Problem):
    status, type = 400, "too-many-parameters"
    title = Text("Die Adresse hat mehr als 64 Parameter", "the address has more than 64 parameters")
    advice = Text("Mit weniger Parametern fragen.", "Ask with fewer parameters.")


class RequestTooSlow(Problem):
    status, type = 408, "request-too-slow"
    title = Text("Die Anfrage ist nicht rechtzeitig angekommen", "the request did not arrive in time")
    advice = Text(
        "Eine Anfrage muss nach ihrem ersten Byte in zehn Sekunden ganz da sein.",
        "A request has to arrive whole within ten seconds from its first byte on.",
    )


class ContentNotTaken(Problem):
    status, type = 413, "content-not-taken"
    title = Text("Eine Anfrage, die liest, hat keinen Inhalt", "a request that reads has no content")
    advice = Text("Alles steht in Adresse und Kopfzeilen.", "Everything stands in the address and the headers.")

    def __init__(self) -> None:
        detail = Text("ohne `Content-Length` und `Transfer-Encoding` senden", "send it without `Content-Length` and `Transfer-Encoding`")
        super().__init__(detail, headers={"Connection": "close"})


class TooManyRequests(Problem):
    status, type = 429, "too-many-requests"
    title = Text("Zu viele Anfragen von einem Fragenden", "too many requests from one client")
    advice = Text(
        "So viele Sekunden warten, wie `Retry-After` sagt, dann langsamer fragen: `q` Anfragen in `w` Sekunden (`RateLimit-Policy`).",
        "Wait as many seconds as `Retry-After` says, then ask more slowly: `q` requests are allowed in `w` seconds (`RateLimit-Policy`).",
    )

    def __init__(self, wait_s: int, policy: str) -> None:
        detail = Text("so viele Sekunden warten, wie `Retry-After` sagt", "wait as many seconds as `Retry-After` says")
        headers = {"Retry-After": str(wait_s), "RateLimit-Policy": policy, "RateLimit": f'"client";r=0;t={wait_s}'}
        super().__init__(detail, headers=headers)


class HeadersTooLarge(Problem):
    status, type = 431, "headers-too-large"
    title = Text("Die Kopfzeilen sind mehr als 64 oder länger als 32 KiB", "the headers are more than 64 or longer than 32 KiB")
    advice = Text(
        "Weniger oder kürzere Kopfzeilen senden; oft sind es alte Cookies.", "Send fewer or shorter headers; often it is old cookies."
    )


class Unexpected(Problem):
    status, type = 500, "unexpected"
    title = Text("Hier ist etwas schiefgegangen", "something went wrong here")
    advice = Text(
        "Ein Fehler des Servers. Der Gemeinde die Kopfzeile `X-Request-Id` der Antwort nennen: Im Protokoll steht, was es war.",
        "A fault of the server. Tell the town the header `X-Request-Id` of the answer: its log says what it was.",
    )


class TooBusy(Problem):
    status, type = 503, "too-busy"
    title = Text("Der Server ist ausgelastet", "the server is busy")
    advice = Text("So viele Sekunden warten, wie `Retry-After` sagt.", "Wait as many seconds as `Retry-After` says.")

    def __init__(self) -> None:
        super().__init__(_IN_A_MOMENT, headers={"Retry-After": "1"})


class DatabaseAway(Problem):
    status, type = 503, "database-away"
    title = Text("Der Datenspeicher antwortet nicht", "the store does not answer")
    advice = Text("So viele Sekunden warten, wie `Retry-After` sagt.", "Wait as many seconds as `Retry-After` says.")

    def __init__(self) -> None:
        super().__init__(_IN_A_MOMENT, headers={"Retry-After": "5"})


class VersionsDiffer(Problem):
    status, type = 503, "store-unfit"
    title = Text("Server und Datenspeicher sind nicht von derselben Version", "server and store are not of the same version")
    advice = Text(
        "Die Gemeinde aktualisiert gerade, oder hat es nicht zu Ende gebracht: ihr Protokoll sagt, was zu tun ist.",
        "The town is upgrading just now, or did not bring it to its end: its log says what to do.",
    )

    def __init__(self) -> None:
        detail = Text("in einer halben Minute noch einmal versuchen", "try again in half a minute")
        super().__init__(detail, headers={"Retry-After": "30"})


_IN_A_MOMENT: Final = Text("gleich noch einmal versuchen", "try again in a moment")

PROBLEMS: Final[tuple[type[Problem], ...]] = (
    InvalidParameter, RequestMalformed, TooManyParameters, CredentialsMissing, CredentialsInvalid, RoleMissing, NotFound, MethodNotAllowed,
    NotAcceptable, RequestTooSlow, ContentNotTaken, UriTooLong, TooManyRequests, HeadersTooLarge, Unexpected, TooBusy, DatabaseAway,
    VersionsDiffer,
)  # fmt: skip
