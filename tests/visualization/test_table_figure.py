import numpy as np
from PIL import Image

from mmrev.visualization.table_figure import Point, draw_table

ORANGE, BLUE = (255, 127, 14), (31, 119, 180)


def colours(path):
    """Whether the area of the rows has the colour of a printed and of a measured figure."""
    pixels = np.asarray(Image.open(path).convert('RGB'))
    return [bool((pixels[: int(len(pixels) * 0.8)] == colour).all(-1).any()) for colour in (ORANGE, BLUE)]


def draw(tmp_path, *points):
    return colours(draw_table(tmp_path / 'table.png', dict(mIoU=points), 'a table'))


def test_printed_and_measured_figures_are_drawn(tmp_path):
    assert draw(tmp_path, Point('RAN-n', 48.1, (48.0, 48.4), 0.28)) == [True, True]
    assert draw(tmp_path, Point('RAN-n', 48.1, ())) == [True, False]
    assert draw(tmp_path, Point('RAN-n', None, (48.0,))) == [False, True]
    assert draw(tmp_path, Point('RAN-n', None, ())) == [False, False]


def test_a_row_makes_the_picture_higher_and_a_metric_wider(tmp_path):
    def size(rows, metrics):
        panels = {f'metric {number}': [Point('row', 1.0, ())] * rows for number in range(metrics)}
        return Image.open(draw_table(tmp_path / 'table.png', panels, 'a table')).size

    (width, height), (wider, _), (_, higher) = size(2, 1), size(2, 3), size(20, 1)
    assert wider > width and higher > height
