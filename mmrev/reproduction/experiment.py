"""The config of one training or test: the row's own, at the size of the budget, with this machine's folders."""

import copy
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmrev.config_files import read_config
from mmrev.datasets.checks import Split, check_data, leaf_datasets
from mmrev.errors import ConfigError, UserError

from .budgets import BUDGETS, MADE_UP, made_up, shrink
from .papers import Papers
from .runs import Run

SPLITS = ('train', 'val', 'test')


@dataclass(frozen=True)
class Settings:
    """The common settings of all runs of a command.

    Args:
        out: The folder of everything that is written.
        budget: The size of the runs.
        data_root: The folder with the data sets, instead of ``data``; also the data set itself where there is only one.
        gpus: The number of GPUs of a training; 0 for what a single process finds.
        options: The options that change every config.
        made_up_data: Whether tiny made-up data sets take the place of the real ones.

    Example:
        >>> Settings(Path('out'), 'small').run('ran_n_r18_camvid', 0).folder.as_posix()
        'out/small/ran_n_r18_camvid/seed_0'
    """

    out: Path
    budget: str = 'paper'
    data_root: str | None = None
    gpus: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    made_up_data: bool = False

    @property
    def folder(self) -> Path:
        """The folder of this budget."""
        return self.out / ('made_up_data' if self.made_up_data else self.budget)

    @property
    def size(self) -> str:
        """The budget in words, for the CSV file."""
        return f'{self.budget}, made-up data' if self.made_up_data else self.budget

    @property
    def explained(self) -> str:
        """The budget in a sentence, for people."""
        return f'{self.size}: {MADE_UP if self.made_up_data else BUDGETS[self.budget]}'

    @property
    def says(self) -> str:
        """The options in one line, for the CSV file."""
        return ' '.join(f'{key}={value}' for key, value in self.options.items())

    def run(self, config: str, seed: int) -> Run:
        """Returns the folder of a training."""
        return Run(self.folder / config / f'seed_{seed}')


@dataclass(frozen=True)
class Experiment:
    """A config that can be run here.

    Args:
        cfg: The config.
        text: The experiment as text: the config without the folders of this machine.
        splits: Its data sets.
    """

    cfg: Config
    text: str
    splits: Sequence[Split]


def make_experiment(papers: Papers, name: str, seed: int, settings: Settings) -> Experiment:
    """Makes the config of a row at the size of the budget, after a check of its data sets.

    Args:
        papers: The papers.
        name: The name of the config.
        seed: The seed.
        settings: The settings of the command.

    Raises:
        DataError: A data set is missing or wrong.
        ConfigError: The options or the number of GPUs do not fit the config, or a training that this one starts from is
            not finished.
    """
    cfg = read_config(papers.configs[name], dict(settings.options))
    if settings.made_up_data:
        cfg = made_up(cfg, settings.run(papers.trained_by(name), seed).folder)
        splits = check_data(cfg, splits=SPLITS)
    else:
        splits = check_data(_located(cfg, settings.data_root), splits=SPLITS)
        cfg = shrink(cfg, settings.budget, splits)
    cfg.setdefault('randomness', {}).update(seed=seed)
    text = cfg.pretty_text
    if not settings.made_up_data:
        cfg = _started(_located(cfg, settings.data_root), papers, seed, settings)
    _share_batch(cfg, name, settings.gpus)
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or ()), dict(type='mmrev.ProgressFileHook')]
    return Experiment(cfg, text, splits)


def require_same(text: str, file: Path) -> None:
    """Checks that a training goes on as it began.

    Raises:
        ConfigError: The file holds another experiment.
    """
    if not file.exists() or file.read_text() == text:
        return
    changes = difflib.ndiff(file.read_text().splitlines(), text.splitlines())
    first = next((line[2:].strip() for line in changes if line[:2] in ('- ', '+ ')), 'spaces')
    raise ConfigError(
        f'{file.parent} was begun with another config (it differs in `{first}`): choose another --out, or remove '
        'this folder'
    )


def needs(papers: Papers, name: str, settings: Settings) -> list[str]:
    """Returns the names of the configs whose trained weights a training starts from."""
    if settings.budget == 'tiny':
        return []  # it starts from random weights
    try:
        cfg = read_config(papers.configs[name], dict(settings.options))
    except UserError:
        return []  # the job of this row says it, and the other rows go on
    return sorted({config for _, _, config in _starts(cfg, papers)})


def _located(cfg: Config, data_root: str | None) -> Config:
    cfg = copy.deepcopy(cfg)
    if data_root is None:
        return cfg
    moved: dict[str, str] = {}
    for name in SPLITS:
        loader = cfg.get(f'{name}_dataloader')
        for dataset in leaf_datasets(loader.dataset) if loader else ():
            if dataset['data_root'] not in moved.values():  # loaders may share one object, which moves once
                moved[dataset['data_root']] = _locate(dataset['data_root'], data_root)
                dataset['data_root'] = moved[dataset['data_root']]
    for metric in (metric for name in SPLITS for metric in _evaluators(cfg, name)):
        for old, new in moved.items():
            if Path(metric.get('ann_file') or '').is_relative_to(old):
                metric['ann_file'] = str(Path(new, Path(metric['ann_file']).relative_to(old)))
    return cfg


def _locate(old: str, data_root: str) -> str:
    parts = Path(old).parts
    inside = Path(data_root, *(parts[1:] if parts[0] == 'data' else parts))
    return str(inside if inside.exists() else data_root)


def _evaluators(cfg: Config, name: str) -> Iterator[dict]:
    evaluators = cfg.get(f'{name}_evaluator') or []
    yield from evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]


def _starts(cfg: Config, papers: Papers) -> Iterator[tuple[dict, str, str]]:
    """Yields where a config names the checkpoint of another row: the part, the key, the name of that row."""
    pending: list[Any] = [cfg._cfg_dict]
    while pending:
        part = pending.pop()
        if isinstance(part, (list, tuple)):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()
            for key in ('checkpoint', 'load_from'):
                found = re.match(r'work_dirs/([^/]+)/', str(part.get(key)))
                if found and found[1] in papers.configs:
                    yield part, key, found[1]


def _started(cfg: Config, papers: Papers, seed: int, settings: Settings) -> Config:
    for part, key, name in list(_starts(cfg, papers)):
        run = settings.run(name, seed)
        trained = run.trained()
        if trained is None:
            raise ConfigError(f'the training starts from the weights of {name}, seed {seed}: {run.state()}')
        part[key] = str(run.folder / trained.checkpoint)
    return cfg


def _share_batch(cfg: Config, name: str, gpus: int) -> None:
    """Divides the batch of a step among the processes, so that the row stays the same."""
    if gpus <= 1:
        return
    batch = cfg.train_dataloader.batch_size
    if batch % gpus:
        fitting = [str(number) for number in range(1, batch + 1) if batch % number == 0]
        raise ConfigError(f'{name}: {gpus} GPUs cannot share {batch} images a step: use --gpus {", ".join(fitting)}')
    cfg.train_dataloader.batch_size = batch // gpus
