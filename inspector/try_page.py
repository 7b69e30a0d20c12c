"""What if: a throw-away session that has touched these products, and what would be recommended to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from inspector.columns import side_by_side
from inspector.sandbox import MOST_TOUCHES
from inspector.site import Site, url_query
from inspector.sources import ASKED_FOR, Answer, Source, Sources, ask_side_by_side, there
from vocabulary.colours import Colour
from vocabulary.placements import Placement

_TAKEN: Final = 5
"""Of a customer's touches, when a what-if starts from one."""


@dataclass(frozen=True)
class TryPage:
    """The address holds all of it: `touch` for each product, oldest first, and `was` for those before.

    To look at an address changes nothing. What is pressed on the page is posted to the address that it leads
    to: that tells the colours of the sessions there, and leads on.
    """

    site: Site

    def routes(self) -> list[Route]:
        return [
            Route("/try", self.site.action(self._touch), methods=["POST"]),
            Route("/try", self.site.page(self._page)),
        ]

    def _touch(self, request: Request, _: Mapping[str, str]) -> Response:
        query = self._query(request)
        if self.site.sandbox and _writes(self.site.placement(request)):
            for item_ids in (query["was"], query["touch"]):
                self.site.sandbox.session(item_ids)
        return RedirectResponse(f"/try{url_query(query)}", status_code=303)

    def _query(self, request: Request) -> dict[str, Any]:
        """What an address says; of one that names a customer to start `from`, what they touched last."""
        asked = request.query_params
        touched = asked.getlist("touch")
        if start := asked.get("from"):
            touches = self.site.history.touches(self.site.whom(start))
            touched = list(dict.fromkeys(touch.item.item_id for touch in touches))[:_TAKEN][::-1]
        return {
            "placement": self.site.placement(request).name,
            "touch": touched[-MOST_TOUCHES:],
            "was": asked.getlist("was")[-MOST_TOUCHES:],
            "find": asked.get("find", "").strip(),
            **{name: value for name, value in asked.items() if name.startswith("context.")},
        }

    def _page(self, request: Request) -> Response:
        reading, history = self.site.look_again(), self.site.history
        asked, query = request.query_params, self._query(request)
        placement = self.site.placement(request)
        if "from" in asked:
            return RedirectResponse(f"/try{url_query(query)}", status_code=303)
        touched, was, find = query["touch"], query["was"], query["find"]
        items = history.items([*touched, *was])
        context = {name: value for name in placement.context if (value := asked.get(f"context.{name}"))}
        return self.site.render(
            request,
            "try.html",
            reading=reading,
            placement=placement,
            placements=self.site.deployment.placements,
            touched=[items[item_id] for item_id in touched],
            was=was,
            find=find,
            found=history.find_items(find) if find else [],
            most=MOST_TOUCHES,
            writes=self.site.sandbox is not None,
            unsent=any(self._is_unsent(placement, item_ids) for item_ids in (was, touched)),
            again=url_query(query),
            context=context,
            columns=side_by_side(
                history,
                self._ask(placement, was, touched, context),
                touched={item_id: items[item_id] for item_id in touched},
                popular=self.site.deployment.popular(placement)[:ASKED_FOR],
            ),
        )

    def _ask(
        self, placement: Placement, was: Sequence[str], touched: Sequence[str], context: dict[str, str]
    ) -> list[Answer]:
        """Before the last change, and now; by the live colour, and the dormant one while it is there.

        With nothing touched either time, both are the same question: it is asked once.
        """
        sources = Sources.of(self.site.deployment, placement, None)
        live = sources.live or "live"
        asked: list[tuple[Source, Colour | None, Sequence[str]]] = [
            (Source("was", "Before" if was else f"Nothing touched, {live}"), sources.live, was),
            (Source("now", f"What if, {live}"), sources.live, touched),
        ]
        if not was and not touched:
            return ask_side_by_side(
                [asked[0][0]], lambda source: self._answer(source, sources.live, placement, (), context)
            )
        if sources.live and sources.dormant in sources.open_colours:
            asked.append(
                (Source("dormant", f"What if, {sources.dormant}, dormant"), sources.dormant, touched)
            )
        by_key = {source.key: (colour, items) for source, colour, items in asked}

        def ask(source: Source) -> Answer:
            colour, item_ids = by_key[source.key]
            return self._answer(source, colour, placement, item_ids, context)

        return there(ask_side_by_side([source for source, _, _ in asked], ask))

    def _is_unsent(self, placement: Placement, item_ids: Sequence[str]) -> bool:
        """Whether there is a session to tell of before this can be asked."""
        sandbox = self.site.sandbox
        return (
            sandbox is not None and _writes(placement) and bool(item_ids) and not sandbox.has_sent(item_ids)
        )

    def _answer(
        self,
        source: Source,
        colour: Colour | None,
        placement: Placement,
        item_ids: Sequence[str],
        context: dict[str, str],
    ) -> Answer:
        if colour is None:
            return Answer(source, trouble="no colour is live yet: the first training has not come through")
        if placement.needs == "item" and not item_ids:
            return Answer(source, trouble="nothing is touched that it could be similar to")
        writes = _writes(placement) and bool(item_ids)
        if writes and self.site.sandbox is None:
            return Answer(
                source,
                trouble="what a session has touched reaches Personalize as events, which are written: "
                "the inspector does that in the local cloud only",
            )
        if self._is_unsent(placement, item_ids):
            return Answer(source, trouble="the colours have not been told of this session yet")
        session = self.site.sandbox.session_of(item_ids) if self.site.sandbox and writes else "what-if-nobody"
        return Answer(
            source,
            self.site.deployment.recommend(
                colour,
                placement,
                user_id=session,
                item_id=item_ids[-1] if item_ids else None,
                count=ASKED_FOR,
                context=context,
            ),
        )


def _writes(placement: Placement) -> bool:
    """Whether a session's touches count there; they reach Personalize as events, which are written."""
    return placement.needs in ("user", "items")
