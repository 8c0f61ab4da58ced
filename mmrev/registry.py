"""The registries behind ``type='mmrev.X'``. They are children of mmengine's, so any OpenMMLab package finds them.

mmengine imports this module when it meets the prefix ``mmrev.``. It hides an ImportError that is raised here behind
"X is not in the registry". So of other packages this module imports mmengine alone.
"""

from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

from .arguments import checked


class CheckingRegistry(Registry):
    """A registry whose classes check their arguments against the annotations."""

    def register_module(self, name: Any = None, force: bool = False, module: Any = None) -> Any:
        if module is None:
            return lambda cls: self.register_module(name, force, cls)
        return super().register_module(name, force, checked(module) if isinstance(module, type) else module)


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return CheckingRegistry(name, scope='mmrev', parent=parent, locations=list(locations))


# with mmrev.engine, so that mmengine loads the weights of a model from a file of `mmrev publish`
MODELS = _child('model', root.MODELS, 'mmrev.models', 'mmrev.engine')
DATASETS = _child('dataset', root.DATASETS, 'mmrev.datasets')
TRANSFORMS = _child('transform', root.TRANSFORMS, 'mmrev.datasets')
HOOKS = _child('hook', root.HOOKS, 'mmrev.engine')
OPTIM_WRAPPERS = _child('optim_wrapper', root.OPTIM_WRAPPERS, 'mmrev.engine')
