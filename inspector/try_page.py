"""What if: a throw-away session that has touched these products, and what would be recommended to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
    """The address holds all of it: `touch` for each product, oldest first, and `was` for those before."""

    site: Site

    def routes(self) -> list[Route]:
        return [Route("/try", self.site.page(self._page))]

    def _page(self, request: Request) -> Response:
        reading, history = self.site.look_again(), self.site.history
        asked = request.query_params
        placement = self.site.placement(request)
        if start := asked.get("from"):
            touches = history.touches(self.site.whom(start))
            taken = list(dict.fromkeys(touch.item.item_id for touch in touches))[:_TAKEN]
            query = url_query({"placement": placement.name, "touch": taken[::-1]})
            return RedirectResponse(f"/try{query}", status_code=303)
        touched = asked.getlist("touch")[-MOST_TOUCHES:]
        was = asked.getlist("was")[-MOST_TOUCHES:]
        find = asked.get("find", "").strip()
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
        writes = placement.needs in ("user", "items") and bool(item_ids)
        if writes and self.site.sandbox is None:
            return Answer(
                source,
                trouble="what a session has touched reaches Personalize as events, which are written: "
                "the inspector does that in the local cloud only",
            )
        session = self.site.sandbox.session(item_ids) if self.site.sandbox and writes else "what-if-nobody"
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
