"""The labels of pictures as a table."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..files import write_csv
from ..results import Prediction, as_array
from .base import Task

TOP = 5


class Labels(Task):
    """The table of a classifier: the five best classes of each picture, and on request the score of every class."""

    @property
    def table(self) -> Path:
        return self.out / 'labels.csv'

    def files(self, name: str) -> list[Path]:
        return []

    def write(self, name: str, prediction: Prediction) -> dict:
        scores = as_array(prediction.sample.pred_score)
        best = np.argsort(-scores, kind='stable')[:TOP]
        row = {'labels': best.tolist(), 'scores': [round(score, 6) for score in scores[best].tolist()]}
        if self.options.probabilities:
            row['all'] = [round(score, 6) for score in scores.tolist()]
        return row

    def write_table(self, rows: Collection[dict]) -> list[Path]:
        count, names = min(TOP, len(self.classes.names)), self.classes.names
        columns = ['image', 'label', 'class', 'score']
        columns += [f'{name} {place}' for place in range(2, count + 1) for name in ('label', 'class', 'score')]
        columns += [f'score of {name}' for name in names] if self.options.probabilities else []
        table = []
        for row in rows:
            cells = [row['image']]
            for label, score in zip(row['labels'], row['scores'], strict=True):
                cells += [label, names[label], score]
            table.append([*cells, *row.get('all', [])])
        write_csv(self.table, columns, table)
        return [self.table]
