"""The model card of a published model: a README.md that people read, with the front matter that a hub reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from mmrev.hosts import HOSTS

# the names of tasks on the hub
TASKS = {
    'segmentation': 'image-segmentation',
    'classification': 'image-classification',
    'detection': 'object-detection',
}


@dataclass(frozen=True)
class Card:
    """The facts on a card.

    Args:
        name: The name of the model.
        scope: The default scope of its config: the import name of its host.
        parts: The types of the model's parts, such as ``mmrev.RAResNet``.
        classes: The names of its classes.
        parameters: The number of its parameters.
        file: The name of the file of weights.
        sha256: The hash of that file.
        versions: The version of each package that made it.
        license: The license of the weights, as the hub names it.
        datasets: The data sets that it was trained on.
        metrics: Measured scores, by their name.
    """

    name: str
    scope: str
    parts: Sequence[str]
    classes: Sequence[str]
    parameters: int
    file: str
    sha256: str
    versions: Mapping[str, str]
    license: str = 'unknown'
    datasets: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        front = yaml.safe_dump(self.front_matter(), sort_keys=False, allow_unicode=True)
        return f'---\n{front}---\n\n{self._body()}'

    def front_matter(self) -> dict[str, Any]:
        """Returns the values that ``huggingface_hub.ModelCardData`` knows.

        Example:
            >>> card = Card('a', 'mmseg', ['UPerHead'], ['sky'], 3, 'a.safetensors', '00', {})
            >>> card.front_matter()
            {'library_name': 'mmrev', 'license': 'unknown', 'pipeline_tag': 'image-segmentation',
             'tags': ['mmrev', 'mmseg', 'reverse-attention']}
        """
        task = TASKS[HOSTS[self.scope].task]
        front: dict[str, Any] = dict(library_name='mmrev', license=self.license, pipeline_tag=task)
        front['tags'] = ['mmrev', self.scope, 'reverse-attention']
        if self.datasets:
            front['datasets'] = list(self.datasets)
        if self.metrics:
            front['metrics'] = list(self.metrics)
            front['model-index'] = [dict(name=self.name, results=[self._result(task)])]
        return front

    def _result(self, task: str) -> dict[str, Any]:
        data = self.datasets[0] if self.datasets else 'unknown'
        return dict(
            task=dict(type=task),
            dataset=dict(name=data, type=data),
            metrics=[dict(type=name, value=value) for name, value in self.metrics.items()],
        )

    def _body(self) -> str:
        scores = ', '.join(f'{name} {value:g}' for name, value in self.metrics.items()) or 'not given'
        return f"""# {self.name}

A model for {HOSTS[self.scope].task}, trained with mmrev and {self.scope}.

| | |
|---|---|
| parts | {', '.join(f'`{part}`' for part in self.parts)} |
| classes | {len(self.classes)}: {', '.join(self.classes)} |
| parameters | {self.parameters:,} |
| scores | {scores} |
| data sets | {', '.join(self.datasets) or 'not given'} |
| made with | {', '.join(f'{package} {version}' for package, version in self.versions.items())} |

## Use

```bash
pip install 'mmrev[stack,publish]'
mmrev predict . photos/ --out predictions                # in this folder; it reads the config and runs none of it
mmrev test config.py {self.file}
```

As the start of a training: `load_from = '{self.file}'` in a config.

## Files

| file | content |
|---|---|
| `{self.file}` | the weights; its header has the classes, the colours and the config |
| `config.py` | the config, for people and for `mmrev test` |

SHA-256 of the weights: `{self.sha256}`
"""
