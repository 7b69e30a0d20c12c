"""The roles that Personalize's jobs act with: whether they trust it, and what they let it do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, evaluate, evaluate_resource_policy
from ministack.core.responses import request_scope
from ministack.services import iam

from local_cloud.ministack_sessions import Session
from local_cloud.personalize.region import AccessRefused

PRINCIPAL: Final = "personalize.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class JobRoles:
    """Those of one account, for jobs in one Region."""

    account: str
    region: str

    def session(self, role_arn: str, *, job_arn: str) -> Session:
        """A session of the role.

        What STS does for a service principal; its endpoint takes calls of users and roles only, and
        cannot know `aws:SourceAccount` and `aws:SourceArn`.

        :raises AccessRefused: unless the role's trust policy lets Personalize assume it for this job.
        """
        self.check_trust(role_arn, job_arn=job_arn)
        with request_scope(self.account, self.region):
            return Session.begin(role_arn, account=self.account, name="personalize")

    def check_trust(self, role_arn: str, *, job_arn: str) -> None:
        """
        :raises AccessRefused: unless the role's trust policy lets Personalize assume it for this job.
        """
        with request_scope(self.account, self.region):
            role = iam._roles.get(role_arn.rpartition("/")[2])
        document = role.get("AssumeRolePolicyDocument", "{}") if role else "{}"
        trust = json.loads(document) if isinstance(document, str) else document
        statements = trust.get("Statement", [])
        statements = [statements] if isinstance(statements, dict) else statements
        # A trust policy names no resource, since it hangs on the role
        policy = {"Statement": [{**statement, "Resource": "*"} for statement in statements]}
        context = self.as_personalize("sts:AssumeRole", role_arn, job_arn=job_arn)
        if evaluate_resource_policy(policy, context, service=PRINCIPAL).decision != "Allow":
            raise AccessRefused(f"{role_arn} does not let {PRINCIPAL} assume it")

    def check_allowed(self, role_arn: str, action: str, about: dict[str, Any]) -> None:
        """
        :param action: that is allowed on every resource or on none.
        :param about: condition keys of the service, by their names.
        :raises AccessRefused: unless the role's policies allow it.
        """
        name = role_arn.rpartition("/")[2]
        with request_scope(self.account, self.region):
            policies = iam_evaluator._gather_role_policies(name, self.account)
            limits = iam_evaluator._permissions_boundary(iam._roles, name, self.account)
        context = EvalContext(
            principal_arn=f"arn:aws:sts::{self.account}:assumed-role/{name}/personalize",
            principal_type="AssumedRole",
            principal_account=self.account,
            action=action,
            resource_arn="*",
            region=self.region,
            service_context={key.lower(): value for key, value in about.items()},
        )
        if evaluate(context, policies, *limits).decision != "Allow":
            raise AccessRefused(f"{role_arn} does not allow {action}")

    def as_personalize(self, action: str, resource: str, *, job_arn: str) -> EvalContext:
        """What Personalize itself asks for, on behalf of a job."""
        return EvalContext(
            principal_arn=PRINCIPAL,
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=resource,
            region=self.region,
            service_context={"aws:sourceaccount": self.account, "aws:sourcearn": job_arn},
        )
