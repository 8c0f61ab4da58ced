"""``mmrev convert``: turns a PyTorch port of DeepLabv2 into a checkpoint with our names."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from mmrev.engine.checkpoints import read_checkpoint, state_dict_of
from mmrev.engine.deeplabv2_ports import convert_deeplabv2, is_deeplabv2_port
from mmrev.errors import CheckpointError

from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev convert',
        description='Convert a PyTorch port of DeepLabv2 ResNet-101 into a checkpoint for load_from.',
    )
    parser.add_argument('source', type=Path, help='the file of the port')
    parser.add_argument('target', type=Path, help='the file to write')
    return run(convert, parser, argv)


def convert(args: argparse.Namespace) -> None:
    state = state_dict_of(read_checkpoint(args.source))
    if not is_deeplabv2_port(state):
        raise CheckpointError(
            f'{args.source} is no port of DeepLabv2 that is known: expected names such as '
            f'Scale.conv1.weight or layer5.conv2d_list.0.weight, found {next(iter(state), "none")}'
        )
    converted = convert_deeplabv2(state)
    args.target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = args.target.with_suffix('.part')
    torch.save(dict(state_dict=converted, meta=dict()), unfinished)
    os.replace(unfinished, args.target)
    print(f'{len(converted)} of {len(state)} keys converted; train with --cfg-options load_from={args.target}')
