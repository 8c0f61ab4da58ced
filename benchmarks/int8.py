"""Post-training quantisation to int8 of a network with RAN's head, or with RA-Net's gates, part by part.

    PYTHONPATH=. python benchmarks/int8.py ran --data DATA --weights WEIGHTS
    PYTHONPATH=. python benchmarks/int8.py ra_net --data DATA --weights WEIGHTS

The networks are trained as by ``python -m evidence``, from the same folders: RAN-n on MobileNetV2 for CamVid, and gates
on a frozen MobileNetV2 for 50 classes of Tiny ImageNet. ``--keep FILE`` keeps the weights. onnxruntime quantises the
network statically, with ranges from training images. Every operator is quantised, those too that have no int8 kernel
(division, sigmoid, mean): their inputs and outputs are rounded to int8. Times are medians of interleaved runs.
"""

import argparse
import ast
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import Tensor, nn
from torch.nn import functional as F

from evidence.gates import GatedMobileNetV2, PretrainedGates
from evidence.paired import mean_iou
from evidence.ran import Trained
from evidence.segmentation import SmallSegmentor, confusions
from evidence.sources import Sources
from mmrev.export.formats import trace, write_onnx

Node = Any  # of an ONNX graph
CALIBRATION, BATCH = 64, 4
TRUTH = {'ran': 'mIoU', 'ra_net': 'top-1'}


class WholeImages(nn.Module):
    """The scores of a segmentor at the size of its images."""

    def __init__(self, model: SmallSegmentor) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return F.interpolate(self.model([images]), images.shape[2:], mode='bilinear', align_corners=False)


def inside(node: Node, name: str) -> bool:
    """Whether a node comes from a module with this class."""
    classes = {prop.key: prop.value for prop in node.metadata_props}.get('pkg.torch.onnx.class_hierarchy', '[]')
    return any(kind.rpartition('.')[2] == name for kind in ast.literal_eval(classes))


def in_head(node: Node) -> bool:
    return inside(node, 'ReverseAttentionHead')


def in_gate(node: Node) -> bool:
    return inside(node, 'ModifiedGRN')


# what stays in float, and the nodes of it
ROWS: dict[str, dict[str, Callable[[Node], bool]]] = {
    'ran': {
        'nothing': lambda node: False,
        'reciprocal of the attention': lambda node: in_head(node) and node.op_type in ('Relu', 'Add', 'Reciprocal'),
        'attention and subtraction': lambda node: in_head(node) and node.op_type != 'Conv',
        'the head': in_head,
        'all but the head': lambda node: not in_head(node),
    },
    'ra_net': {
        'nothing': lambda node: False,
        'division of the gates': lambda node: in_gate(node) and node.op_type in ('ReduceMean', 'Add', 'Div'),
        'the gates': in_gate,
        'all but the gates': lambda node: not in_gate(node),
    },
}


class Reader(CalibrationDataReader):
    def __init__(self, images: np.ndarray) -> None:
        self.batches = iter(batches(images))

    def get_next(self) -> dict[str, np.ndarray] | None:
        images = next(self.batches, None)
        return None if images is None else {'images': images}


def batches(images: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images), BATCH):
        yield np.ascontiguousarray(images[start : start + BATCH], np.float32)


def trained(args: argparse.Namespace) -> tuple[nn.Module, tuple[np.ndarray, ...]]:
    """Returns a network, images for its ranges, and test images with their truth."""
    work = Path(tempfile.mkdtemp())
    sources = Sources(args.data, args.weights, work, work, limit=args.limit)
    if args.network == 'ran':
        study: Any = Trained(sources, args.steps)
        model, name = study.start('RAN-n', 0), 'RAN-n'
        calibration, (test, truth) = study.train_split.inputs[0], (study.test_split.inputs[0], study.test_split.masks)
    else:
        study, name = PretrainedGates(sources, args.steps), 'RA'
        model = GatedMobileNetV2(study.weights, int(study.splits['train'][1].max()) + 1)
        calibration, (test, truth) = study.splits['train'][0], study.splits['test']
    if args.keep and args.keep.exists():
        model.load_state_dict(torch.load(args.keep, weights_only=True))
    else:
        model = study.train(name, 0, args.rate)
        if args.keep:
            torch.save(model.state_dict(), args.keep)
    chosen = np.random.default_rng(0).permutation(len(calibration))[:CALIBRATION]
    shown = np.random.default_rng(1).permutation(len(test))[: args.images]
    network = WholeImages(model) if args.network == 'ran' else model
    return network.eval(), (calibration[chosen], test[shown], truth[shown])


