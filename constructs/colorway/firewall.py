"""What is turned away before it costs anything: known attacks, and whoever asks far too often."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

_MANAGED: Final = {
    # Rankings carry up to 500 ids, and a backend need not say which browser it is; API Gateway and the
    # functions look at sizes themselves
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY", "NoUserAgent_HEADER"),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesAmazonIpReputationList": (),
}
"""Rule groups of AWS WAF (developer guide, "AWS Managed Rules"), and their rules that only count."""


class Firewall(Construct):
    """Define a web ACL of AWS WAF in front of a stage.

    A request that it blocks is answered 403 by API Gateway, and no function hears of it.

    :param name: for its metrics, in namespace AWS/WAFV2.
    :param requests_per_address: from one address in five minutes; more is blocked until it is fewer.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: apigateway.Stage,
        name: str,
        requests_per_address: int,
    ) -> None:
        super().__init__(scope, construct_id)
        rate = wafv2.CfnWebACL.RuleProperty(
            name="rate",
            priority=0,
            action=wafv2.CfnWebACL.RuleActionProperty(block={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                    limit=requests_per_address, aggregate_key_type="IP", evaluation_window_sec=300
                )
            ),
            visibility_config=_counted(f"{name}-rate"),
        )
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            rules=[rate, *(_managed(group, at, name) for at, group in enumerate(_MANAGED, start=1))],
            visibility_config=_counted(name),
        )
        wafv2.CfnWebACLAssociation(
            self, "Association", resource_arn=stage.stage_arn, web_acl_arn=self.web_acl.attr_arn
        )


def _managed(group: str, priority: int, name: str) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[
                    wafv2.CfnWebACL.RuleActionOverrideProperty(
                        name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
                    )
                    for rule in _MANAGED[group]
                ],
            )
        ),
        visibility_config=_counted(f"{name}-{group}"),
    )


def _counted(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True,
        # Samples would show paths, and with them who asked
        sampled_requests_enabled=False,
        metric_name=metric[:128],
    )
