"""A trained model and all that it shows of a picture, computed once and kept for the next choice."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from mmrev.errors import DataError
from mmrev.prediction import Predictor
from mmrev.prediction.names import shown

from .pictures import to_page
from .results import RESULTS, Result
from .uploads import Limits, check_upload
from .views import Opened, Picture, View, views_of

KEPT = 4  # pictures whose maps stay in memory


class Exhibit:
    """A model that shows its predictions and its maps. Several visitors may ask at once; they take turns.

    Args:
        name: Its name on the page.
        predictor: The model.
        limits: The largest picture that it takes.
    """

    def __init__(self, name: str, predictor: Predictor, limits: Limits) -> None:
        self.name = name
        self.predictor = predictor
        self.limits = limits
        self.views: list[View] = views_of(predictor)
        self._turn = Lock()
        self._open: Callable[[str], tuple[Opened, Result]] = lru_cache(KEPT)(self._predict)
        self._computed: Callable[[str, int], Any] = lru_cache(KEPT * max(len(self.views), 1))(self._compute)

    def result(self, path: str) -> Result:
        """Predicts a picture.

        Raises:
            DataError: It is too large, cannot be read, or the model fails on it.
        """
        with self._turn:
            return self._open(path)[1]

    def pictures(self, path: str, view: int, choice: int = 0) -> list[Picture]:
        """Draws the pictures of a view.

        Args:
            path: The picture.
            view: The index of the view in ``views``.
            choice: The index of the class in ``choices`` of the view.

        Raises:
            DataError: The picture is too large, cannot be read, or the model fails on it.
        """
        with self._turn:
            return self.views[view].pictures(self._open(path)[0], self._computed(path, view), choice)

    def _predict(self, path: str) -> tuple[Opened, Result]:
        file = Path(path)
        try:
            loaded = self.predictor.reader.read(check_upload(file, self.limits))
            ((_, prediction),) = self.predictor.predict_loaded([loaded])
            if isinstance(prediction, DataError):
                raise prediction
        except DataError as problem:  # visitors know the name of their file, and not where it is kept here
            raise DataError(str(problem).replace(shown(file), shown(file.name))) from problem
        opened = Opened(self.predictor.model, loaded.item, to_page(loaded.picture))
        return opened, RESULTS[self.predictor.task](prediction, self.predictor.classes)

    def _compute(self, path: str, view: int) -> Any:
        opened = self._open(path)[0]
        try:
            return self.views[view].compute(opened)
        except Exception as error:  # such as too little memory for the whole picture
            reason = ' '.join(str(error).split())[:200] or type(error).__name__
            raise DataError(f'{self.views[view].title}: the model fails on this picture ({reason})') from error
