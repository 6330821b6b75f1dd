"""Measures `hydrator run` beside a shell loop and prints what it saw. Called by bench.sh; standard library only."""

import argparse
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

RESOURCES = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
      serviceAccountName: {app}
      containers:
        - name: main
          image: registry.example/{app}
          envFrom: [{{configMapRef: {{name: {app}}}}}]
          ports: [{{containerPort: 8080}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {app}}}
spec:
  selector: {{app: {app}}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {app}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {app}}}
spec:
  rules:
    - host: {app}.example
      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {app}, port: {{number: 80}}}}}}}}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: {app}}}
spec: {{minAvailable: 1, selector: {{matchLabels: {{app: {app}}}}}}}
"""

BASE = """resources: [resources.yaml]
configMapGenerator:
  - name: {app}
    literals: [LEVEL=info, APP={app}]
"""

OVERLAY = """namespace: {app}-{environment}
resources: [../../base]
images: [{{name: registry.example/{app}, newTag: "{tag}"}}]
patches:
  - target: {{kind: Deployment, name: {app}}}
    patch: |
      - op: replace
        path: /spec/replicas
        value: {replicas}
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Side:
    """One contestant: a remote and a checkout of its own, with the same commits as the other's."""

    def __init__(self, name, root, arguments, environment):
        self.name, self.arguments, self.environment = name, arguments, environment
        self.remote, self.work = root / f"{name}.git", root / name
        self.git_at(root, "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        self.git_at(root, "clone", "--quiet", str(self.remote), str(self.work))
        self.git("config", "user.name", "Bench")
        self.git("config", "user.email", "bench@example.com")
        self.git("checkout", "--quiet", "-B", "main")

    def git_at(self, directory, *arguments):
        subprocess.run(["git", *arguments], cwd=directory, check=True, env=self.environment, stderr=subprocess.DEVNULL)

    def git(self, *arguments):
        self.git_at(self.work, *arguments)

    def read_git(self, directory, *arguments):
        return subprocess.run(["git", *arguments], cwd=directory, check=True, env=self.environment, capture_output=True, text=True).stdout

    def commit(self, change, message):
        change(self.work)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "main")

    def command(self):
        return [argument.format(work=self.work) for argument in self.arguments]

    def measure(self):
        """Wall seconds, CPU seconds with all children, and the highest memory of the first process alone in MiB."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        process = subprocess.Popen(self.command(), env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        peak, done = [0], threading.Event()
        watcher = threading.Thread(target=watch_memory, args=(process.pid, peak, done))
        watcher.start()
        error = process.stderr.read()
        code = process.wait()
        wall = time.perf_counter() - start
        done.set()
        watcher.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if code != 0:
            raise SystemExit(f"{self.name} failed with {code}: {error.decode()[-2000:]}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return wall, cpu, peak[0] / 1024

    def count_processes(self, shims, log):
        """How many gits and renderers one run starts: counted by stand-ins, in a run that is not timed."""
        log.write_text("")
        environment = dict(self.environment, PATH=f"{shims}:{self.environment['PATH']}")
        subprocess.run(self.command(), env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return len(log.read_text().splitlines())


def watch_memory(pid, peak, done):
    while not done.is_set():
        try:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak[0] = max(peak[0], int(line.split()[1]))
        except OSError:
            return
        done.wait(0.005)


def project(environments, apps):
    def change(work):
        for app in apps:
            write(work / f"apps/{app}/base/resources.yaml", RESOURCES.format(app=app))
            write(work / f"apps/{app}/base/kustomization.yaml", BASE.format(app=app))
            for environment in environments:
                overlay(work, app, environment, "1.0.0", 2)
        configure(work, environments)

    return change


def overlay(work, app, environment, tag, replicas):
    text = OVERLAY.format(app=app, environment=environment, tag=tag, replicas=replicas)
    write(work / f"apps/{app}/overlays/{environment}/kustomization.yaml", text)


def configure(work, environments, path="apps/{app}/overlays/{environment}"):
    names = "".join(f"  - name: {environment}\n" for environment in environments)
    targets = f'targets:\n  - path: {path}\n    name: "{{app}}"\n'
    write(work / "hydrator.yaml", f"version: 1\nenvironments:\n{names}{targets}")
    for environment in environments:
        write(work / f"environments/{environment}/README.md", "An environment.\n")


def scenarios(environments, apps):
    first, last = environments[0], f"env{len(environments):03}"
    app = apps[0]

    def one_overlay(work, round_number):
        overlay(work, app, first, f"1.1.{round_number}", 3)

    def shared_base(work, round_number):
        path = work / f"apps/{app}/base/kustomization.yaml"
        path.write_text(path.read_text().replace("LEVEL=info", f"LEVEL=debug{round_number}"))

    def nothing(work, round_number):
        write(work / "docs/notes.md", f"Round {round_number}.\n")

    def new_environment(work, _):
        configure(work, [*environments, last])
        for name in apps:
            overlay(work, name, last, "1.0.0", 2)

    return [
        ("cold, everything", None),
        ("the same commit again", None),
        ("a commit that changes nothing", nothing),
        ("one file of one overlay", one_overlay),
        ("one shared base", shared_base),
        ("a new environment", new_environment),
    ]


def make_shims(root, path, log):
    shims = root / "shims"
    for name in ["git", "kubectl", "kustomize", "helm"]:
        real = shutil.which(name, path=path)
        if real:
            write(shims / name, f'#!/bin/sh\necho {name} >>"{log}"\nexec {real} "$@"\n')
            (shims / name).chmod(0o755)
    return shims


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hydrator", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--environments", type=int, default=30)
    parser.add_argument("--apps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--weight", type=int, default=0)
    options = parser.parse_args()
    if options.weight:
        weigh(options)
        return
    results = {}
    for round_number in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="hydrator-bench-") as directory:
            run_round(options, pathlib.Path(directory), round_number, results)
    report(options, results)


def weigh(options):
    """What the remote's refs weigh after many runs: half of the commits change nothing, half change one target."""
    environments = [f"env{number:03}" for number in range(options.environments)]
    apps = [f"app{number:03}" for number in range(options.apps)]
    with tempfile.TemporaryDirectory(prefix="hydrator-bench-") as directory:
        root = pathlib.Path(directory)
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "LC_ALL": "C", "TMPDIR": directory}
        hydrator = str(pathlib.Path(options.hydrator).resolve())
        side = Side("hydrator", root, [hydrator, "run", "--repo", "{work}", "--forge", "local"], environment)
        side.commit(plain_project(environments, apps), "First version")
        print(f"{options.environments} environments x {options.apps} apps, plain files, {options.weight} runs")
        done = 0
        for stop in sorted({1, 10, 100, options.weight} - set(range(options.weight + 1, 101))):
            while done < stop:
                side.commit(lambda work, number=done: small_change(work, environments, apps, number), f"Change {done}")
                subprocess.run(side.command(), env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                done += 1
            print_weight(side, done)


def plain_project(environments, apps):
    def change(work):
        for app in apps:
            for environment in environments:
                write(work / f"apps/{app}/{environment}/resources.yaml", RESOURCES.format(app=app))
        configure(work, environments, "apps/{app}/{environment}")

    return change


def small_change(work, environments, apps, number):
    write(work / "docs/notes.md", f"Run {number}.\n")
    if number % 2:
        app, environment = apps[number % len(apps)], environments[number // 2 % len(environments)]
        text = RESOURCES.format(app=app).replace("replicas: 1", f"replicas: {number}")
        write(work / f"apps/{app}/{environment}/resources.yaml", text)


def print_weight(side, runs):
    """Bytes on disk, packed as a host packs them, of what only these refs reach."""
    side.git_at(side.remote, "gc", "--quiet")
    refs = side.read_git(side.remote, "for-each-ref", "--format=%(refname)").split()
    own = ["refs/notes/hydrator.metadata", "refs/hydrator/cache"]
    sizes = []
    for ref in own:
        others = [f"^{other}" for other in refs if other != ref]
        sizes.append(int(side.read_git(side.remote, "rev-list", "--disk-usage", "--objects", ref, *others)))
    print(f"after {runs} runs: notes {sizes[0] / 1024:.0f} KiB, cache {sizes[1] / 1024:.0f} KiB, {len(refs)} refs")


def run_round(options, root, round_number, results):
    environments = [f"env{number:03}" for number in range(options.environments)]
    apps = [f"app{number:03}" for number in range(options.apps)]
    only = root / "tools"
    only.mkdir()
    # Both render with the same kubectl.
    (only / "kubectl").symlink_to(pathlib.Path(options.tools).resolve() / "kubectl")
    path = f"{only}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(root), "LC_ALL": "C", "TMPDIR": str(root)}
    hydrator = str(pathlib.Path(options.hydrator).resolve())
    sides = [Side("hydrator", root, [hydrator, "run", "--repo", "{work}", "--forge", "local"], environment)]
    if not options.alone:
        loop = str(pathlib.Path(__file__).resolve().parent / "bench-loop.sh")
        sides.append(Side("loop", root, [loop, "{work}"], environment))
    log = root / "processes"
    shims = make_shims(root, path, log)
    for name, change in scenarios(environments, apps):
        order = sides if round_number % 2 == 0 else sides[::-1]
        for side in order:
            if name.startswith("cold"):
                side.commit(project(environments, apps), "First version")
                # A job's checkout is a fetch, and that is a pack.
                side.git("gc", "--quiet")
            elif change:
                side.commit(lambda work: change(work, round_number), name)
            if round_number == 0 and name == "the same commit again":
                results.setdefault(("processes", side.name), []).append(side.count_processes(shims, log))
            results.setdefault((name, side.name), []).append(side.measure())


def report(options, results):
    cpu = platform.processor() or platform.machine()
    print(f"{options.environments} environments x {options.apps} apps, {options.rounds} rounds, {os.cpu_count()} cores ({cpu})")
    print(f"{'':32}{'hydrator':>34}{'loop':>24}")
    print(f"{'':32}{'wall s':>10}{'CPU s':>10}{'own MiB':>14}{'wall s':>12}{'CPU s':>12}{'ratio':>10}")
    for name, _ in scenarios(["env000"], ["app000"]):
        ours = [statistics.median(column) for column in zip(*results[(name, "hydrator")])]
        line = f"{name:32}{ours[0]:10.3f}{ours[1]:10.3f}{ours[2]:14.1f}"
        if (name, "loop") in results:
            theirs = [statistics.median(column) for column in zip(*results[(name, "loop")])]
            line += f"{theirs[0]:12.2f}{theirs[1]:12.2f}{'1/' + format(theirs[0] / ours[0], '.1f'):>10}"
        print(line)
    for side in ["hydrator", "loop"]:
        if ("processes", side) in results:
            print(f"processes of git and renderers for the same commit again, {side}: {results[('processes', side)][0]}")


if __name__ == "__main__":
    main()
