"""Items as clients get them, written once and passed on as text.

Reading 25 scores as numbers and writing them again costs more than all the rest of a request
here does; they leave as Personalize wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Final

quoted: Final = encode_basestring_ascii
"""A text as JSON, in ASCII."""

_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


def _no_number(constant: str) -> bytes:
    raise ValueError(f"{constant} is no number")


read: Final = json.JSONDecoder(parse_float=str.encode, parse_constant=_no_number).decode
"""Reads JSON; numbers with a point or an exponent stay as they are written, in bytes, which nothing else is.
Python would read NaN and Infinity, which are not JSON."""


def of_ids(ids: Iterable[str]) -> str:
    """A JSON list of items that have nothing but an id."""
    return "[" + ",".join(['{"item_id":' + quoted(each) + "}" for each in ids]) + "]"


def of_predictions(predictions: Iterable[Mapping[str, Any]]) -> tuple[list[str], str]:
    """The ids, and a JSON list of the items with their scores and metadata.

    :param predictions: as Personalize has them, from `read`: `{itemId, score?, metadata?}`.
    :raises Exception: for anything else.
    """
    ids, written = [], []
    for each in predictions:
        item_id = each["itemId"]
        if type(item_id) is not str:
            raise TypeError(f"itemId is {item_id!r}")
        ids.append(item_id)
        item = f'{{"item_id":{quoted(item_id)}'
        if "score" in each:
            score = each["score"]
            if type(score) is bytes:
                item += f',"score":{score.decode()}'
            elif type(score) is int:
                item += f',"score":{score}'
            else:
                raise TypeError(f"score is {score!r}")
        if "metadata" in each:
            if type(each["metadata"]) is not dict:
                raise TypeError(f"metadata is {each['metadata']!r}")
            item += ',"metadata":' + _ENCODE(each["metadata"])
        written.append(item + "}")
    return ids, "[" + ",".join(written) + "]"
