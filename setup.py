"""Metadata, extras and the build step that puts the configs into the wheel."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
VERSION = {}
exec((ROOT / 'mmrev/version.py').read_text(), VERSION)

# mmrev itself requires nothing. So `pip install mmrev` leaves an existing OpenMMLab stack as it is, whoever publishes
# that stack. An empty environment takes an extra.
# mmcv requires opencv-python, which needs libGL. So pip must unpack a headless build of the same version over it. pip
# installs the two in reverse alphabetical order: opencv-python-headless would come first, the contrib build comes last.
STACK = [
    'torch>=2.6',
    'torchvision',
    'onedl-mmengine>=0.10.12',
    'onedl-mmcv>=2.3.6',
    'onedl-mmsegmentation>=1.4.2',
    'onedl-mmpretrain>=1.3.6',
    'numba',
    'scipy',
    'tqdm',
    'filelock',
    'numpy<2.3',
    'opencv-python<4.13',
    'opencv-contrib-python-headless<4.13',
]
DETECTION = ['onedl-mmdetection>=3.5.1']
CRF = ['pydensecrf2==1.1']
DEMO = ['scikit-learn>=1.5', 'scikit-image>=0.24', 'matplotlib']
PREPARE = ['scipy', 'h5py>=3.8', 'tqdm']  # `mmrev prepare`; 3.8 is h5py's first for Python 3.11
LOG = ['tensorboard>=2.15']  # `mmrev train --log tensorboard`; older ones break with NumPy 1.26
# `mmrev export --format onnx` and `mmrev predict model.onnx`. onnxscript is torch's exporter. Tested: onnx 1.23,
# onnxruntime 1.32, onnxscript 0.7. The next major version of each may change its interface.
ONNX = ['onnx>=1.17,<2', 'onnxruntime>=1.20,<2', 'onnxscript>=0.5,<1', 'numpy', 'pillow']
REPRODUCE = ['submitit>=1.5']
# server.py takes what gradio 6.31 offers to switch its reports and its history off; 7 may change names, as 6 did
WEB = ['gradio>=6.31,<7']
PUBLISH = ['safetensors>=0.4,<1']  # 0.4 loads bytes and keeps bfloat16; 1.0 may change the format
DEV = [
    'pytest>=8',
    'pytest-xdist',
    'pytest-cov',
    'hypothesis',
    'allpairspy',
    'huggingface_hub',
    'ruff',
    'mypy',
    'pre-commit',
    'build',
    'selenium',
    'timm>=1.0',  # gates in its networks, and examples; earlier ones have other blocks
    'segmentation-models-pytorch>=0.4',
]


class BuildWithConfigs(build_py):
    """Copies configs/ and model-index.yml into mmrev/.mim of the wheel, where OpenMMLab's tools look for them."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, 'mmrev/.mim')
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / 'configs', target / 'configs', ignore=shutil.ignore_patterns('__pycache__'))
            shutil.copy(ROOT / 'model-index.yml', target)


setup(
    name='mmrev',
    version=VERSION['__version__'],
    description='Reverse attention for OpenMMLab: RAN, scale attention, RANet and RA-Net as a plug-in',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    packages=find_packages(include=['mmrev', 'mmrev.*']),
    package_data={'mmrev': ['py.typed']},
    cmdclass={'build_py': BuildWithConfigs},
    entry_points={'console_scripts': ['mmrev=mmrev.cli.main:main']},
    extras_require={
        'stack': STACK,
        'det': STACK + DETECTION,
        'crf': CRF,
        'demo': STACK + DEMO,
        'log': LOG,
        'prepare': PREPARE,
        'reproduce': REPRODUCE,
        'web': WEB,
        'publish': PUBLISH,
        'dev': STACK + DETECTION + CRF + DEMO + LOG + ONNX + PREPARE + REPRODUCE + PUBLISH + WEB + DEV,
        'onnx': ONNX,
    },
    classifiers=[
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
