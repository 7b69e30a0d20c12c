"""What is chosen from the lake, and the rules by which an event is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from training_data.sql import literal
from training_data.window import Window
from vocabulary.lake import RESERVED_EVENT_TYPE_PREFIX, Column
from vocabulary.schemas import ExtraColumns
from vocabulary.training_rules import TrainingRules

LONGEST_ID: Final = 256
"""Characters of a USER_ID or ITEM_ID (botocore service model `personalize-events`)."""

EARLIEST: Final = 946_684_800_000
"""2000-01-01 in unix milliseconds: a time before it is a wrong clock, or seconds taken for milliseconds."""

RESERVED: Final = literal(f"{RESERVED_EVENT_TYPE_PREFIX}%")

_ALWAYS_READ: Final = (
    Column("event_id", "string", ""),
    Column("received_at", "bigint", ""),
    Column("sent_at", "bigint", ""),
    Column("session_id", "string", ""),
    Column("user_id", "string", ""),
    Column("event_type", "string", ""),
    Column("item_id", "string", ""),
    Column("value", "double", ""),
)


@dataclass(frozen=True)
class Rule:
    """A reason to leave an event out.

    :param name: as the report calls it.
    :param reason: in words, for people.
    :param condition: over the columns of `linked`; the event goes where it is true. None for a rule that
        takes more than one event to apply.
    """

    name: str
    reason: str
    condition: str | None = None


@dataclass(frozen=True)
class Selection:
    """What is chosen from the lake.

    :param window: by the time of receipt.
    :param event_types: which count as interest.
    :param has_catalogue: there is a table `items`.
    """

    window: Window
    event_types: tuple[str, ...]
    has_catalogue: bool
    rules: TrainingRules = field(default_factory=TrainingRules)
    extra: ExtraColumns = field(default_factory=ExtraColumns)

    @property
    def columns_read(self) -> tuple[Column, ...]:
        """What of `raw_events` is needed; what is not asked for is not read."""
        return (
            *_ALWAYS_READ,
            *([Column("impression", "array<string>", "")] if self.extra.impressions else []),
            *([Column("properties", "string", "")] if self.extra.properties else []),
        )

    @property
    def knows_items(self) -> bool:
        """Whether only items of the table `items` are taken."""
        return self.has_catalogue and self.rules.known_items_only

    @property
    def rules_of_events(self) -> tuple[Rule, ...]:
        """Rules about one event, in the order in which they are applied."""
        unknown = Rule("unknown-item", "not in the newest catalogue snapshot", "item_number IS NULL")
        return (
            Rule("marker", "a record of Colorway's own, no event", f"event_type LIKE {RESERVED}"),
            Rule(
                "incomplete",
                "no event id, time of receipt or event type",
                "event_id IS NULL OR received_at IS NULL OR event_type IS NULL",
            ),
            Rule("repeat", "the event is there already: streams deliver at least once"),
            Rule("before-window", "received before the window", f"received_at < {self.window.start}"),
            Rule(
                "after-cutoff",
                "received at or after the cutoff: streamed to the colour instead",
                f"received_at >= {self.window.cutoff}",
            ),
            Rule(
                "other-event-type",
                f"only {', '.join(self.event_types)} are trained on",
                "type_number IS NULL",
            ),
            Rule("no-item", "touches no item", "item_id IS NULL"),
            Rule("anonymous", "no user id, and its session never got exactly one", "user_number IS NULL"),
            *([unknown] if self.knows_items else []),
            Rule("implausible-time", "happened before the year 2000", f"happened_at < {EARLIEST}"),
        )

    def place_of(self, name: str) -> int:
        """The place of a rule of events in their order."""
        return [rule.name for rule in self.rules_of_events].index(name)

    @property
    def rules_of_people(self) -> tuple[Rule, ...]:
        """Rules about all that a user, a session or an item has."""
        return (
            Rule(
                "unwritable",
                f"an id of over {LONGEST_ID} characters or with control characters, e.g. a line break",
            ),
            Rule("bot", f"of a user with over {self.rules.most_events_per_day} interactions on one day"),
            Rule(
                "bot-session",
                f"of a user's session with over {self.rules.most_events_per_session} interactions",
            ),
        )

    @property
    def rules_of_interactions(self) -> tuple[Rule, ...]:
        """Rules about the interactions that are left."""
        same = ", ".join(["user", "item", "second", "type", "value", *self.extra.names])
        newest = self.rules.newest_per_user
        return (
            Rule("duplicate", f"the same {same} as another; Personalize keeps one too"),
            *([Rule("not-newest", f"older than the user's newest {newest}")] if newest else []),
        )
