"""Whether AWS does what Colorway relies on, as docs/unverified.md lists it; nothing is changed by asking."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local_cloud.smoke.checking import Check, NotYetError, Target, WrongError
from vocabulary.colours import COLOURS, Names, personalize_arn
from vocabulary.metrics import NAMESPACE

_MOST_EVENTS: Final = 25_000
"""Of one execution's history (Step Functions quotas)."""

_ASKED: Final = (
    "createSolutionVersion",
    "createDatasetImportJob",
    "createCampaign",
    "stopSolutionVersionCreation",
)
_INTEGRATION: Final = "arn:aws:states:::aws-sdk:personalize:"


def _definitions_are_valid(target: Target) -> str:
    states = target.cloud.client("stepfunctions")
    for output in ("RetrainingArn", "ClearingArn"):
        definition = states.describe_state_machine(stateMachineArn=target.outputs[output])["definition"]
        answer = states.validate_state_machine_definition(definition=definition)
        if answer["result"] != "OK":
            raise WrongError(f"{output}: {answer['diagnostics']}")
    return "both definitions are OK"


def _parameters_arrive(target: Target) -> str:
    """Each call is made with all its parameters, of a resource that is not there: nothing is created."""
    states = target.cloud.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=target.outputs["RetrainingArn"])
    tasks = {
        task["Resource"].removeprefix(_INTEGRATION): task
        for task in _tasks(json.loads(machine["definition"]))
        if task["Resource"].startswith(_INTEGRATION)
    }
    for action in _ASKED:
        task = {
            "Type": "Task",
            "Resource": f"{_INTEGRATION}{action}",
            "Parameters": _filled(
                tasks[action]["Arguments"], _placeholders(machine["stateMachineArn"], target)
            ),
            "End": True,
        }
        answer = states.test_state(definition=json.dumps(task), roleArn=machine["roleArn"], input="{}")
        if not str(answer.get("error")).endswith("ResourceNotFoundException"):
            raise WrongError(f"{action}: {answer.get('status')} {answer.get('error')}: {answer.get('cause')}")
    return f"{len(_ASKED)} calls fail on nothing but what is not there"


def _tasks(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if value.get("Type") == "Task":
            yield value
        for each in value.values():
            yield from _tasks(each)


def _placeholders(machine: str, target: Target) -> dict[str, Any]:
    partition, region, account = machine.split(":")[1], *machine.split(":")[3:5]
    absent = f"{target.prefix}-{COLOURS[0]}-smoke-absent"

    def arn(kind: str, name: str = absent) -> str:
        return personalize_arn(partition, region, account, kind, name)

    return {
        "Name": absent,
        "JobName": absent,
        "SolutionArn": arn("solution"),
        "SolutionVersionArn": arn("solution", f"{absent}/00000000"),
        "DatasetArn": arn("dataset", f"{absent}/INTERACTIONS"),
        "DataLocation": f"s3://{target.outputs['TrainingBucketName']}/runs/smoke/",
        "MinProvisionedTPS": 1,
        "CampaignConfig": {},
    }


def _filled(arguments: Any, placeholders: Mapping[str, Any], key: str = "") -> Any:
    """What a state passes on, with placeholders for what only a run knows."""
    if isinstance(arguments, Mapping):
        return {name: _filled(value, placeholders, name) for name, value in arguments.items()}
    if isinstance(arguments, str) and arguments.startswith("{%"):
        return placeholders[key]
    return arguments


def _history_has_room(target: Target) -> str:
    states = target.cloud.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=target.outputs["RetrainingArn"], maxResults=100)
    longest = 0
    for each in executions["executions"]:
        (last,) = states.get_execution_history(
            executionArn=each["executionArn"], reverseOrder=True, maxResults=1
        )["events"]
        longest = max(longest, last["id"])
    if longest > _MOST_EVENTS * 0.8:
        raise WrongError(f"a run had {longest:,} of {_MOST_EVENTS:,} events")
    if not longest:
        raise NotYetError("nothing has run")
    return f"at most {longest:,} of {_MOST_EVENTS:,} events in {len(executions['executions'])} runs"


def _nothing_trains_by_itself(target: Target) -> str:
    solutions = list(_solutions(target))
    if not solutions:
        raise NotYetError("no colour exists")
    by_itself = [each["name"] for each in solutions if each.get("performAutoTraining")]
    if by_itself:
        raise WrongError(f"performAutoTraining is on for {', '.join(by_itself)}")
    return f"performAutoTraining is off for {len(solutions)} solutions"


