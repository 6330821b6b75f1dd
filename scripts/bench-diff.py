#!/usr/bin/env python3
"""Measures `hydrator diff` on a change that touches every manifest: time and memory besides rendering.

usage: scripts/bench-diff.py HYDRATOR [MANIFESTS] [BYTES]

Makes a throwaway repository with the built-in renderer, changes one field and the order of keys in every manifest, and
runs the preview three times; prints the median, the stages that hydrator names, and the peak memory.
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HYDRATOR = os.path.abspath(sys.argv[1])
MANIFESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
BYTES = int(sys.argv[3]) if len(sys.argv) > 3 else 20_000_000
TARGETS = 20


def manifest(index, image, turned):
    env = [f"        - name: VARIABLE_{number}\n          value: value number {number} of {index}\n"
           for number in range(max(1, (BYTES // MANIFESTS - 500) // 75))]
    if turned:
        env.reverse()
    lines = "".join(env)
    return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{index}\n  namespace: shop\nspec:\n"
            f"  replicas: 2\n  selector:\n    matchLabels:\n      app: app-{index}\n  template:\n    metadata:\n"
            f"      labels:\n        app: app-{index}\n    spec:\n      containers:\n      - name: app\n"
            f"        image: ghcr.io/acme/app:{image}\n        env:\n{lines}")


def write(root, image, turned):
    for target in range(TARGETS):
        directory = f"{root}/apps/app{target}"
        os.makedirs(directory, exist_ok=True)
        parts = [manifest(index, image, turned) for index in range(target, MANIFESTS, TARGETS)]
        with open(f"{directory}/all.yaml", "w") as file:
            file.write("---\n".join(parts))


def main():
    with tempfile.TemporaryDirectory() as root:
        def git(*arguments):
            subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", f"{root}/clone", *arguments],
                           check=True, stdout=subprocess.DEVNULL)
        os.makedirs(f"{root}/clone")
        git("init", "--quiet", "--initial-branch=main")
        with open(f"{root}/clone/hydrator.yaml", "w") as file:
            file.write("version: 1\nenvironments: [{name: dev}]\ntargets: [{path: 'apps/{app}'}]\n")
        write(f"{root}/clone", "1.0.0", False)
        git("add", "--all")
        git("commit", "--quiet", "--message", "one")
        git("clone", "--quiet", "--bare", ".", f"{root}/remote.git")
        write(f"{root}/clone", "1.1.0", True)
        git("commit", "--quiet", "--all", "--message", "two")
        times = []
        for _ in range(3):
            started = time.monotonic()
            ran = subprocess.run([HYDRATOR, "diff", "--remote", f"{root}/remote.git", "--format", "markdown",
                                  "--output", f"{root}/out.md"], cwd=f"{root}/clone", capture_output=True, text=True)
            times.append(time.monotonic() - started)
            if ran.returncode != 0:
                sys.exit(ran.stderr)
        size = os.path.getsize(f"{root}/out.md")
        stages = [line for line in ran.stderr.splitlines() if line.startswith("time: ")]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"{MANIFESTS} manifests, {BYTES / 1e6:.0f} MB: median {statistics.median(times):.2f} s, {peak} MiB,"
              f" Markdown {size / 1e6:.1f} MB")
        print(*stages, sep="\n")


main()
