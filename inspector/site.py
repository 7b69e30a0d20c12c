"""What all pages have in common: the frame, names of customers, and what is said when a back end fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

import duckdb
from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.templating import Jinja2Templates

from inspector.compared import Compared
from inspector.deployment import Deployment, NotDeployedError
from inspector.history import History
from inspector.masks import Masks
from inspector.sandbox import RefusedError, Sandbox
from vocabulary.placements import Placement

HERE: Final = Path(__file__).parent

NAVIGATION: Final = (
    ("/", "Customers"),
    ("/try", "What if"),
    ("/models", "Models"),
    ("/experiment", "Experiment"),
    ("/watch", "Control room"),
)
"""The pages, as the frame links to them."""

_PATIENCE: Final = 1.0
_TROUBLES: Final = (NotDeployedError, BotoCoreError, ClientError, RefusedError, OSError, duckdb.Error)

Page = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Site:
    """One deployment and its history, as pages show them.

    :param masks: names that stand for customers, where a screen is shared.
    :param compared: where `make compare` leaves its lists.
    :param copies: where the experiment's files of the lake are kept; a temporary folder unless told.
    :param sandbox: what may be written to; None unless it is the local cloud.
    """

    deployment: Deployment
    history: History
    masks: Masks | None = None
    compared: Path | None = None
    copies: Path | None = None
    sandbox: Sandbox | None = None

    def page(self, answer: Callable[[Request], Response]) -> Page:
        """A page that says what is wrong, rather than fail, when a back end does."""

        async def page(request: Request) -> Response:
            try:
                return await run_in_threadpool(answer, request)
            except _TROUBLES as error:
                return self.render(request, "trouble.html", status=503, trouble=str(error))

        return page

    def missing(self, request: Request, _: Exception) -> Response:
        """What an address shows where there is no page, in the frame of all pages."""
        return self.render(request, "missing.html", status=404)

    def action(self, act: Callable[[Request, Mapping[str, str]], Response]) -> Page:
        """What a form of a page does with its fields; nobody else's page may send one."""

        async def action(request: Request) -> Response:
            if not _from_here(request):
                return PlainTextResponse("Forms are taken from the inspector's own pages only.", 403)
            fields = dict(parse_qsl((await request.body()).decode()))
            return await self.page(lambda request: act(request, fields))(request)

        return action

    def render(self, request: Request, template: str, *, status: int = 200, **found: Any) -> Response:
        context = {
            "environment": self.deployment.names.prefix,
            "navigation": NAVIGATION,
            "here": request.url.path,
            "who": self.who,
            "customer_path": self.customer_path,
            "masked": self.masks is not None,
            "reading": "",
            **found,
        }
        return _TEMPLATES.TemplateResponse(request, template, context, status_code=status)

    def look_again(self) -> str:
        """See what is new in the lake; what takes longer than a moment goes on, and this says how far."""
        return "" if self.history.refresh(_PATIENCE) else self.history.reading or "its files are listed"

    def placement(self, request: Request, name: str = "placement") -> Placement:
        """The placement that a page is about: the first one unless the URL names another."""
        placements = self.deployment.placements
        asked = request.query_params.get(name)
        return next((each for each in placements if each.name == asked), placements[0])

    def last_compared(self) -> Compared | None:
        return Compared.read(self.compared) if self.compared else None

    def who(self, user_id: str) -> str:
        """How a customer is called on the page, and in its address."""
        return self.masks.name(user_id) if self.masks else user_id

    def whom(self, name: str) -> str:
        """The customer whom an address names."""
        return self.masks.user_of(self.history, name) if self.masks else name

    def customer_path(self, user_id: str, **query: Any) -> str:
        return f"/customers/{quote(self.who(user_id), safe='')}" + url_query(query)


def url_query(query: Mapping[str, Any]) -> str:
    """`?a=1&b=2`, a list as repeated names; what is empty is left out."""
    given = {name: value for name, value in query.items() if value}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _from_here(request: Request) -> bool:
    """Whether a form was sent by a page of ours: browsers say so, each in one of two ways."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == f"{request.url.scheme}://{request.url.netloc}"


def _ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that says something."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _lasted(seconds: float) -> str:
    """A duration in the units that a person would say."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


_TEMPLATES: Final = Jinja2Templates(directory=HERE / "templates")
_TEMPLATES.env.filters.update(
    ago=_ago,
    lasted=_lasted,
    moment=lambda at: at.astimezone(UTC).strftime("%d %b %H:%M:%S"),
    day=lambda ms: datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %b %Y"),
    minute=lambda ms: datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %b %H:%M"),
    query=url_query,
)
