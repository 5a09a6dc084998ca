"""Container images without a builder: one layer of static binaries, as docker-archives that containerd imports."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path


def image(out: Path, tag: str, entrypoint: list[str], files: dict[str, str], *, compressed: bool = False) -> Path:
    """Write an image; ``files`` maps paths in the image to files of this host.

    Registries serve layers ``compressed``: a node then keeps each both ways.
    """
    layer = _layer(files)
    digest = hashlib.sha256(layer).hexdigest()
    if compressed:
        layer = gzip.compress(layer, compresslevel=1, mtime=0)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": entrypoint, "Env": ["PATH=/bin:/usr/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    encoded = json.dumps(config).encode()
    name = f"{hashlib.sha256(encoded).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": [f"{digest}/layer.tar"]}]).encode()
    with tarfile.open(out, "w") as archive:
        for path, data in ((name, encoded), (f"{digest}/layer.tar", layer), ("manifest.json", manifest)):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out


def _layer(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for directory in sorted({str(Path(path).parent).lstrip("/") for path in files} - {"", "."}):
            info = tarfile.TarInfo(directory)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(info)
        for path, source in files.items():
            info = layer.gettarinfo(source, path.lstrip("/"))
            info.mode, info.uid, info.gid = 0o755, 0, 0
            with Path(source).open("rb") as content:
                layer.addfile(info, content)
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        layer.addfile(tmp)
    return buffer.getvalue()