def _names_are_derived(target: Target) -> str:
    personalize = target.cloud.client("personalize")
    app, _, environment = target.prefix.partition("-")
    names, seen = Names(app, environment), 0
    for colour in COLOURS:
        for group in _groups(target, names.dataset_group(colour)):
            for dataset in personalize.list_datasets(datasetGroupArn=group)["datasets"]:
                expected = group.replace(":dataset-group/", ":dataset/") + f"/{dataset['datasetType']}"
                if dataset["datasetArn"] != expected:
                    raise WrongError(f"{dataset['datasetArn']}, derived {expected}")
                seen += 1
    for solution in _solutions(target):
        if not solution["solutionArn"].endswith(f":solution/{solution['name']}"):
            raise WrongError(f"{solution['solutionArn']} of {solution['name']}")
        for campaign in personalize.list_campaigns(solutionArn=solution["solutionArn"])["campaigns"]:
            if not campaign["campaignArn"].endswith(f":campaign/{campaign['name']}"):
                raise WrongError(f"{campaign['campaignArn']} of {campaign['name']}")
            seen += 1
    if not seen:
        raise NotYetError("no colour exists")
    return f"{seen} datasets and campaigns"


def _groups(target: Target, name: str = "") -> Iterator[str]:
    pages = target.cloud.client("personalize").get_paginator("list_dataset_groups").paginate()
    for page in pages:
        for group in page["datasetGroups"]:
            if group["name"] == name or (not name and group["name"].startswith(f"{target.prefix}-")):
                yield group["datasetGroupArn"]


def _solutions(target: Target) -> Iterator[dict[str, Any]]:
    personalize = target.cloud.client("personalize")
    for group in _groups(target):
        for each in personalize.list_solutions(datasetGroupArn=group)["solutions"]:
            yield personalize.describe_solution(solutionArn=each["solutionArn"])["solution"]


def _etl_reads_the_lake(target: Target) -> str:
    name = _function(target, "training", "training_data.handler.handle")
    answer = target.cloud.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps({"action": "count", "cutoff": None}).encode()
    )
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise WrongError(str(told))
    return f"{told['interactions']:,} interactions in the lake, {told['minimum']:,} are needed"


def _function(target: Target, stack: str, handler: str) -> str:
    """The name of the one function of a stack that has a handler."""
    found = list(_functions(target, stack, handler))
    if len(found) != 1:
        raise WrongError(f"{len(found)} functions of {target.prefix}-{stack} have the handler {handler}")
    return found[0]


def _functions(target: Target, stack: str, handler: str) -> Iterator[str]:
    lambda_ = target.cloud.client("lambda")
    pages = target.cloud.client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=f"{target.prefix}-{stack}"):
        for each in page["StackResourceSummaries"]:
            if each["ResourceType"] == "AWS::Lambda::Function":
                name = each["PhysicalResourceId"]
                if lambda_.get_function_configuration(FunctionName=name)["Handler"] == handler:
                    yield name


