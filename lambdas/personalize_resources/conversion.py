"""From a template's properties to an operation's parameters.

CloudFormation hands a custom resource every number and boolean as a string, and
templates spell names in PascalCase; botocore's service model knows what is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from personalize_resources.kinds import Kind

_CLOUDFORMATIONS_OWN: Final = frozenset({"ServiceToken", "ServiceTimeout"})
_BOOLEANS: Final = {"true": True, "false": False}


def parameters(kind: Kind, properties: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """The create operation's parameters for `properties`, defaults included.

    :param properties: `ResourceProperties` of a custom-resource request.
    :param model: botocore's service model, `client.meta.service_model`.
    :raises ValueError: when a property is unknown or not of its type; it names property and value.
    """
    shape = model.operation_model(f"Create{kind.name}").input_shape
    allowed = {member: shape.members[member] for member in kind.properties}
    given = {name: value for name, value in properties.items() if name not in _CLOUDFORMATIONS_OWN}
    return {**kind.defaults, **_structure(given, allowed, where="")}


def _structure(given: Mapping[str, Any], members: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    by_property = {member[0].upper() + member[1:]: member for member in members}
    for name in given:
        if name not in by_property:
            raise ValueError(f"{where}{name} is unknown, allowed: {', '.join(by_property)}")
    return {
        by_property[name]: _value(value, members[by_property[name]], where=f"{where}{name}")
        for name, value in given.items()
    }


def _value(value: Any, shape: Any, *, where: str) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(value, shape.members, where=f"{where}.")
        case "map":
            return {key: _value(each, shape.value, where=f"{where}.{key}") for key, each in value.items()}
        case "list":
            return [_value(each, shape.member, where=where) for each in value]
        case "boolean":
            if (said := str(value).lower()) not in _BOOLEANS:
                raise ValueError(f"{where} must be true or false, got {value!r}")
            return _BOOLEANS[said]
        case "integer" | "long":
            return _number(int, value, where=where)
        case "float" | "double":
            return _number(float, value, where=where)
        case _:
            return str(value)


def _number(kind: type[int] | type[float], value: Any, *, where: str) -> float:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{where} must be a number, got {value!r}") from None
