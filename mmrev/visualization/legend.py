"""A picture of the names and colours of classes."""

from collections.abc import Sequence
from typing import BinaryIO

ROWS = 20


def save_legend(file: BinaryIO, names: Sequence[str], palette: Sequence[Sequence[int]]) -> None:
    """Writes a PNG with a patch of colour and the name of each class.

    Args:
        file: The open file.
        names: The names.
        palette: The colour of each class, RGB, 0 to 255.

    Example:
        >>> from io import BytesIO
        >>> file = BytesIO()
        >>> save_legend(file, ['sky', 'road'], [[128, 128, 128], [128, 64, 128]])
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    columns = -(-len(names) // ROWS)
    longest = max(map(len, names), default=0)
    figure = Figure(figsize=(columns * (0.8 + 0.09 * longest), 0.25 * min(len(names), ROWS) + 0.3))
    patches = [
        Patch(facecolor=f'#{bytes(color).hex()}', edgecolor='grey', label=name.replace('$', r'\$'))
        for name, color in zip(names, palette, strict=True)
    ]
    figure.legend(handles=patches, ncols=columns, loc='center', frameon=False)
    figure.savefig(file, format='png', dpi=100)
