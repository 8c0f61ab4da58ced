"""Each config of each paper: its data, its header, its hooks."""

import collections

import pytest
from reading_configs import CONFIGS, PAPERS, ROOT, datasets, docstring, figures, names_in, read

from mmrev.cli.configs import HOOKS

COUNTS = {'ran': 38, 'ra_net': 55, 'scale_attention': 15, 'ranet': 26, 'combined': 15, 'demo': 3}
every_config = pytest.mark.parametrize('name', CONFIGS)
every_row = pytest.mark.parametrize('name', [name for paper in PAPERS for name in names_in(paper)])


def header(name):
    """The title, the command and the last paragraph of a header, each on one line."""
    return [' '.join(paragraph.split()) for paragraph in docstring(name)]


def test_no_config_is_missing_and_no_name_occurs_twice():
    folders = [path.parent.name for path in ROOT.rglob('*.py') if '_base_' not in path.parts]
    assert COUNTS.items() <= collections.Counter(folders).items()
    assert len(CONFIGS) == len(folders)


@every_config
def test_training_and_validation_do_not_share_data(name):
    def sources(split):
        if read(name).get(f'{split}_dataloader') is None:
            return set()
        return {
            (d.data_root, d.get('ann_file'), str(d.get('data_prefix')), d.get('split')) for d in datasets(name, split)
        }

    assert sources('train').isdisjoint(sources('val') | sources('test'))


@every_config
def test_a_header_has_a_title_and_the_command(name):
    path = CONFIGS[name].relative_to(ROOT.parent)
    title, command, rest = header(name)
    assert title.endswith('.') and '\n' not in docstring(name)[0]
    if path.parent.name == 'demo':
        assert command == 'make demo' and rest.startswith('Not in the paper.')
        return
    trained_by = name.replace('_crf_', '_')
    if trained_by == name:
        assert command == f'python tools/train.py {path}'
    else:
        checkpoint = f'work_dirs/{trained_by}/iter_{read(trained_by).train_cfg.max_iters}.pth'
        assert command == f'python tools/test.py {path} {checkpoint}'


@every_row
def test_a_header_has_the_figures_of_the_metafile(name):
    assert f'{header(name)[2]} '.startswith(f'Paper: {figures(name)}. ')


def test_headers_do_not_repeat_what_the_readme_says():
    remarks = collections.Counter()
    for name in CONFIGS:
        _, *sentences = header(name)[2].rstrip('.').split('. ')
        remarks.update(sentences)
    repeated = {sentence: count for sentence, count in remarks.items() if count > 4}
    assert not repeated


@every_config
def test_every_config_has_the_hooks_that_guard_a_training(name):
    hooks = {hook.type for hook in read(name).get('custom_hooks', [])}
    assert {f'mmrev.{hook}' for hook in HOOKS} <= hooks