def _forwarder_keeps_its_order(target: Target) -> str:
    name = _function(target, "events", "clickstream.forward_handler.handle")
    mappings = target.cloud.client("lambda").list_event_source_mappings(FunctionName=name)
    if len(mappings["EventSourceMappings"]) != 1:
        raise WrongError(f"{name} has {len(mappings['EventSourceMappings'])} mappings, expected 1")
    mapping = mappings["EventSourceMappings"][0]
    wrong = [
        what
        for what, holds in (
            ("state", mapping["State"] == "Enabled"),
            (
                "partial batch responses",
                "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ()),
            ),
            ("bisecting", mapping.get("BisectBatchOnFunctionError")),
            ("failure queue", mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")),
        )
        if not holds
    ]
    if wrong:
        raise WrongError(f"not as defined: {', '.join(wrong)}, of {mapping['UUID']}")
    return f"mapping {mapping['UUID']} is enabled, reports items, bisects, has a failure queue"


def _log_lines_are_metrics(target: Target) -> str:
    environment = target.prefix.partition("-")[2]
    pages = (
        target.cloud.client("cloudwatch")
        .get_paginator("list_metrics")
        .paginate(Namespace=NAMESPACE, Dimensions=[{"Name": "environment", "Value": environment}])
    )
    names = {metric["MetricName"] for page in pages for metric in page["Metrics"]}
    if "Recommendations" not in names:
        raise NotYetError("no metric Recommendations yet: ask again some minutes after the first request")
    return f"{len(names)} metrics of {NAMESPACE}"


def _access_logs_may_be_written(target: Target) -> str:
    role = target.cloud.client("apigateway").get_account().get("cloudwatchRoleArn")
    if not role:
        raise WrongError("API Gateway has no CloudWatch role in this Region")
    return str(role).rpartition("/")[2]


def _no_fault_rings(target: Target) -> str:
    names = [arn.rpartition(":alarm:")[2] for arn in target.fault_alarms]
    if not names:  # an empty list would ask for every alarm of the account
        raise WrongError("no stack has an output RollbackAlarms")
    answer = target.cloud.client("cloudwatch").describe_alarms(
        AlarmNames=names, AlarmTypes=["CompositeAlarm", "MetricAlarm"]
    )
    states = {
        each["AlarmName"]: each["StateValue"]
        for kind in ("CompositeAlarms", "MetricAlarms")
        for each in answer[kind]
    }
    if missing := set(names) - states.keys():
        raise WrongError(f"not there: {', '.join(sorted(missing))}")
    if ringing := [name for name, state in states.items() if state == "ALARM"]:
        raise WrongError(f"in ALARM: {', '.join(ringing)}")
    return f"{len(states)} faults, none in ALARM"


def _pages_arrive(target: Target) -> str:
    found = target.cloud.client("sns").list_subscriptions_by_topic(TopicArn=target.outputs["OnCallTopicArn"])
    subscriptions = found["Subscriptions"]
    if not subscriptions:
        raise NotYetError("nobody is subscribed to the on-call topic")
    if waiting := [
        each["Endpoint"] for each in subscriptions if not each["SubscriptionArn"].startswith("arn:")
    ]:
        raise WrongError(f"not confirmed: {', '.join(waiting)}")
    return f"{len(subscriptions)} confirmed"


CHECKS: Final = (
    Check(
        name="Step Functions reads our definitions",
        asks="states:ValidateStateMachineDefinition of both state machines",
        look=_definitions_are_valid,
        mend="mend the expression that the diagnostics name; no run gets past it",
        assumed="AWS's JSONata reads our expressions as the local interpreter does",
    ),
    Check(
        name="Step Functions carries our parameters to Personalize",
        asks="states:TestState of four calls with the machine's role, of resources that are not there",
        look=_parameters_arrive,
        mend="an error about a field: the integration has none of that name, see its service model; "
        "AccessDenied: the role lacks a right, docs/unverified.md, 'Rights in Personalize'",
        assumed="The SDK integration carries `Name` and `TrainingMode` of CreateSolutionVersion",
    ),
    Check(
        name="a run fits its history",
        asks="states:GetExecutionHistory, the last event of the last hundred runs",
        look=_history_has_room,
        mend="raise `poll`, docs/operations.md, 'Large data'",
        assumed="An execution stays under 25,000 history events",
    ),
    Check(
        name="nothing trains by itself",
        asks="personalize:DescribeSolution of every solution",
        look=_nothing_trains_by_itself,
        mend="retire the colour and retrain; weekly trainings are billed until then",
        assumed="`performAutoTraining` false keeps weekly trainings away",
    ),
    Check(
        name="Personalize's names are those that we derive",
        asks="personalize:ListDatasets and ListCampaigns of every colour",
        look=_names_are_derived,
        mend="serving and rights rest on these names: report it, and do not flip",
        assumed="`solution/{name}`, `campaign/{name}`, `schema/{name}`",
    ),
    Check(
        name="the training-data function reads the lake",
        asks="lambda:InvokeFunction with the action `count`, which writes nothing",
        look=_etl_reads_the_lake,
        mend="the function's log says why: DuckDB's wheel, its memory, or its rights",
        assumed="DuckDB's manylinux_2_28 wheel loads on the arm64 runtime of Python 3.13",
    ),
    Check(
        name="the forwarder's stream mapping is as defined",
        asks="lambda:ListEventSourceMappings of the forwarder",
        look=_forwarder_keeps_its_order,
        mend="deploy the events stack again; docs/runbook.md, 'Events behind'",
        assumed="Lambda honours partial batch responses together with bisecting",
    ),
    Check(
        name="log lines become metrics",
        asks=f"cloudwatch:ListMetrics of {NAMESPACE}",
        look=_log_lines_are_metrics,
        mend="no alarm of ours can ring: look at the serving function's log for lines with `_aws`",
        assumed="CloudWatch makes metrics of our log lines",
    ),
    Check(
        name="access logs may be written",
        asks="apigateway:GET /account",
        look=_access_logs_may_be_written,
        mend="deploy the serving stack again: it sets the role of the account and Region",
        assumed="The account's one CloudWatch role for API Gateway",
    ),
    Check(
        name="no fault rings",
        asks="cloudwatch:DescribeAlarms of what a deployment is taken back for",
        look=_no_fault_rings,
        mend="docs/runbook.md, the heading in the alarm's description",
    ),
    Check(
        name="pages arrive",
        asks="sns:ListSubscriptionsByTopic of the on-call topic",
        look=_pages_arrive,
        mend="confirm the subscription by the e-mail that SNS sent",
    ),
)
