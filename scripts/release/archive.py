"""Pack a built program as it is released: the same program gives the same bytes.

usage: archive.py PROGRAM NAME OUTPUT      writes OUTPUT/NAME.tar.gz, which holds NAME/hydrator and the papers
"""

import gzip
import io
import pathlib
import sys
import tarfile

PAPERS = ["LICENSE", "README.md", "CHANGELOG.md"]


def add(archive, path, content, mode):
    entry = tarfile.TarInfo(path)
    entry.size = len(content)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(content))


def main(program, name, output):
    root = pathlib.Path(__file__).resolve().parents[2]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        add(archive, f"{name}/hydrator", program.read_bytes(), 0o755)
        for paper in PAPERS:
            add(archive, f"{name}/{paper}", (root / paper).read_bytes(), 0o644)
    output.mkdir(parents=True, exist_ok=True)
    target = output / f"{name}.tar.gz"
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    print(target)


main(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))
