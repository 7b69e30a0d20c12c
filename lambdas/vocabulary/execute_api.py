"""URLs of API Gateway's stages, and where the local cloud answers for them. No function imports this."""

from __future__ import annotations

import re
from typing import Final

_STAGE: Final = re.compile(r"https://(?P<api>[^./]+)\.execute-api\.[^/]+/(?P<stage>[^/]+)/?$")


def url_at(endpoint: str, url: str) -> str:
    """Where an endpoint of the local cloud answers for the URL of an API's stage on AWS; ends in `/`.

    :raises ValueError: when it is no such URL.
    """
    match = _STAGE.match(url)
    if match is None:
        raise ValueError(f"{url!r} is not https://{{api}}.execute-api.{{region}}.…/{{stage}}/")
    return f"{endpoint}/_aws/execute-api/{match['api']}/{match['stage']}/"
