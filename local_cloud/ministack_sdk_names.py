"""Personalize's members as Step Functions' SDK integrations spell them: the API's name, capitalised.

Those are the names of the AWS SDK for Java v2, `minProvisionedTPS` and `performHPO` there; MiniStack
writes the letters of every abbreviation small.
"""

from __future__ import annotations

from ministack.services import stepfunctions

from local_cloud.personalize.models import SERVICES, model_of


def register() -> None:
    """From now on state machines say MinProvisionedTPS, as they do on AWS."""
    for service in SERVICES:
        model = model_of(service)
        for name in model.shape_names:
            shape = model.shape_for(name)
            for member in shape.members if shape.type_name == "structure" else ():
                spelt = member[0].upper() + member[1:]
                if stepfunctions._api_name_to_sfn_key(member) != spelt:
                    stepfunctions._SDK_PARAM_NAME_OVERRIDES[name, spelt] = member
                    stepfunctions._SDK_MEMBER_NAME_OVERRIDES[name, member] = spelt
