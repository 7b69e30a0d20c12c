"""Looking: whom to look at, what they touched beside what is recommended to them, and a product by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from inspector.columns import side_by_side
from inspector.history import Item
from inspector.plots import bar_plot
from inspector.site import Site
from inspector.sources import ASKED_FOR, Sources, there

_LATELY: Final = 20
EVENT_TYPES: Final = ("view", "click", "add-to-cart", "purchase")


@dataclass(frozen=True)
class LookPages:
    """The front page, customers and products."""

    site: Site

    def routes(self) -> list[Route]:
        return [
            Route("/", self.site.page(self._front)),
            Route("/customers/{name:path}", self.site.action(self._send), methods=["POST"]),
            Route("/customers/{name:path}", self.site.page(self._customer)),
            Route("/items/{item_id:path}", self.site.page(self._item)),
        ]

    def _front(self, request: Request) -> Response:
        reading, history = self.site.look_again(), self.site.history
        text = request.query_params.get("customer", "").strip()
        segment = request.query_params.get("segment", "")
        if request.query_params.get("random"):
            anybody = history.anybody(segment)
            if anybody:
                return RedirectResponse(self.site.customer_path(anybody.user_id), status_code=303)
        if (whom := self.site.whom(text)) != text:  # a mask; to search by whom it stands for would show that
            return RedirectResponse(self.site.customer_path(whom), status_code=303)
        found = history.of_segment(segment) if segment else history.search(text)
        if text and len(found) == 1:
            return RedirectResponse(self.site.customer_path(found[0].user_id), status_code=303)
        days = history.by_day()
        compared = self.site.last_compared()
        return self.site.render(
            request,
            "look.html",
            reading=reading,
            text=text,
            segment=segment,
            found=found,
            segments=history.segments(),
            newcomers=history.newcomers(),
            anonymous=history.anonymous(),
            compared=list(compared.lists)[:8] if compared else [],
            days=len(days),
            by_day=bar_plot(
                "Events a day",
                [(day[5:], float(count), "recipe0") for day, count in days],
                every=max(len(days) // 5, 1),
            ),
        )

    def _customer(self, request: Request) -> Response:
        if not request.path_params["name"]:
            return RedirectResponse("/", status_code=303)
        reading, history = self.site.look_again(), self.site.history
        user_id = self.site.whom(request.path_params["name"])
        placement = self.site.placement(request)
        touches = history.touches(user_id)
        sources = Sources.of(self.site.deployment, placement, self.site.last_compared())
        asked = request.query_params.getlist("column")
        chosen = sources.chosen(asked)
        before = request.query_params.getlist("before")
        last = request.query_params.get("sent") or (touches[0].item.item_id if touches else None)
        answers = sources.ask(chosen, user_id=user_id, item_id=last)
        answers = answers if asked else there(answers)
        columns = side_by_side(
            history,
            answers,
            touched={touch.item.item_id: touch.item for touch in touches[:_LATELY]},
            popular=self.site.deployment.popular(placement)[:ASKED_FOR],
            first=before or None,
        )
        sent = self._sent(request)
        moved = bool(before) and [entry.item.item_id for entry in columns[0].entries] != before
        return self.site.render(
            request,
            "customer.html",
            status=200 if touches or columns else 404,
            reading=reading,
            user_id=user_id,
            unknown=not reading and not history.knows(user_id),
            touches=touches,
            similar_to=history.items([last])[last] if last and placement.needs == "item" else None,
            placement=placement,
            placements=self.site.deployment.placements,
            columns=columns,
            offered=sources.offered(),
            chosen=[answer.source.key for answer in answers],
            can_send=self.site.sandbox is not None,
            event_types=EVENT_TYPES,
            before=before,
            sent=sent,
            sent_unknown=sent is not None and not reading and not history.sells(sent.item_id),
            moved=moved,
        )

    def _sent(self, request: Request) -> Item | None:
        item_id = request.query_params.get("sent")
        return self.site.history.items([item_id])[item_id] if item_id else None

    def _send(self, request: Request, fields: Mapping[str, str]) -> Response:
        """Send a real event of the customer, and show the live list beside what it was before."""
        user_id = self.site.whom(request.path_params["name"])
        item_id, event_type = fields.get("item_id", ""), fields.get("event_type", EVENT_TYPES[0])
        placement = self.site.placement(request)
        back: dict[str, Any] = {"placement": placement.name}
        if self.site.sandbox is None or not item_id:
            return RedirectResponse(self.site.customer_path(user_id, **back), status_code=303)
        sources = Sources.of(self.site.deployment, placement, None)
        (answer,) = sources.ask(sources.chosen(["live"]), user_id=user_id, item_id=item_id)
        self.site.sandbox.send(user_id, event_type, item_id)
        before = [item for item, _ in answer.ranked]
        return RedirectResponse(
            self.site.customer_path(user_id, **back, sent=item_id, before=before), status_code=303
        )

    def _item(self, request: Request) -> Response:
        reading, history = self.site.look_again(), self.site.history
        item_id = request.path_params["item_id"]
        items = history.items([item_id])
        deployment = self.site.deployment
        placement = next((each for each in deployment.placements if each.needs == "item"), None)
        columns = []
        if placement:
            sources = Sources.of(deployment, placement, None)
            answers = sources.ask(sources.chosen(["live"]), user_id="inspector", item_id=item_id)
            columns = side_by_side(history, answers, touched=items, popular=())
        days = history.by_day(item_id)
        return self.site.render(
            request,
            "item.html",
            reading=reading,
            item=items[item_id],
            unknown=not reading and not history.sells(item_id),
            by_type=history.by_type(item_id),
            by_day=bar_plot(
                "Touched a day",
                [(day[5:], float(count), "recipe0") for day, count in days],
                every=max(len(days) // 5, 1),
            ),
            column=columns[0] if columns else None,
            can_try=self.site.sandbox is not None,
        )
