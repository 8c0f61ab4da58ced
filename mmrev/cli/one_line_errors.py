"""One line for each error that a user can mend, also for errors of torch, mmengine and the operating system."""

import errno

import torch

from mmrev.errors import UserError

FULL_DISK = ('No space left', 'PytorchStreamWriter failed writing')
# messages of OpenCV (through mmcv) and Pillow
UNREADABLE = (
    'failed to load image',
    'imdecode',
    'cannot identify image file',
    'image file is truncated',
    'broken data stream',
    'Truncated File Read',
)
# the sign of an error of several processes -> what to do
SEVERAL_PROCESSES = {
    'Expected to have finished reduction in the prior iteration': (
        'some parameters of the model get no gradient, which several processes must know: set '
        '--cfg-options find_unused_parameters=True'
    ),
    'SyncBatchNorm expected input tensor to be on GPU': (
        "SyncBN in several processes needs GPUs: set norm_cfg.type='BN', and norm_eval=True in the backbone"
    ),
}


def explain(error: Exception) -> str | None:
    """Returns one line that says what is wrong and what to do, or None for a bug.

    Example:
        >>> explain(torch.cuda.OutOfMemoryError()).partition(':')[0]
        'out of GPU memory'
        >>> explain(ZeroDivisionError())
    """
    text = _message(error)
    if isinstance(error, UserError):
        return text
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return (
            'out of GPU memory: halve train_dataloader.batch_size and double optim_wrapper.accumulative_counts '
            '(--cfg-options), or add --amp'
        )
    for sign, advice in SEVERAL_PROCESSES.items():
        if sign in text:
            return advice
    if getattr(error, 'errno', None) == errno.ENOSPC or any(sign in text for sign in FULL_DISK):
        return 'the disk is full: free some space and --resume; the last whole checkpoint is kept'
    if any(sign in text for sign in UNREADABLE):
        return f'{text}: an image or mask cannot be read; `mmrev check-data <config>` reads all of them'
    if text.startswith('DataLoader worker') and any(sign in text for sign in ('killed by signal', 'unexpectedly')):
        return (
            f'{text.rstrip(".")}. It was told to end, or memory ran out: lower train_dataloader.num_workers; --resume '
            'goes on from the last checkpoint'
        )
    if getattr(error, 'errno', None) == errno.EROFS:
        return f'{text}: make it writable, and --resume; the last whole checkpoint is kept'
    if isinstance(error, OSError):
        return (
            f'{text}: check the path; `mmrev check-data <config>` reads all files of a data set. A training goes on '
            'with --resume'
        )
    if isinstance(error, KeyError) and 'is not in the' in text and 'registry' in text:
        return f'{text.split(". ")[0]}: check its spelling in the config, or add custom_imports of its module'
    if isinstance(error, ImportError) and 'install' in text:  # mmengine's, of a visualizer's backend and the like
        return f'the config needs a package that is missing. {text}'
    if isinstance(error, ValueError) and text.startswith('Expected more than 1 value per channel when training'):
        return (
            'a batch norm got one value a channel, from which it cannot learn (one image after a global pooling): set '
            'train_dataloader.batch_size=2 or more, and train_dataloader.drop_last=True against a last batch of one'
        )
    if isinstance(error, TypeError) and '__init__() got an unexpected keyword argument' in text:
        return f'{text}: check the spelling of this key in the config'
    return None


def _message(error: Exception) -> str:
    """Returns the message in one line. An error of a data loader's worker has it at the end of a traceback."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    if text.startswith('Caught '):
        text = text.splitlines()[-1].split(f'{type(error).__name__}: ', 1)[-1]
    return ' '.join(text.split())
