"""Each benchmark runs, at a toy size, and tells what it promises. Times are not looked at."""
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
    """The benchmark's table."""
    done = subprocess.run([sys.executable, FOLDER / name, *TOY, *options], env=tiny_runs.ENVIRONMENT, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    header, *lines = [[cell.strip() for cell in line.strip('|').split('|')]
                      for line in done.stdout.splitlines() if line[:1] == '|']
    return [dict(zip(header, line, strict=True)) for line in lines]


def test_ra_net_has_all_networks():
    table = rows('ra_net.py', '--modes', 'eager', '--depth', '18')
    assert [row['network'] for row in table] == ['plain', 'RA', 'SE', 'CBAM']
    assert all(float(row[column]) > 0 for row in table for column in ('training step (ms)', 'inference (ms)'))


@pytest.mark.parametrize(('backbone', 'parameters'), [
    ('vgg', '20.51'), pytest.param('r34', '21.51', marks=pytest.mark.slow)])
def test_scale_attention_has_all_fusions_and_parts(backbone, parameters):
    table = {(row['phase'], row['run']): row for row in rows('scale_attention.py', '--backbone', backbone)}
    fusions = ['plain', 'max', 'avg', 'Attention-to-Scale', 'ours']
    parts = ['small image', 'Attention-to-Scale, head alone', 'ours, head alone']
    assert [*table] == [('training', run) for run in [*fusions, *parts, 'a loss']] + [
        ('inference', run) for run in fusions + parts]
    assert all(float(row['ms']) > 0 for row in table.values())
    assert [table['inference', run]['pixels'] for run in fusions] == ['1.000'] + ['1.265'] * 4  # 1 + (17 / 33)^2
    assert table['inference', 'max']['parameters (M)'] == parameters
    assert float(table['inference', 'max']['peak to plain']) < 1.05  # the scales run one after the other


def test_peak_memory_is_what_is_held_at_once():
    def run() -> None:
        two = torch.zeros(2, 2 ** 18)  # MiB of float32
        two_more = two + 1
        del two, two_more
        torch.zeros(3, 2 ** 18)

    assert runpy.run_path(str(FOLDER / 'common.py'))['peak_memory'](run, 'cpu') == pytest.approx(4, abs=0.01)
