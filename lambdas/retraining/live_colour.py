"""Moves the live colour, and says what it is. The order of the steps is the safety of the flip.

The pointer (an SSM parameter) is the truth; the function version behind the
alias carries the colour it serves, frozen in its environment. A version is
published and has answered before the pointer names its colour, and the pointer
names it before the alias moves: whatever stops the flip in between, the alias
can be brought to the pointer later without a doubt about that version.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from retraining.heartbeat import HeartbeatFailed
from retraining.settings import Settings
from vocabulary.colours import NO_COLOUR, Colour, live_colour_of

VARIABLE = "LIVE_COLOUR"

Guard = Callable[[], None]

_DEPLOYED = ("CodeSha256", "Handler", "Runtime", "Role", "MemorySize", "Timeout")


def _no_guard() -> None:
    """For whoever is not a run that can be stopped."""


class ServingStackBusy(Exception):
    """CloudFormation is at work on the serving stack; the flip waits, or one of the two would be lost."""


class ChangedMeanwhile(Exception):
    """Somebody else set the function's variable before it was published: another attempt gets past that."""


@dataclass(frozen=True)
class LiveColour:
    """The live colour of one deployment.

    :param aws: client of a service by its boto3 name: `lambda`, `ssm`, `cloudformation`.
    :param function: name of the serving function.
    :param alias: the alias that clients' requests go to.
    :param pointer: name of the SSM parameter.
    :param stack: name of the serving stack.
    """

    aws: Callable[[str], Any]
    function: str
    alias: str
    pointer: str
    stack: str

    @classmethod
    def of(cls, settings: Settings, aws: Callable[[str], Any]) -> LiveColour:
        """The live colour of the deployment that `settings` describe."""
        return cls(
            aws=aws,
            function=settings.serving_function,
            alias=settings.serving_alias,
            pointer=settings.names.live_pointer,
            stack=settings.serving_stack,
        )

    def pointed(self) -> Colour | None:
        """The colour that the pointer names."""
        return live_colour_of(self.aws("ssm").get_parameter(Name=self.pointer)["Parameter"]["Value"])

    def served(self) -> Colour | None:
        """The colour of the version behind the alias."""
        return self._colour(self.version())

    def named(self) -> set[Colour]:
        """The colours that pointer and alias name: one, unless the two differ."""
        return {colour for colour in (self.pointed(), self.served()) if colour is not None}

    def in_use(self) -> set[Colour]:
        """Every colour that must not be torn down now: pointed at, or sent any share of the traffic."""
        alias = self._alias()
        versions = [alias["FunctionVersion"], *_weights(alias)]
        colours = [self.pointed(), *(self._colour(version) for version in versions)]
        return {colour for colour in colours if colour is not None}

    def prepare(self, colour: Colour) -> str:
        """Publish a version that serves `colour`; traffic stays where it is. Answers the version.

        :raises ServingStackBusy: while CloudFormation changes the serving stack.
        """
        self._refuse_while_the_stack_changes()
        version = self._publish(colour)
        # The colour may be on trial for long, and a deploy of other code publishes the variable as it is
        self.forget_preparation()
        return version

    def forget_preparation(self) -> None:
        """Make the next deploy publish the pointer's colour again, whatever was being prepared."""
        self._set_variable(self.pointed())

    def beat(self, version: str, colour: Colour, request: dict[str, Any]) -> list[list[str]]:
        """Ask that very version for recommendations; answer the item ids of each list.

        :raises HeartbeatFailed: unless every answer comes from this colour's own campaign with items.
        """
        answers = self._answers(version, request)
        placement = request["placement"]
        for each in answers:
            if each["source"] != "personalize" or each["colour"] != colour or not each["items"]:
                raise HeartbeatFailed(
                    f"{placement}: expected items of {colour} from personalize, "
                    f"got {len(each['items'])} items of {each['colour']} from {each['source']}"
                    + (f" ({each['error']})" if "error" in each else "")
                )
        return [each["items"] for each in answers]

    def beat_of_live(self, request: dict[str, Any]) -> list[list[str]] | None:
        """What the version behind the alias answers to the same, or None when it does not."""
        try:
            answers = self._answers(self.version(), request)
        except HeartbeatFailed:
            return None  # it may not know the placement: a deploy has just brought it
        return [each["items"] for each in answers]

    def _answers(self, version: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        reply = self.aws("lambda").invoke(
            FunctionName=self.function, Qualifier=version, Payload=json.dumps({"heartbeat": request}).encode()
        )
        answer = json.loads(reply["Payload"].read())
        if "FunctionError" in reply:
            raise HeartbeatFailed(f"version {version} fails: {answer.get('errorMessage', answer)}")
        answers: list[dict[str, Any]] = answer["answers"]
        return answers

    def share(self, version: str, weight: float, *, guard: Guard = _no_guard) -> None:
        """Send a share of the traffic, 0 to 1, to `version`; the pointer stays.

        :param guard: raises when the run is no longer at work; then nothing has changed. So for `move`
            and `restore`.
        :raises ServingStackBusy: while CloudFormation changes the serving stack.
        """
        self._refuse_while_the_stack_changes()
        guard()
        self._move_alias(self.version(), {version: weight})
        self._still(guard, self.pointed())

    def on_canary(self) -> bool:
        """Whether a version beside the alias's own takes a share of the traffic."""
        return any(weight < 1 for weight in _weights(self._alias()).values())

    def is_starting(self) -> bool:
        """Whether the version before has all traffic yet: the alias's own has its containers not ready."""
        return any(weight >= 1 for weight in _weights(self._alias()).values())

    def move(self, colour: Colour, version: str, *, guard: Guard = _no_guard) -> None:
        """Point at `colour`, then send the traffic to `version`.

        :raises ServingStackBusy: while CloudFormation changes the serving stack.
        """
        self._refuse_while_the_stack_changes()
        current, before = self._current(version, colour), self.pointed()
        guard()
        self._point(colour)
        self._still(guard, before)
        self._move_alias(current)
        self._set_variable(colour)  # a deploy since the preparation may have put the old one there

    def restore(self, colour: Colour | None, version: str, *, guard: Guard = _no_guard) -> None:
        """Take a flip back: traffic first, then the pointer, then what a deploy would publish."""
        current, before = self._current(version, colour), self.pointed()
        guard()
        self._move_alias(current)
        self._still(guard, before)
        self._point(colour)
        self._still(guard, before)
        self._set_variable(colour)

    def reconcile(self) -> str | None:
        """Bring the alias to the pointer's colour; answer what was done, or None.

        A deploy whose change set was made before a flip, or its rollback, may
        have published the old colour: CloudFormation reads the pointer only when
        an update is created.
        """
        pointed, served = self.pointed(), self.served()
        if pointed == served:
            self.forget_preparation()
            if _weights(self._alias()):
                self._move_alias(self.version())
                return (
                    f"alias {self.alias} shared its traffic with a colour that nobody proves any more: ended"
                )
            return None
        self._move_alias(self._publish(pointed))
        return (
            f"alias {self.alias} served {served or NO_COLOUR}, the pointer says {pointed or NO_COLOUR}: moved"
        )

    def recover_pointer(self, *, takes_events: Callable[[Colour], bool]) -> str | None:
        """Point at the colour that is served, should the pointer name none; answer what was done, or None.

        CloudFormation writes the template's `none` anew when anything of the parameter changes, be it a tag
        (aws/aws-cdk#25949). A flip leaves no such state: it points before it moves the traffic, and on
        its way back after it.

        :param takes_events: whether a colour does; one that does not is being torn down.
        """
        if self.pointed() is not None:
            return None
        served = self.served()
        if served is None or not takes_events(served):
            return None
        self._point(served)
        return f"the pointer said {NO_COLOUR}, alias {self.alias} serves {served}: pointed at it"

    def version(self) -> str:
        """The version behind the alias."""
        return str(self._alias()["FunctionVersion"])

    def _alias(self) -> dict[str, Any]:
        alias: dict[str, Any] = self.aws("lambda").get_alias(FunctionName=self.function, Name=self.alias)
        return alias

    def _colour(self, version: str) -> Colour | None:
        return live_colour_of(self._configuration(version)["Environment"]["Variables"][VARIABLE])

    def _current(self, version: str, colour: Colour | None) -> str:
        """The version, or one made anew when a deploy has changed the function since it was published."""
        if _but_for_the_colour(self._configuration(version)) == _but_for_the_colour(self._configuration()):
            return version
        return self._publish(colour)

    def _still(self, guard: Guard, pointed: Colour | None) -> None:
        """Go on if the guard lets us; otherwise bring everything back to the colour that was `pointed` at.

        Whoever clears a stopped run away has decided by what alias and pointer said before a change that
        came too late, and may have torn down what it made live.
        """
        try:
            guard()
        except Exception:
            self._point(pointed)
            self.reconcile()
            raise

    def _publish(self, colour: Colour | None) -> str:
        self._set_variable(colour)
        version = str(self.aws("lambda").publish_version(FunctionName=self.function)["Version"])
        self._wait("published_version_active", version)
        # Whoever reconciles after a deploy sets the variable too, and holds no lock
        if (published := self._colour(version)) != colour:
            raise ChangedMeanwhile(
                f"version {version}: expected {colour or NO_COLOUR}, got {published or NO_COLOUR}"
            )
        return version

    def _configuration(self, version: str | None = None) -> dict[str, Any]:
        qualifier = {"Qualifier": version} if version else {}
        answer: dict[str, Any] = self.aws("lambda").get_function_configuration(
            FunctionName=self.function, **qualifier
        )
        return answer

    def _set_variable(self, colour: Colour | None) -> None:
        current = self._configuration()
        variables = {**current["Environment"]["Variables"], VARIABLE: colour or NO_COLOUR}
        if variables == current["Environment"]["Variables"]:
            return
        try:
            # By the revision: somebody else's change in between makes this fail, not vanish
            self.aws("lambda").update_function_configuration(
                FunctionName=self.function,
                Environment={"Variables": variables},
                RevisionId=current["RevisionId"],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailedException":
                raise
            # The change in between may be this request's own, whose first answer was lost
            if self._configuration()["Environment"]["Variables"] != variables:
                raise
        self._wait("function_updated", None)

    def _wait(self, waiter: str, version: str | None) -> None:
        qualifier = {"Qualifier": version} if version else {}
        self.aws("lambda").get_waiter(waiter).wait(
            FunctionName=self.function, WaiterConfig={"Delay": 1, "MaxAttempts": 600}, **qualifier
        )

    def _move_alias(self, version: str, weights: dict[str, float] | None = None) -> None:
        self.aws("lambda").update_alias(
            FunctionName=self.function,
            Name=self.alias,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights or {}},
        )

    def _point(self, colour: Colour | None) -> None:
        self.aws("ssm").put_parameter(
            Name=self.pointer, Value=colour or NO_COLOUR, Type="String", Overwrite=True
        )

    def _refuse_while_the_stack_changes(self) -> None:
        status = self.aws("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            raise ServingStackBusy(f"stack {self.stack} is {status}")


def _weights(alias: dict[str, Any]) -> dict[str, float]:
    """Versions that take a share of the alias's traffic, beside its own."""
    weights: dict[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return weights


def _but_for_the_colour(configuration: dict[str, Any]) -> dict[str, Any]:
    """What a deploy may change of the function."""
    variables = {**configuration["Environment"]["Variables"], VARIABLE: ""}
    return {name: configuration.get(name) for name in _DEPLOYED} | {"variables": variables}
