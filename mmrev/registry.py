"""The child registries that ``type='mmrev.X'`` is looked up in, from the default scope of any OpenMMLab package.

mmengine imports this module by itself when it meets the prefix ``mmrev.``, and hides an ImportError raised here
behind "X is not in the registry": this module therefore imports mmengine alone.
"""

from mmengine import registry as root
from mmengine.registry import Registry


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(name, scope='mmrev', parent=parent, locations=list(locations))


MODELS = _child('model', root.MODELS, 'mmrev.models')
DATASETS = _child('dataset', root.DATASETS, 'mmrev.datasets')
TRANSFORMS = _child('transform', root.TRANSFORMS, 'mmrev.datasets')
HOOKS = _child('hook', root.HOOKS, 'mmrev.engine')
