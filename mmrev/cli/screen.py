"""A shorter log on the screen. The file of the log keeps all lines."""

import logging

# lines that mmengine writes for each parameter of a model
FILE_ONLY = ('is skipped since its requires_grad=', 'paramwise_options -- ')


def shorten_screen(logger: logging.Logger) -> None:
    """Keeps lines that are for the file alone from the screen.

    Example:
        >>> logger, lines = logging.Logger('train'), []
        >>> handler = logging.StreamHandler()
        >>> handler.emit = lambda record: lines.append(record.getMessage())
        >>> logger.addHandler(handler)
        >>> shorten_screen(logger)
        >>> logger.warning('backbone.conv1.weight is skipped since its requires_grad=False')
        >>> logger.warning('Epoch 1')
        >>> lines
        ['Epoch 1']
    """
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(lambda record: not any(sign in record.getMessage() for sign in FILE_ONLY))
