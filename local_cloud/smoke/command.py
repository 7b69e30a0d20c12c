"""Ask everything, and say what came of it."""

from __future__ import annotations

from collections import Counter

from local_cloud.deployed import Cloud
from local_cloud.smoke import of_the_account, of_the_apis
from local_cloud.smoke.checking import Target, Verdict, run

CHECKS = (*of_the_apis.CHECKS, *of_the_account.CHECKS)


def smoke(cloud: Cloud, prefix: str, placement: str) -> bool:
    """Print a line for each check; whether nothing is wrong.

    :param prefix: app and environment, `colorway-dev`.
    :param placement: one that needs no item.
    :raises LocalCloudError: when the stacks are not deployed.
    """
    verdicts: Counter[Verdict] = Counter()
    for finding in run(Target.of(cloud, prefix, placement), CHECKS):
        verdicts[finding.verdict] += 1
        print(finding, flush=True)
    print(f"{prefix}: " + ", ".join(f"{verdicts[each]} {each}" for each in Verdict))
    return not verdicts[Verdict.WRONG]
