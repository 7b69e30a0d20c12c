"""The experiment as AppConfig has it now, polled beside requests and never waited for."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from recommendations.experiment import Experiment, Unreadable
from recommendations.refresh import Refresh, in_a_thread
from recommendations.service import Service, ServiceError

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)

_FRESH_SECONDS: Final = 60.0
_ASK_SECONDS: Final = 2.0


class Configuration:
    """What experiment there is, by the newest configuration that was read.

    As long as none was read, and when the newest is broken, there is none, and `problem` says
    why. While AppConfig is away the last one read stays.

    :param appconfig: opens `appconfigdata` anew: an earlier poll may still hang on an earlier connection.
    :param identifiers: ids of application, environment and profile; None when nothing is deployed.
    :param now: seconds of the day.
    :param begin: begins a piece of work and returns at once.
    """

    def __init__(
        self,
        appconfig: Callable[[], Service],
        identifiers: tuple[str, str, str] | None,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        begin: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self.experiment: Experiment | None = None
        self.problem: str | None = None if identifiers is None else "not read yet"
        self._appconfig, self._identifiers = appconfig, identifiers
        self._clock = clock
        self._token = ""
        self._refresh = Refresh(self._poll, every=_FRESH_SECONDS, now=now, begin=begin)

    def refresh(self) -> None:
        """Begin to ask for a newer one if it is time. Returns at once."""
        if self._identifiers is not None:
            self._refresh.if_due()

    def read_within(self, seconds: float) -> bool:
        """Wait for the first reading to end, well or badly; answer whether it has."""
        return self._identifiers is None or self._refresh.tried_within(seconds)

    def _poll(self) -> bool:
        try:
            text = self._newest()
        except Exception as error:
            _LOG.warning("the experiment was not read: %s: %s", type(error).__name__, error)
            self._token = ""  # each is good for one call, and this one may be spent
            if self.problem is not None and not isinstance(error, Unreadable):
                self.problem = f"{type(error).__name__}: {error}"
            return False
        if text:  # empty: nothing new
            self._take(text)
        return True

    def _take(self, text: bytes) -> None:
        try:
            experiment, problem = Experiment.read(text), None
        except Unreadable as error:
            _LOG.error("the experiment is off, its configuration is broken: %s", error)
            experiment, problem = None, f"Unreadable: {error}"
        self.experiment, self.problem = experiment, problem

    def _newest(self) -> bytes:
        service, deadline = self._appconfig(), self._clock() + _ASK_SECONDS
        token, self._token = self._token, ""
        if not token:
            assert self._identifiers is not None
            application, environment, profile = self._identifiers
            begin = {
                "ApplicationIdentifier": application,
                "EnvironmentIdentifier": environment,
                "ConfigurationProfileIdentifier": profile,
            }
            begun = service.ask(
                "POST", "/configurationsessions", json.dumps(begin).encode(), deadline=deadline
            )
            token = json.loads(begun.body)["InitialConfigurationToken"]
        query = f"configuration_token={quote(token, safe='')}"
        answer = service.ask("GET", "/configuration", query=query, deadline=deadline)
        following = answer.headers.get("next-poll-configuration-token")
        if not following:
            raise ServiceError("NoToken", answer.status, "the answer has no next token")
        self._token = following
        return answer.body
