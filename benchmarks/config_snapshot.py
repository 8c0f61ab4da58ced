"""Records what each config builds, and compares two records. A redesign must change none of it.

    python benchmarks/config_snapshot.py write before.json    # with the old code
    python benchmarks/config_snapshot.py write after.json     # with the new code
    python benchmarks/config_snapshot.py compare before.json after.json

A record holds, for each config, the resolved config, the shapes in the state dict, and the losses of one training step.
The step runs at the sizes of ``--quick`` on made-up images. ``write --resolved`` builds no model: it takes seconds, and
``compare`` then compares the resolved configs only.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner, set_random_seed
from tqdm import tqdm

ROOT = Path(__file__).parents[1] / 'configs'
TOLERANCE = 1e-5  # relative, of a loss: another order of additions changes the last digits


def resolved(path: Path) -> dict:
    """The config after inheritance, as plain JSON values."""
    return json.loads(json.dumps(Config.fromfile(path).to_dict(), default=str, sort_keys=True))


def built(path: Path) -> dict:
    """The shapes in the model's state dict and the losses of one training step."""
    from mmrev.testing import quick_config  # here, because `write --resolved` needs no mmrev

    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    with tempfile.TemporaryDirectory() as folder:
        quick = quick_config(cfg, Path(folder, 'data'))
        if quick.get('data_preprocessor'):
            quick.model.setdefault('data_preprocessor', quick.data_preprocessor)
        set_random_seed(0)  # of numpy and random too: the augmentations draw from them
        model = MODELS.build(quick.model).train()
        shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
        batch = next(iter(Runner.build_dataloader(quick.train_dataloader, seed=0)))
        losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    return dict(state=shapes, losses={name: _number(value) for name, value in losses.items()})


def _number(loss: torch.Tensor | list[torch.Tensor]) -> float:
    parts = loss if isinstance(loss, list) else [loss]
    return float(sum(part.sum() for part in parts))


def write(target: Path, resolved_only: bool) -> None:
    """Writes the missing entries. So a second run continues an interrupted one."""
    entries = json.loads(target.read_text()) if target.exists() else {}
    paths = [path for path in sorted(ROOT.rglob('*.py')) if '_base_' not in path.parts]
    for path in tqdm(paths):
        name = str(path.relative_to(ROOT))
        if name in entries:
            continue
        entries[name] = dict(config=resolved(path))
        if not resolved_only:
            entries[name].update(built(path))
        target.write_text(json.dumps(entries))


def compare(before: Path, after: Path) -> int:
    """Prints each difference and returns the number of configs that differ."""
    old, new = json.loads(before.read_text()), json.loads(after.read_text())
    differing = 0
    for name in sorted(old.keys() | new.keys()):
        differences = _compare_entries(old.get(name, {}), new.get(name, {}))
        differing += bool(differences)
        for difference in differences:
            print(f'{name}: {difference}')
    print(f'{len(old)} configs before, {len(new)} after, {differing} differ')
    return differing


def _compare_entries(old: dict, new: dict) -> list[str]:
    """The differences of two entries. A part that only one record holds (``--resolved``) is left out."""
    if not old or not new:
        return ['only in one of the two records']
    return [line for part in sorted(old.keys() & new.keys()) for line in _differences(old[part], new[part], part)]


def _differences(old: object, new: object, path: str) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        lines = []
        for key in sorted(old.keys() | new.keys()):
            lines += _differences(old.get(key), new.get(key), f'{path}.{key}')
        return lines
    return [] if old == new or _close(old, new) else [f'{path}: {old} -> {new}']


def _close(old: object, new: object) -> bool:
    return isinstance(old, float) and isinstance(new, float) and abs(old - new) <= TOLERANCE * abs(old)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest='action', required=True)
    writing = actions.add_parser('write', help='record all configs of this checkout')
    writing.add_argument('file', type=Path)
    writing.add_argument('--resolved', action='store_true', help='record the resolved configs only')
    comparing = actions.add_parser('compare', help='print the differences of two records')
    comparing.add_argument('files', type=Path, nargs=2)
    args = parser.parse_args()
    if args.action == 'write':
        write(args.file, args.resolved)
        return 0
    return min(1, compare(*args.files))


if __name__ == '__main__':
    sys.exit(main())