def quantised(path: Path, images: np.ndarray, floating: Callable[[Node], bool]) -> Path:
    """Quantises a file, but for the nodes that stay in float, and the normalisation of the images."""
    nodes = onnx.load(path).graph.node
    first = next(number for number, node in enumerate(nodes) if node.op_type == 'Conv')
    excluded = [node.name for number, node in enumerate(nodes) if number < first or floating(node)]
    result = path.with_name(f'int8_{len(excluded)}.onnx')
    quantize_static(
        path,
        result,
        Reader(images),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=sorted({node.op_type for node in nodes} - {'Constant', 'Resize', 'Shape', 'Cast'}),
        nodes_to_exclude=excluded,
    )
    return result


def labels_of(session: onnxruntime.InferenceSession, images: np.ndarray) -> np.ndarray:
    return np.concatenate([session.run(None, {'images': batch})[0].argmax(1) for batch in batches(images)])


def medians(sessions: Sequence[onnxruntime.InferenceSession], batch: np.ndarray, rounds: int) -> list[float]:
    """Runs all in turn, and returns the median of each in milliseconds."""
    times: list[list[float]] = [[] for _ in sessions]
    for _ in range(rounds):
        for own, session in zip(times, sessions, strict=True):
            start = time.perf_counter()
            session.run(None, {'images': batch})
            own.append(1000 * (time.perf_counter() - start))
    return [statistics.median(own) for own in times]


def score(network: str, labels: np.ndarray, truth: np.ndarray) -> float:
    if network == 'ran':
        return mean_iou(confusions(labels, truth).sum(0))
    return 100 * float((labels == truth).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('network', choices=ROWS)
    parser.add_argument('--data', type=Path, required=True, help='holds camvid/ and tiny_imagenet50/')
    parser.add_argument('--weights', type=Path, required=True, help='holds mobilenet_v2_in1k.pth')
    parser.add_argument('--steps', type=int, default=300, help='steps of the training')
    parser.add_argument('--rate', type=float, default=2e-3)
    parser.add_argument('--keep', type=Path, help='the trained weights; they are read if the file exists')
    parser.add_argument('--images', type=int, default=100, help='test images')
    parser.add_argument('--limit', type=int, help='images of each split (or class) at most')
    parser.add_argument('--rounds', type=int, default=15)
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    logging.disable(logging.WARNING)
    network, (calibration, test, truth) = trained(args)
    path = Path(tempfile.mkdtemp()) / 'float.onnx'
    example = torch.from_numpy(next(batches(test[:2])))
    path.write_bytes(write_onnx(trace(network, example, free=False), {}, ['scores']))
    files = [path, *(quantised(path, calibration, floating) for floating in ROWS[args.network].values())]
    sessions = [onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider']) for file in files]
    times = medians(sessions, next(batches(test)), args.rounds)
    print(f'onnxruntime {onnxruntime.__version__}, {len(test)} test images, batches of {BATCH}\n')
    measure = TRUTH[args.network]
    print(f'| stays in float | MB | labels as in float (%) | {measure} (%) | ms | to float |\n|---{"|---" * 5}|')
    expected = labels_of(sessions[0], test)
    for name, file, session, spent in zip(['everything', *ROWS[args.network]], files, sessions, times, strict=True):
        labels = labels_of(session, test)
        cells = [f'{file.stat().st_size / 1e6:.1f}', f'{100 * (labels == expected).mean():.2f}']
        cells += [f'{score(args.network, labels, truth):.1f}', f'{spent:.0f}', f'{spent / times[0]:.2f}']
        print(f'| {name} | {" | ".join(cells)} |', flush=True)


if __name__ == '__main__':
    main()
