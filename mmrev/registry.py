"""The registries behind ``type='mmrev.X'``. They are children of mmengine's, so any OpenMMLab package finds them.

mmengine imports this module when it meets the prefix ``mmrev.``. It hides an ImportError that is raised here behind
"X is not in the registry". So this module imports mmengine alone.
"""

from mmengine import registry as root
from mmengine.registry import Registry


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(name, scope='mmrev', parent=parent, locations=list(locations))


MODELS = _child('model', root.MODELS, 'mmrev.models')
DATASETS = _child('dataset', root.DATASETS, 'mmrev.datasets')
TRANSFORMS = _child('transform', root.TRANSFORMS, 'mmrev.datasets')
HOOKS = _child('hook', root.HOOKS, 'mmrev.engine')
OPTIM_WRAPPERS = _child('optim_wrapper', root.OPTIM_WRAPPERS, 'mmrev.engine')
