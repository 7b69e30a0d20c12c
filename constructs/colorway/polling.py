"""How often a state machine looks whether something is done: waiting costs, so by what it waits for."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import aws_cdk as cdk


@dataclass(frozen=True, kw_only=True)
class Polling:
    """Seconds between two looks: about a tenth of how long a thing usually takes, 10 s to 2 min.

    Each look is three transitions of the state machine and about nine of the
    25,000 history events that an execution may have. The durations are those
    that users of Amazon Personalize report; AWS publishes none.

    :param dataset_group: 1 to 2 minutes.
    :param dataset: 15 to 30 seconds.
    :param event_tracker: under a minute.
    :param solution: seconds; it is a definition only.
    :param import_job: 5 to 15 minutes, even for little data.
    :param model: 20 to 50 minutes for little data, hours for much.
    :param campaign: 10 to 20 minutes.
    :param retirement: 3 to 10 minutes for a whole colour, a few for each step of it.
    :param lake: 1 to 2 minutes until Firehose has delivered.
    :param alarms: theirs is a period of one minute; to look more often shows nothing new.
    """

    dataset_group: int = 15
    dataset: int = 10
    event_tracker: int = 10
    solution: int = 10
    import_job: int = 60
    model: int = 120
    campaign: int = 60
    retirement: int = 30
    lake: int = 20
    alarms: int = 60

    @classmethod
    def every(cls, pause: cdk.Duration) -> Polling:
        """The same pause whatever is waited for."""
        seconds = math.ceil(pause.to_seconds())
        return cls(**{each.name: seconds for each in fields(cls)})
