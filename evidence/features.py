"""Features of a frozen ResNet-50 on disk, so that heads can be trained in seconds.

Shapes: C channels of the backbone's last map, K channels that are kept, h x w the feature map.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from mmseg.models.backbones import ResNet
from torch import Tensor
from tqdm import tqdm

from mmrev.engine.checkpoints import load_matching, read_checkpoint
from mmrev.errors import CheckpointError

from .camvid import SPLITS, Split, find_images, read_image, read_mask
from .devices import device_of

CHANNELS = 256  # K
PCA_IMAGES = 60
BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet


def load_features(folder: Path, split: str, scales: Sequence[float] = (1.0,)) -> Split:
    """Opens the features of a split that :func:`extract` wrote, memory-mapped."""
    inputs = [np.load(_file(folder, split, scale), mmap_mode='r') for scale in scales]
    return Split(inputs, np.load(folder / f'{split}_masks.npy', mmap_mode='r'))


@torch.no_grad()
def extract(
    camvid: Path,
    weights: Path,
    folder: Path,
    scales: Sequence[float] = (1.0,),
    limit: int | None = None,
    device: str = 'cpu',
) -> None:
    """Writes the features of CamVid's three splits. It leaves files alone that exist already.

    The first K principal components of the training features at scale 1 are kept. They are scaled to a standard
    deviation of 1 on average. This is a linear map, which any head's first convolution could undo.

    Args:
        camvid: The folder of CamVid.
        weights: The backbone's weights, in Caffe's style.
        folder: The target.
        scales: The scales of the images.
        limit: At most so many images of each split; None for all.
        device: Where the network runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(split, scale) for split in SPLITS for scale in scales if not _file(folder, split, scale).exists()]
    if not wanted:
        return
    network = frozen_resnet50(weights).to(device)
    with FileLock(folder / 'lock'):  # several studies may start at once
        projection = _projection(network, camvid, folder, limit)
        for split, scale in wanted:
            if _file(folder, split, scale).exists():
                continue
            images = find_images(camvid, split, limit)
            features = [
                _project(_features(network, path, scale), projection)[0].half().numpy()
                for path in tqdm(images, desc=f'features of {split} at scale {scale:g}')
            ]
            _save(folder / f'{split}_masks.npy', [read_mask(camvid, split, path) for path in images])
            _save(_file(folder, split, scale), features)


def frozen_resnet50(weights: Path) -> ResNet:
    """ResNet-50 in Caffe's style with output stride 8 and real ImageNet weights.

    Raises:
        CheckpointError: The file does not hold them.
    """
    network = ResNet(depth=50, style='caffe', strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), out_indices=(3,))
    match = load_matching(network, read_checkpoint(weights))
    if match.missing or match.reshaped:
        raise CheckpointError(f"{weights}: {match}: expected a ResNet-50 in Caffe's style with torchvision's names")
    network.requires_grad_(False)
    network.eval()  # mmseg's returns None
    return network


def _projection(network: ResNet, camvid: Path, folder: Path, limit: int | None) -> dict[str, Tensor]:
    file = folder / 'projection.pt'
    if file.exists():
        return torch.load(file, weights_only=True)
    images = find_images(camvid, 'train', limit)
    chosen = images[:: max(1, len(images) // PCA_IMAGES)]
    samples = torch.cat(
        [_features(network, path).flatten(2)[0].T[::4] for path in tqdm(chosen, desc='principal components')]
    )
    mean = samples.mean(0)
    torch.manual_seed(0)
    _, _, directions = torch.pca_lowrank(samples - mean, q=CHANNELS, center=False)
    scale = ((samples - mean) @ directions).std()
    found = dict(mean=mean, directions=directions / scale)
    torch.save(found, file)
    return found


def _project(maps: Tensor, projection: dict[str, Tensor]) -> Tensor:
    centred = maps - projection['mean'][:, None, None]
    return torch.einsum('bchw,ck->bkhw', centred, projection['directions'])


def _features(network: ResNet, path: Path, scale: float = 1) -> Tensor:
    image = read_image(path, scale).astype(np.float32).transpose(1, 2, 0) - BGR_MEAN
    batch = torch.from_numpy(image.transpose(2, 0, 1)[None]).float()
    return network(batch.to(device_of(network)))[0].cpu()


def _file(folder: Path, split: str, scale: float) -> Path:
    return folder / (f'{split}_features.npy' if scale == 1 else f'{split}_features_{scale:g}.npy')


def _save(path: Path, arrays: list[np.ndarray]) -> None:
    """Writes the file under another name first: its presence says that it is whole."""
    part = path.with_name(f'{path.stem}.part.npy')
    np.save(part, np.stack(arrays))
    part.rename(path)
