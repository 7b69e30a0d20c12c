"""What learns again every night: the training data, Personalize's schemas, and the retraining."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from colorway.coordination import Coordination
from colorway.data_lake import DataLake
from colorway.erasure import Erasure
from colorway.first_training import FirstTraining
from colorway.lake_compaction import LakeCompaction
from colorway.nightly_retraining import NightlyRetraining
from colorway.on_call import OnCall
from colorway.personalize import PersonalizeResources, Schema
from colorway.polling import Polling
from colorway.purge import Purge
from colorway.recommendations_service import RecommendationsService
from colorway.retraining_functions import RetrainingFunctions
from colorway.training_bucket import TrainingBucket
from colorway.training_data_function import TrainingDataFunction
from colorway.training_data_job import TrainingDataJob
from costs.of_a_run import prices_of_a_run
from stacks.environment import Environment
from vocabulary.schemas import schemas as schemas_of


class TrainingStack(cdk.Stack):
    """Compose the retraining."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: DataLake,
        training: TrainingBucket,
        coordination: Coordination,
        service: RecommendationsService,
        stream: kinesis.IStream,
        on_call: OnCall,
        **stack_props: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_props)
        names = environment.names
        platform: dict[str, Any] = {"runtime": environment.runtime, "architecture": environment.architecture}

        personalize = PersonalizeResources(self, "Personalize", names=names, **platform)
        schemas = {
            kind: Schema(self, kind.capitalize(), resources=personalize, kind=kind, schema=schema, swept=True)
            for kind, schema in schemas_of(environment.extra_columns).items()
        }
        self.training_data = TrainingDataFunction(
            self,
            "TrainingData",
            lake=lake,
            training_bucket=training.bucket,
            names=names,
            placements=environment.placements,
            history_days=environment.history_days,
            event_types=environment.event_types,
            minimum_interactions=environment.minimum_interactions,
            rules=environment.training_rules,
            extra_columns=environment.extra_columns,
            data_gate=environment.data_gate,
            memory_mib=environment.training_memory_mib,
            disk=cdk.Size.gibibytes(environment.training_disk_gib),
            wheels=environment.wheels,
            **platform,
        )
        LakeCompaction(
            self,
            "LakeCompaction",
            names=names,
            lake=lake,
            layer=self.training_data.layer,
            nightly_at=environment.nightly_at,
            on_call=on_call,
            **platform,
        )
        job = (
            TrainingDataJob(
                self,
                "TrainingDataJob",
                lake=lake,
                training_bucket=training.bucket,
                function=self.training_data.function,
                settings=self.training_data.settings,
                workers=environment.glue_workers,
            )
            if environment.training_engine == "glue"
            else None
        )
        functions = RetrainingFunctions(
            self,
            "Functions",
            names=names,
            placements=environment.placements,
            coordination=coordination,
            training_bucket=training.bucket,
            serving=service.function,
            alias=service.alias,
            serving_stack=cdk.Stack.of(service),
            bake_alarms=service.bake_alarms,
            metrics_gate=environment.metrics_gate,
            heartbeat_gate=environment.heartbeat_gate,
            extra_columns=environment.extra_columns,
            stream=stream,
            cutoff_lead=environment.cutoff_lead,
            collector_timeout=environment.collector_timeout,
            **platform,
        )
        self.retraining = NightlyRetraining(
            self,
            "Retraining",
            names=names,
            functions=functions,
            training_data=self.training_data.function,
            training_job=job,
            prices=_prices(environment),
            training=training,
            schemas={kind: schema.arn for kind, schema in schemas.items()},
            serving_stack=cdk.Stack.of(service),
            pointer_stack=cdk.Stack.of(coordination),
            nightly_at=environment.nightly_at,
            polling=Polling() if environment.poll is None else Polling.every(environment.poll),
            canary=environment.canary,
            bake=environment.bake,
            longest_model=environment.longest_model,
            longest=environment.longest_training,
            on_call=on_call,
        )
        purge = Purge(
            self, "Purge", names=names, retraining=self.retraining, coordination=coordination, **platform
        )
        # Were it started before, nothing could stop it when the deployment fails
        FirstTraining(
            self,
            "FirstTraining",
            state_machine=self.retraining.state_machine,
            after=[self.retraining, purge],
            **platform,
        )
        erasure = Erasure(
            self,
            "Erasure",
            names=names,
            lake=lake,
            training=training,
            experiment=service.experiment,
            wheels=environment.wheels,
            **platform,
        )
        cdk.CfnOutput(self, "ErasureFunctionName", value=erasure.function.function_name)
        cdk.CfnOutput(self, "RetrainingArn", value=self.retraining.state_machine.state_machine_arn)
        cdk.CfnOutput(self, "ClearingArn", value=self.retraining.clearing.state_machine_arn)
        cdk.CfnOutput(self, "FlipFunctionName", value=functions.flip.function_name)
        cdk.CfnOutput(self, "RetireFunctionName", value=functions.retire.function_name)


def _prices(environment: Environment) -> dict[str, Any] | None:
    """For whoever knows the Region's: with what the settings say of the job's workers, and of drops."""
    prices = prices_of_a_run(environment.region, environment.architecture.name)
    if prices is None:
        return None
    drops = [asdict(drop) for drop in environment.drops]
    return {**prices, "glue_dpus": environment.glue_workers, "drops": drops}  # a worker is of type G.1X
