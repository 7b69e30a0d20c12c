"""The inspector: every page, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inspector.experiment import ExperimentPage
from inspector.look_pages import LookPages
from inspector.models_page import ModelsPage
from inspector.site import HERE, Site
from inspector.try_page import TryPage
from inspector.watch_page import WatchPage

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")

_HEADERS: Final = (
    # Pages have no script at all; pictures may come from the shop's own servers
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self' data: http: https:; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"same-origin"),  # addresses name customers, whom picture servers need not know
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
)


@dataclass(frozen=True)
class Inspector:
    """The pages of a site.

    :param hosts: by which names it answers; others are refused, so that no web page elsewhere can read it
        by a name that it points here (DNS rebinding).
    """

    site: Site
    hosts: Sequence[str] = LOOPBACK

    def app(self) -> Starlette:
        """The web application."""
        return Starlette(
            routes=[
                *LookPages(self.site).routes(),
                *TryPage(self.site).routes(),
                *ModelsPage(self.site).routes(),
                *ExperimentPage(self.site).routes(),
                *WatchPage(self.site).routes(),
                Mount("/static", StaticFiles(directory=HERE / "static")),
            ],
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=list(self.hosts)),
                Middleware(_Guarded),
            ],
            exception_handlers={404: self.site.missing},
        )


class _Guarded:
    """Adds the headers that keep a page to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await self._app(scope, receive, guarded)
