"""Wrong arguments of every public class: each is taken, or refused in one line that names it."""

import inspect
from math import inf, nan
from typing import Annotated, Any, Literal, get_type_hints

import pytest

import mmrev.datasets
import mmrev.engine
import mmrev.models
from mmrev.arguments import Bounds, Count, Counts, Index, Positive, Share, checked, describe
from mmrev.catalog import CATALOG
from mmrev.errors import ConfigError
from mmrev.models import layers

HEAD = dict(in_channels=8, num_classes=5)
SMALL_RESNET = dict(depth=18, base_channels=16)
# arguments that build a small object of each class
GOOD = {
    'ASPPV2Head': HEAD,
    'LargeFOVHead': HEAD,
    'ReverseAttentionHead': HEAD,
    'RegionAttentionHead': HEAD | dict(channels=16),
    'ScaleAttentionHead': dict(in_channels=[4, 8], num_classes=5, channels=6, scale_channels=3),
    'ConcatASPP': dict(in_channels=[4, 8], inner_channels=3, channels=5),
    'PoolDropout': {},
    'DilatedResNet': dict(depth=18, base_channels=4),
    'LargeFOVVGG': dict(depth=11, fc_channels=8),
    'RAResNet': SMALL_RESNET,
    'SEResNet': SMALL_RESNET,
    'CBAMResNet': SMALL_RESNET,
    'RAMobileNetV2': dict(widen_factor=0.25),
    'SEMobileNetV2': dict(widen_factor=0.25),
    'CBAMMobileNetV2': dict(widen_factor=0.25),
    'MultiScaleEncoderDecoder': dict(
        backbone=dict(type='ResNet', depth=18, base_channels=4),
        decode_head=dict(type='mmrev.LargeFOVHead', in_channels=32, in_index=3, num_classes=5),
    ),
    'BoundaryLabels': {},
    'CheckLabels': dict(num_classes=5),
    'CheckWeightsHook': {},
    'ProgressBarHook': {},
    'RegionPicturesHook': dict(interval=5),
    'TemperatureAnnealingHook': {},
    'ModifiedGRN': dict(channels=4),
    'CBAM': dict(channels=32),
    'SqueezeExcitation': dict(channels=32),
    'ReverseAttention': HEAD,
    'RegionAttention': HEAD | dict(channels=4),
    'ScaleAttention': dict(in_channels=[4, 8], num_classes=5, channels=6, scale_channels=3),
    'HypercolumnConv': dict(in_channels=[4, 8], out_channels=3),
    'ReverseAttentionWrapper': dict(head=dict(type='mmseg.FCNHead', in_channels=8, channels=4, num_classes=5)),
}
WRONG = (None, 'x', -1, 0, 1.5, True, nan, [], [-1], ['x'], [[2]], {}, {'a': 1}, object(), b'1')
# the hosts' data sets take a file's path in most arguments, and are not fuzzed
CLASSES = sorted(GOOD)


def public(name):
    packages = (mmrev.models, mmrev.datasets, mmrev.engine, layers)
    return next(getattr(package, name) for package in packages if name in package.__all__)


def arguments(cls):
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return [parameter.name for parameter in parameters if parameter.kind in kinds]


CASES = [(name, argument) for name in CLASSES for argument in arguments(public(name))]


def test_every_public_class_with_arguments_is_here():
    named = {name for package in CATALOG for name, entry in CATALOG[package].items() if entry.registry}
    classes = {name for name in named if name[0].isupper() and not name.endswith('Dataset')}
    assert len(classes) >= 25
    for name in classes - set(GOOD):
        hints = get_type_hints(public(name).__init__)
        assert all(hints[argument] is Any for argument in arguments(public(name))), name


@pytest.mark.parametrize(('name', 'argument'), CASES)
def test_a_wrong_value_is_one_line(name, argument):
    refused = 0
    for value in WRONG:
        try:
            public(name)(**GOOD[name] | {argument: value})
        except ConfigError as error:
            assert argument in str(error) and '\n' not in str(error), error
            refused += 1
    assert refused >= 5  # no argument takes most of these values


def test_enough_was_tried():
    assert len(CASES) * len(WRONG) >= 300


class Example:
    def __init__(
        self,
        channels: Count | Counts = 1,
        share: Share = 0.5,
        *,
        mode: Literal['max', 'avg'] | None = None,
        stage: Annotated[int, Bounds(0, 4)] = 0,
        factor: Positive = 1,
        index: Index = 0,
        anything: 'object' = None,
    ) -> None:
        self.given = (channels, share, mode, stage, factor, index, anything)


@pytest.mark.parametrize(
    ('argument', 'value'),
    [('channels', [2, 3]), ('share', 1), ('mode', 'avg'), ('mode', None), ('anything', object()), ('stage', 4)],
)
def test_good_values_arrive(argument, value):
    assert value in checked(Example)(**{argument: value}).given


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (
            dict(channels=0),
            r'Example\(channels=0\): expected an integer of at least 1, or a list of integers of at least 1',
        ),
        (dict(channels=[]), r'\(channels=\[\]\)'),
        (dict(channels=[2, 0]), r'\(channels=\[2, 0\]\)'),
        (dict(channels=True), r'\(channels=True\)'),
        (dict(share=1.01), r'\(share=1.01\): expected a number of at least 0 and at most 1'),
        (dict(share=nan), r'\(share=nan\)'),
        (dict(mode='sum'), r"\(mode='sum'\): expected 'max' or 'avg', or None"),
        (dict(stage=5), r'\(stage=5\)'),
        (dict(factor=0), r'\(factor=0\): expected a number above 0'),
        (dict(factor=inf), r'\(factor=inf\): expected a number above 0'),
        (dict(index=-1), r'\(index=-1\)'),
        (dict(mode='x' * 100), r"\(mode='x{56}\.\.\.\)"),
    ],
)
def test_the_message(wrong, message):
    with pytest.raises(ConfigError, match=message):
        checked(Example)(**wrong)


def test_a_call_that_does_not_bind_stays_a_type_error():
    with pytest.raises(TypeError, match='unknown'):
        checked(Example)(unknown=1)


def test_a_subclass_has_its_own_name_in_the_message():
    class Mine(checked(Example)):
        pass

    assert checked(Mine).__init__ is Mine.__mro__[1].__init__  # it is not checked twice
    with pytest.raises(ConfigError, match=r'^Mine\(share=2\)'):
        checked(Mine)(share=2)


def test_bounds_in_words():
    assert describe(Annotated[int, Bounds(high=3)]) == 'an integer of at most 3'
