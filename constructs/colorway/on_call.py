"""Where people are told: a page for what cannot wait, a notice for what can."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

Severity = Literal["page", "notice"]
"""`page`: customers notice now, or will before the next working day. `notice`: it can wait until then."""


class OnCall(Construct):
    """Define the topics that alarms and failed runs go to, one per severity.

    What they carry is names of alarms and of executions, and why one failed: nothing of customers. So they
    have no key of their own, without which CloudWatch could not publish to an encrypted topic (SNS developer
    guide, "Encrypting topics").

    :param email: who is paged, or None when something else subscribes to `pages`.
    :param endpoint: of a paging service, `https://…`, which confirms the subscription by itself; or None.
    :param notices_email: who reads notices, or None.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        email: str | None = None,
        endpoint: str | None = None,
        notices_email: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.pages = self._define("Topic", "Pages of Colorway")
        self.notices = self._define("Notices", "Notices of Colorway")
        if email is not None:
            self.pages.add_subscription(subscriptions.EmailSubscription(email))
        if endpoint is not None:
            self.pages.add_subscription(
                subscriptions.UrlSubscription(endpoint, protocol=sns.SubscriptionProtocol.HTTPS)
            )
        if notices_email is not None:
            self.notices.add_subscription(subscriptions.EmailSubscription(notices_email))

    def topic(self, severity: Severity) -> sns.ITopic:
        """Where what is so severe goes."""
        return self.pages if severity == "page" else self.notices

    def _define(self, construct_id: str, display_name: str) -> sns.Topic:
        topic = sns.Topic(self, construct_id, display_name=display_name, enforce_ssl=True)
        # A policy of our own, which TLS needs, takes the place of the one that let the account's alarms in
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        return topic
