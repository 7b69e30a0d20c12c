"""What Glue runs: one export, told by job arguments what a function is told by its environment."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import boto3
from pyspark.sql import SparkSession

from training_data.lake_files import Lake
from training_data.reports import put_json
from training_data.settings import Settings
from training_data_job.export import SparkExport
from training_data_job.spark_engine import SETTINGS, Spark
from vocabulary.lake import exported_key


def main(arguments: list[str]) -> None:
    """Export a run, and leave its answer beside the report, since a job answers nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", required=True, help="the environment of the function, as JSON")
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--cutoff", required=True, type=int)
    # Glue passes arguments of its own too
    told, _ = parser.parse_known_args(arguments)
    environ: dict[str, str] = json.loads(told.settings)
    settings = Settings.from_environ(environ)
    s3: Any = boto3.client("s3")
    session = SparkSession.builder.config(map=dict(SETTINGS)).getOrCreate()
    answer = SparkExport(
        settings,
        Lake(s3, settings.lake_bucket),
        s3,
        Spark(session),
        f"s3://{settings.lake_bucket}",
        f"s3://{settings.training_bucket}",
    ).run(told.run_id, told.cutoff)
    put_json(s3, settings.training_bucket, exported_key(told.run_id), answer)


if __name__ == "__main__":
    main(sys.argv[1:])
