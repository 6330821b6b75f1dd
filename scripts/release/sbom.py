#!/usr/bin/env python3
"""Print what the program is made of: the packages of Cargo.lock, as CycloneDX 1.6.

usage: sbom.py VERSION
"""

import json
import pathlib
import sys
import tomllib


def component(package):
    reference = f"pkg:cargo/{package['name']}@{package['version']}"
    found = {"type": "library", "bom-ref": reference, "name": package["name"], "version": package["version"], "purl": reference}
    if "checksum" in package:
        found["hashes"] = [{"alg": "SHA-256", "content": package["checksum"]}]
    return found


def main(version):
    lock = tomllib.loads((pathlib.Path(__file__).resolve().parents[2] / "Cargo.lock").read_text())
    packages = [package for package in lock["package"] if "source" in package]
    reference = f"pkg:cargo/hydrator@{version.removeprefix('v')}"
    about = {"type": "application", "bom-ref": reference, "name": "hydrator", "version": version.removeprefix("v"), "purl": reference}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": about},
        "components": [component(package) for package in packages],
    }
    print(json.dumps(document, indent=2))


main(sys.argv[1])
