"""Personalize's members and errors as Step Functions' SDK integrations spell them, which is Java's way.

Members are those of the AWS SDK for Java v2: the API's names, capitalised. `minProvisionedTPS` and
`performHPO` keep their capitals, where MiniStack writes the letters of every abbreviation small. An error
that the service model does not list, such as throttling, is of the SDK's common `PersonalizeException`.
"""

from __future__ import annotations

from ministack.services import stepfunctions

from local_cloud.personalize.faults import STATUSES
from local_cloud.personalize.models import SERVICES, model_of


def register() -> None:
    """From now on state machines say MinProvisionedTPS and catch PersonalizeException, as they do on AWS."""
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES["personalize"] = dict.fromkeys(
        STATUSES, "PersonalizeException"
    )
    for service in SERVICES:
        model = model_of(service)
        for name in model.shape_names:
            shape = model.shape_for(name)
            for member in shape.members if shape.type_name == "structure" else ():
                spelt = member[0].upper() + member[1:]
                if stepfunctions._api_name_to_sfn_key(member) != spelt:
                    stepfunctions._SDK_PARAM_NAME_OVERRIDES[name, spelt] = member
                    stepfunctions._SDK_MEMBER_NAME_OVERRIDES[name, member] = spelt
