"""The inspector's pages: what was asked for in, a template with what was found out."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from inspector.columns import Column, against, reasons
from inspector.deployment import Deployment, NotDeployedError, Run
from inspector.history import History, Item, Touch
from vocabulary.colours import COLOURS, Colour
from vocabulary.phases import CLEARING, PHASES, phase_of
from vocabulary.placements import Placement

_HERE: Final = Path(__file__).parent
_ASKED_FOR: Final = 12
_LATELY: Final = 20

_Page = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Inspector:
    """The pages over one deployment and its history.

    :param masked: show customers by a short hash, for a screen that others see.
    """

    deployment: Deployment
    history: History
    masked: bool = False

    def app(self) -> Starlette:
        """The web application."""
        return Starlette(
            routes=[
                Route("/", self._page(self._look)),
                Route("/customers/{user_id:path}", self._page(self._customer), name="customer"),
                Route("/items/{item_id:path}", self._page(self._item)),
                Route("/watch", self._page(self._watch)),
                Mount("/static", StaticFiles(directory=_HERE / "static")),
            ]
        )

    def _page(self, answer: Callable[[Request], Response]) -> _Page:
        """A page that says what is wrong, rather than fail, when a back end does."""

        async def page(request: Request) -> Response:
            try:
                return await run_in_threadpool(answer, request)
            except (NotDeployedError, BotoCoreError, ClientError) as error:
                return self._render(request, "trouble.html", status=503, trouble=str(error))

        return page

    def _render(self, request: Request, template: str, *, status: int = 200, **found: Any) -> Response:
        context = {
            "environment": self.deployment.names.prefix,
            "who": self.who,
            "masked": self.masked,
            **found,
        }
        return _TEMPLATES.TemplateResponse(request, template, context, status_code=status)

    def who(self, user_id: str) -> str:
        """How a customer is called on the page."""
        if not self.masked:
            return user_id
        return "customer " + hashlib.sha256(user_id.encode()).hexdigest()[:8]

    def _look(self, request: Request) -> Response:
        self.history.refresh()
        text = request.query_params.get("customer", "").strip()
        if request.query_params.get("random"):
            anybody = self.history.anybody()
            if anybody:
                return RedirectResponse(request.url_for("customer", user_id=anybody.user_id), status_code=303)
        return self._render(
            request,
            "look.html",
            text=text,
            found=self.history.search(text),
            newcomers=self.history.newcomers(),
            days=self.history.by_day(),
        )

    def _customer(self, request: Request) -> Response:
        self.history.refresh()
        user_id = request.path_params["user_id"]
        placements = self.deployment.placements
        asked = request.query_params.get("placement", placements[0].name)
        placement = next((each for each in placements if each.name == asked), placements[0])
        touches = self.history.touches(user_id)
        return self._render(
            request,
            "customer.html",
            user_id=user_id,
            touches=touches,
            placement=placement,
            placements=placements,
            columns=self._columns(user_id, placement, touches),
            live=self.deployment.live_colour(),
        )

    def _item(self, request: Request) -> Response:
        self.history.refresh()
        item_id = request.path_params["item_id"]
        placement = next((each for each in self.deployment.placements if each.needs == "item"), None)
        similar: list[Item] = []
        live = self.deployment.live_colour()
        if placement and live:
            answer = self.deployment.recommend(live, placement, user_id="", item_id=item_id, count=_ASKED_FOR)
            items = self.history.items([each for each, _ in answer])
            similar = [items[each] for each, _ in answer]
        return self._render(
            request,
            "item.html",
            item=self.history.items([item_id])[item_id],
            by_type=self.history.by_type(item_id),
            similar=similar,
            has_placement=placement is not None,
        )

    def _watch(self, request: Request) -> Response:
        runs = self.deployment.runs()
        running = next((run for run in runs if run.status == "RUNNING"), None)
        return self._render(
            request,
            "watch.html",
            live=self.deployment.live_colour(),
            open_colours={each.colour: each for each in self.deployment.open_colours()},
            colours=COLOURS,
            runs=runs,
            running=running,
            phases=self._phases(running) if running else [],
            alarms=self.deployment.alarms(),
            now=datetime.now(UTC),
        )

    def _phases(self, run: Run) -> list[tuple[str, str]]:
        """Every phase with how it stands: `done`, `now` or `to come`."""
        entered = [phase for name, _ in self.deployment.states_of(run) if (phase := phase_of(name))]
        current = entered[-1] if entered else PHASES[0]
        if current == CLEARING:
            return [(CLEARING, "now")]
        place = PHASES.index(current)
        return [
            (phase, "done" if index < place else "now" if index == place else "to come")
            for index, phase in enumerate(PHASES)
        ]

    def _columns(self, user_id: str, placement: Placement, touches: list[Touch]) -> list[Column]:
        touched = {touch.item.item_id: touch.item for touch in touches[:_LATELY]}
        last = touches[0].item.item_id if touches else None
        popular = self.deployment.popular(placement)[:_ASKED_FOR]
        live = self.deployment.live_colour()
        asked: list[tuple[str, list[tuple[str, float | None]], str]] = []
        for colour in sorted(COLOURS, key=lambda colour: colour != live):
            title = f"{colour}, live" if colour == live else f"{colour}, dormant"
            asked.append((title, *self._ask(colour, placement, user_id, last)))
        asked.append(("popular", [(item_id, None) for item_id in popular], ""))

        ids = [item_id for _, ranked, _ in asked for item_id, _ in ranked]
        items = self.history.items(ids)
        neighbours = self.history.neighbours(ids, list(touched)) if touched else {}
        now = datetime.now(UTC)
        first = [item_id for item_id, _ in asked[0][1]]
        columns = []
        for title, ranked, trouble in asked:
            explained = [
                (
                    items[item_id],
                    score,
                    reasons(
                        items[item_id],
                        touched=touched,
                        neighbours=neighbours,
                        popular=set(popular),
                        now=now,
                    ),
                )
                for item_id, score in ranked
            ]
            columns.append(Column(title, trouble=trouble) if trouble else against(first, title, explained))
        return columns

    def _ask(
        self, colour: Colour, placement: Placement, user_id: str, last: str | None
    ) -> tuple[list[tuple[str, float | None]], str]:
        """What a colour recommends, or why nothing."""
        if placement.needs == "item" and last is None:
            return [], "the customer has touched nothing that it could be similar to"
        try:
            ranked = self.deployment.recommend(
                colour, placement, user_id=user_id, item_id=last, count=_ASKED_FOR
            )
            return ranked, ""
        except ClientError as refused:
            error = refused.response["Error"]
            if error["Code"] == "ResourceNotFoundException":
                return [], "not there: it is made at night, and the old one taken down"
            return [], f"{error['Code']}: {error['Message']}"


def _ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that says something."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


_TEMPLATES: Final = Jinja2Templates(directory=_HERE / "templates")
_TEMPLATES.env.filters["ago"] = _ago
_TEMPLATES.env.filters["moment"] = lambda at: at.astimezone(UTC).strftime("%d %b %H:%M:%S")
_TEMPLATES.env.filters["day_of"] = lambda ms: datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %b %H:%M")
