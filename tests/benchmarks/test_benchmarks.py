"""Each benchmark runs at a toy size and prints its tables. The tests ignore the times."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_runs
import torch

FOLDER = Path(__file__).parents[2] / 'benchmarks'
TOY = ('--device', 'cpu', '--size', '33', '--rounds', '1', '--batch', '1')


def rows(name: str, *options: str) -> list[dict[str, str]]:
    """Runs a benchmark and returns the rows of its tables."""
    done = subprocess.run(
        [sys.executable, FOLDER / name, *TOY, *options], env=tiny_runs.ENVIRONMENT, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    found = []
    for table in re.findall(r'(?:^[+|].*\n)+', done.stdout, re.MULTILINE):
        header, *lines = [
            [cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines() if line[0] == '|'
        ]
        found += [dict(zip(header, line, strict=True)) for line in lines]
    return found


def test_ra_net_has_all_networks():
    table = rows('ra_net.py', '--modes', 'eager', '--depth', '18')
    assert [row['network'] for row in table] == ['plain', 'RA', 'SE', 'CBAM']
    assert all(float(row[column]) > 0 for row in table for column in ('training step (ms)', 'inference (ms)'))


@pytest.mark.parametrize(
    ('backbone', 'parameters'), [('vgg', '20.51'), pytest.param('r34', '21.51', marks=pytest.mark.slow)]
)
def test_scale_attention_has_all_fusions_and_parts(backbone, parameters):
    table = {(row['phase'], row['run']): row for row in rows('scale_attention.py', '--backbone', backbone)}
    fusions = ['plain', 'max', 'avg', 'Attention-to-Scale', 'ours']
    parts = ['small image', 'Attention-to-Scale, head alone', 'ours, head alone']
    assert [*table] == [('training', run) for run in [*fusions, *parts, 'a loss']] + [
        ('inference', run) for run in fusions + parts
    ]
    assert all(float(row['ms']) > 0 for row in table.values())
    assert [table['inference', run]['pixels'] for run in fusions] == ['1.000'] + ['1.265'] * 4  # 1 + (17 / 33)^2
    assert table['inference', 'max']['parameters (M)'] == parameters
    assert float(table['inference', 'max']['peak to plain']) < 1.05  # the scales run one after the other


def test_ranet_has_all_heads_and_the_growth_of_its_regions():
    table = rows('ranet.py', '--size', '9', '--sizes', '9', '17', '--classes', '5')
    heads = {row['head']: row for row in table if 'head' in row}
    assert heads.keys() == {'RANet, trained', 'RANet, every pixel', 'RANet, dense', 'ANN', 'CCNet', 'DANet', 'PSANet'}
    assert {row['parameters (M)'] for name, row in heads.items() if name.startswith('RANet')} == {'18.9'}
    assert all(
        float(row[column]) > 0
        for name, row in heads.items()
        if not row['GMAC'].startswith('left out')
        for column in ('GMAC', 'training peak (MiB)', 'training step (ms)', 'inference (ms)')
    )
    assert float(heads['RANet, trained']['training peak (MiB)']) > 72  # the gradients of the parameters
    growth = {(row['size'], row['case']): row for row in table if 'case' in row}
    assert [growth['9', case]['regions'] for case in ('every pixel', 'one region')] == ['81', '1']
    assert [growth['17', case]['regions'] for case in ('every pixel', 'one region')] == ['289', '1']
    assert 1 < int(growth['17', 'trained']['regions']) < 289
    assert growth['17', 'untrained']['regions'] == '1'


def test_the_dense_ranet_is_the_same(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    benchmark = runpy.run_path(str(FOLDER / 'ranet.py'))
    torch.manual_seed(0)
    given, settings = benchmark['trained'](9, 5), dict(in_channels=8, channels=8, num_classes=5, align_corners=False)
    heads = [benchmark[name](given, **settings).eval() for name in ('GivenRegionsHead', 'DenseRegionsHead')]
    heads[1].load_state_dict(heads[0].state_dict())
    features = torch.randn(1, 8, 9, 9)
    torch.testing.assert_close(*[head([features]) for head in heads])


def test_peak_memory_is_what_is_held_at_once():
    def run() -> None:
        two = torch.zeros(2, 2**18)  # MiB of float32
        two_more = two + 1
        del two, two_more
        torch.zeros(3, 2**18)

    assert runpy.run_path(str(FOLDER / 'common.py'))['peak_memory'](run, 'cpu') == pytest.approx(4, abs=0.01)
