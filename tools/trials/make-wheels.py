"""Makes wheels of packages of Python as a distribution has them: make-wheels.py SOURCE INTO"""

import base64
import glob
import hashlib
import os
import sys
import zipfile

SOURCE, INTO = sys.argv[1:]
PACKAGES = {
    "attrs": ["attr", "attrs"],
    "iniconfig": ["iniconfig"],
    "packaging": ["packaging"],
    "pluggy": ["pluggy"],
    "pytest": ["pytest", "_pytest", "py.py"],
    "wheel": ["wheel"],
}


def files_of(part):
    path = os.path.join(SOURCE, part)
    if os.path.isfile(path):
        return [path]
    return sorted(os.path.join(at, name) for at, _, names in os.walk(path) for name in names)


def make(name, parts):
    [described] = glob.glob(f"{SOURCE}/{name}-*-info")
    told = [os.path.join(described, file) for file in ("METADATA", "PKG-INFO")]
    [first, *_] = [path for path in told if os.path.exists(path)]
    with open(first, encoding="utf8") as file:
        metadata = file.read()
    written = next(line.split(":")[1].strip() for line in metadata.splitlines() if line.startswith("Version:"))
    # What the distribution adds to a version is no part of it.
    version = written.split("+")[0]
    tag = f"{name}-{version}"
    rows = []
    with zipfile.ZipFile(f"{INTO}/{tag}-py3-none-any.whl", "w") as wheel:

        def add(path, data):
            wheel.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(data)}")

        for path in [path for part in parts for path in files_of(part) if path.endswith((".py", ".typed"))]:
            with open(path, "rb") as file:
                add(os.path.relpath(path, SOURCE), file.read())
        add(f"{tag}.dist-info/METADATA", metadata.replace(f"Version: {written}", f"Version: {version}").encode())
        add(f"{tag}.dist-info/WHEEL", b"Wheel-Version: 1.0\nGenerator: trial\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        points = os.path.join(described, "entry_points.txt")
        if os.path.exists(points):
            with open(points, "rb") as file:
                add(f"{tag}.dist-info/entry_points.txt", file.read())
        wheel.writestr(f"{tag}.dist-info/RECORD", "\n".join([*rows, f"{tag}.dist-info/RECORD,,"]) + "\n")


for name, parts in PACKAGES.items():
    make(name, parts)
