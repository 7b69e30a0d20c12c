"""Libraries for functions: wheels, pinned by hash, downloaded by set-up and unpacked by synthesis."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class WheelLayer(lambda_.LayerVersion):
    """Define a layer from the wheels in a folder.

    :param wheels: folder of `*.whl` files for this runtime and architecture; `make wheels` fills it.
    :raises ValueError: when the folder holds no wheel; the message names the command.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        wheels: Path,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        description: str,
    ) -> None:
        if not sorted(wheels.glob("*.whl")):
            raise ValueError(
                f"wheels must hold at least one wheel, found none in {wheels}: run `make wheels`"
            )
        super().__init__(
            scope,
            construct_id,
            code=lambda_.Code.from_asset(
                str(wheels),
                asset_hash_type=cdk.AssetHashType.SOURCE,
                bundling=cdk.BundlingOptions(
                    image=cdk.DockerImage.from_registry("unused"), local=_Unpacking(wheels)
                ),
            ),
            compatible_runtimes=[runtime],
            compatible_architectures=[architecture],
            description=description,
        )


@jsii.implements(cdk.ILocalBundling)
class _Unpacking:
    """Unpacks wheels to where Lambda looks for Python libraries of a layer."""

    def __init__(self, wheels: Path) -> None:
        self._wheels = wheels

    def try_bundle(self, output_dir: str, *args: Any, **kwargs: Any) -> bool:
        for wheel in sorted(self._wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(Path(output_dir) / "python")
        return True
