"""The scores of each class, from a confusion matrix.

Shapes: N classes.
"""

from typing import NamedTuple

import numpy as np


class ClassScores(NamedTuple):
    """The scores of N classes in percent. A class without pixels has NaN.

    Args:
        iou: Intersection over union.
        recall: The share of its pixels that are found. The field calls it the accuracy of the class.
        precision: The share of the pixels predicted as this class that belong to it.
        share: Its share of all labelled pixels.

    Example:
        >>> ClassScores(*np.zeros((4, 2))).iou.tolist()
        [0.0, 0.0]
    """

    iou: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    share: np.ndarray


def confusion_of(truth: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int = 255) -> np.ndarray:
    """Counts pixels by true class (row) and predicted class (column): [N, N].

    Args:
        truth: The labels.
        prediction: The predictions, in the same shape.
        num_classes: N.
        ignore_index: The label that does not count.

    Example:
        >>> confusion_of(np.array([0, 1, 1, 255]), np.array([0, 0, 1, 1]), 2).tolist()
        [[1, 0], [1, 1]]
    """
    known = (truth != ignore_index) & (truth < num_classes)
    pairs = num_classes * truth[known].astype(np.int64) + prediction[known].astype(np.int64)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(confusion: np.ndarray) -> ClassScores:
    """Computes the scores of each class.

    Args:
        confusion: Pixels by true class (row) and predicted class (column), [N, N].

    Example:
        >>> class_scores(np.array([[1, 0], [1, 2]])).iou.round(1).tolist()
        [50.0, 66.7]
    """
    hit = np.diag(confusion).astype(float)
    true, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    total = max(int(confusion.sum()), 1)
    with np.errstate(invalid='ignore', divide='ignore'):
        scores = hit / (true + predicted - hit), hit / true, hit / predicted, true / total
    return ClassScores(*(100 * score for score in scores))
