"""Writes down what each config builds, and compares two such files: a redesign must change none of it.

    python benchmarks/config_snapshot.py write before.json    # on the old code
    python benchmarks/config_snapshot.py write after.json     # on the new code
    python benchmarks/config_snapshot.py compare before.json after.json

Each entry has the resolved config, the shapes in the state dict, and the losses of one step on made-up images. The step
uses the sizes of ``--quick``.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner
from tqdm import tqdm

from mmrev.testing import quick_config

ROOT = Path(__file__).parents[1] / 'configs'


def snapshot(path: Path) -> dict:
    """The resolved config, the state-dict shapes and the losses of one training step."""
    cfg = Config.fromfile(path)
    entry = dict(config=json.loads(json.dumps(cfg.to_dict(), default=str, sort_keys=True)))
    init_default_scope(cfg.default_scope)
    with tempfile.TemporaryDirectory() as folder:
        quick = quick_config(cfg, Path(folder, 'data'))
        if quick.get('data_preprocessor'):
            quick.model.setdefault('data_preprocessor', quick.data_preprocessor)
        torch.manual_seed(0)
        model = MODELS.build(quick.model).train()
        entry['state'] = {name: list(value.shape) for name, value in model.state_dict().items()}
        batch = next(iter(Runner.build_dataloader(quick.train_dataloader, seed=0)))
        losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
        entry['losses'] = {name: _number(value) for name, value in losses.items()}
    return entry


def _number(loss: torch.Tensor | list[torch.Tensor]) -> float:
    return float(sum(part.sum() for part in loss) if isinstance(loss, list) else loss.sum())


def write(target: Path) -> None:
    """Adds the entries that are missing, so that an interrupted run goes on."""
    entries = json.loads(target.read_text()) if target.exists() else {}
    paths = [path for path in sorted(ROOT.rglob('*.py')) if '_base_' not in path.parts]
    for path in tqdm(paths):
        name = str(path.relative_to(ROOT))
        if name not in entries:
            entries[name] = snapshot(path)
            target.write_text(json.dumps(entries))


def compare(before: Path, after: Path) -> int:
    """Prints each difference; returns how many configs differ."""
    old, new = json.loads(before.read_text()), json.loads(after.read_text())
    differing = 0
    for name in sorted(old.keys() | new.keys()):
        parts = _differences(old.get(name), new.get(name))
        differing += bool(parts)
        for part in parts:
            print(f'{name}: {part}')
    print(f'{len(old)} configs before, {len(new)} after, {differing} differ')
    return differing


def _differences(old: object, new: object, path: str = '') -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in _differences(old.get(key), new.get(key), f'{path}.{key}' if path else key)
        ]
    same = old == new or (isinstance(old, float) and isinstance(new, float) and abs(old - new) <= 1e-5 * abs(old))
    return [] if same else [f'{path}: {old} -> {new}']


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('action', choices=['write', 'compare'])
    parser.add_argument('files', nargs='+', type=Path)
    args = parser.parse_args()
    if args.action == 'write':
        write(args.files[0])
        return 0
    return min(1, compare(*args.files))


if __name__ == '__main__':
    sys.exit(main())
