"""Trains light coarse maps of RANet on CamVid, and keeps them for ``ranet_readings.py``.

    python benchmarks/ranet_maps.py --data data/camvid --out work_dirs/ranet_maps

A ResNet-50 (Caffe's style, output stride 8) is frozen. Its last map is kept on disk, for images of 320 x 240, with 256
random directions of its 2,048 channels. Then RANet's boundary and semantic score maps (64 channels) are trained alone,
for 400 steps of 4 images with Adam. Every fourth test image is kept. The first part takes some minutes on a CPU, the
second one two.

The results are a file before the first step (``untrained.npz``), one after a tenth of the steps (``early.npz``), and
one after all steps (``trained.npz``). Each has ``semantic`` [images, N, h, w] and ``boundary`` [images, 1, h, w], the
scores before softmax and sigmoid. Its ``masks`` are the true classes [images, H, W]. Its ``images`` are RGB
[images, H, W, 3].

Shapes: B batch, C channels, N classes, h x w the feature map, H x W the image.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmseg.models.backbones import ResNet
from torch import Tensor
from torch.nn import functional as F

from mmrev.datasets.transforms import boundary_labels
from mmrev.engine.checkpoints import load_matching, read_checkpoint
from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead

SIZE = (320, 240)  # W, H
CHANNELS, WIDTH, CLASSES, IGNORED = 256, 64, 11, 255
WEIGHTS = 'open-mmlab://detectron2/resnet50_caffe'
BGR_MEAN = (103.939, 116.779, 123.68)
BATCH, RATE = 4, 2e-3
STRIDES = dict(train=1, test=4)  # every fourth test image


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    torch.manual_seed(0)
    args.out.mkdir(parents=True, exist_ok=True)
    train, test = (kept(split, args) for split in STRIDES)
    head = RegionAttentionHead(CHANNELS, WIDTH, num_classes=CLASSES, in_index=0, norm_cfg=dict(type='BN'))
    save(head, test, args.out / 'untrained.npz')
    optimizer = torch.optim.Adam(head.parameters(), lr=RATE)
    for step in range(args.steps):
        optimizer.param_groups[0]['lr'] = RATE * (1 - step / args.steps) ** 0.9
        optimizer.zero_grad()
        loss(head, train).backward()
        optimizer.step()
        if step + 1 == args.steps // 10:
            save(head, test, args.out / 'early.npz')
    save(head, test, args.out / 'trained.npz')


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True, help='CamVid as {images,annotations}/{train,test}')
    parser.add_argument('--weights', default=WEIGHTS, help="a ResNet-50 in Caffe's style, default: %(default)s")
    parser.add_argument('--out', type=Path, required=True, help='a folder for the features and the maps')
    parser.add_argument('--steps', type=int, default=400)
    parser.add_argument('--limit', type=int, help='at most so many images of each split')
    return parser.parse_args(argv)


def kept(split: str, args: argparse.Namespace) -> dict[str, np.ndarray]:
    """The features [images, C, h, w], masks and images of a split. They are computed once."""
    file = args.out / f'{split}_features.npz'
    if not file.exists():
        paths = sorted((args.data / 'images' / split).glob('*'))[:: STRIDES[split]][: args.limit]
        if not paths:
            raise SystemExit(f'{args.data / "images" / split} has no images: expected CamVid')
        network, made = backbone(args.weights), []
        for path in paths:
            image = cv2.resize(cv2.imread(str(path)), SIZE, interpolation=cv2.INTER_AREA)
            mask = cv2.imread(str(args.data / 'annotations' / split / f'{path.stem}.png'), cv2.IMREAD_UNCHANGED)
            mask = cv2.resize(mask, SIZE, interpolation=cv2.INTER_NEAREST)
            made.append((features(network, image), np.where(mask < CLASSES, mask, IGNORED), image[..., ::-1]))
        columns = (np.stack(column) for column in zip(*made, strict=True))
        part = file.with_suffix('.part.npz')
        np.savez(part, **dict(zip(('features', 'masks', 'images'), columns, strict=True)))
        part.rename(file)
    return dict(np.load(file))


def backbone(weights: str) -> ResNet:
    network = ResNet(depth=50, style='caffe', strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), out_indices=(3,))
    match = load_matching(network, read_checkpoint(weights))
    if match.missing or match.reshaped:
        raise SystemExit(f"{weights}: {match}: expected a ResNet-50 in Caffe's style")
    network.eval()
    return network


@torch.no_grad()
def features(network: ResNet, image: np.ndarray) -> np.ndarray:
    pixels = torch.from_numpy((image - np.float32(BGR_MEAN)).transpose(2, 0, 1)[None]).float()
    found = network(pixels)[0]
    random = torch.Generator().manual_seed(0)
    directions = torch.randn(CHANNELS, found.shape[1], 1, 1, generator=random) / found.shape[1] ** 0.5
    return F.conv2d(found, directions)[0].half().numpy()


def loss(head: RegionAttentionHead, train: dict[str, np.ndarray]) -> Tensor:
    """The cross entropies of a random batch."""
    chosen = torch.randint(len(train['masks']), (BATCH,)).numpy()
    masks = train['masks'][chosen]
    edges = torch.from_numpy(np.stack([boundary_labels(mask) for mask in masks]))
    _, boundary, semantic = head._maps([torch.from_numpy(train['features'][chosen]).float()])
    boundary, semantic = (F.interpolate(part, masks.shape[1:], mode='bilinear') for part in (boundary, semantic))
    known = edges != IGNORED
    return F.cross_entropy(semantic, torch.from_numpy(masks).long(), ignore_index=IGNORED) + (
        F.binary_cross_entropy_with_logits(boundary[:, 0][known], edges[known].float())
    )


@torch.no_grad()
def save(head: RegionAttentionHead, test: dict[str, np.ndarray], file: Path) -> None:
    head.eval()
    maps = [head._maps([torch.from_numpy(part[None]).float()])[1:] for part in test['features']]
    head.train()
    boundary, semantic = (torch.cat(parts) for parts in zip(*maps, strict=True))
    np.savez(file, boundary=boundary, semantic=semantic, masks=test['masks'], images=test['images'])
    found = F.interpolate(semantic, test['masks'].shape[1:], mode='bilinear').argmax(1).numpy()
    right = (found == test['masks'])[test['masks'] != IGNORED].mean()
    print(f'{file}: {100 * right:.1f} % of the pixels of {len(found)} images are right')


if __name__ == '__main__':
    main()
