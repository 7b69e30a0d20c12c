"""botocore's own models of the three services: operations, shapes and errors."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

Service = Literal["personalize", "personalize-runtime", "personalize-events"]

SERVICES: Final[tuple[Service, ...]] = ("personalize", "personalize-runtime", "personalize-events")


@cache
def model_of(service: Service) -> Any:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def operation_model(service: Service, operation: str) -> OperationModel:
    return model_of(service).operation_model(operation)


@cache
def routes() -> dict[str, tuple[Service, str]]:
    """The request path of each REST operation, e.g. `/events`: every one is a POST."""
    return {
        operation_model(service, name).http["requestUri"]: (service, name)
        for service in SERVICES
        if service != "personalize"
        for name in model_of(service).operation_names
    }


@cache
def error_statuses(service: Service, operation: str) -> dict[str, int]:
    """The HTTP status of each error that the operation's model lists."""
    shapes = operation_model(service, operation).error_shapes or []
    return {shape.name: shape.metadata.get("error", {}).get("httpStatusCode", 400) for shape in shapes}


def members_of(shape_name: str) -> tuple[str, ...]:
    """The members of a structure of the control plane, e.g. `CampaignSummary`."""
    shape = model_of("personalize").shape_for(shape_name)
    assert isinstance(shape, StructureShape)
    return tuple(shape.members)
