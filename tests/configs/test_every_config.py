"""What holds for each config of each paper."""

import pytest
from reading_configs import CONFIGS, ROOT, datasets, docstring, read

TESTED_BY_PAPER = {'ran': 38, 'ra_net': 55, 'scale_attention': 15, 'ranet': 25, 'demo': 2}
every_config = pytest.mark.parametrize('name', CONFIGS)


def test_every_folder_is_known_and_no_name_occurs_twice():
    assert {path.parent.name for path in CONFIGS.values()} == TESTED_BY_PAPER.keys()
    for folder, count in TESTED_BY_PAPER.items():
        assert len(list((ROOT / folder).glob('*.py'))) == count
    assert len(CONFIGS) == sum(TESTED_BY_PAPER.values())


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
def test_the_docstring_opens_with_the_command(name):
    path = CONFIGS[name].relative_to(ROOT.parent)
    title, command, *rest = docstring(name)
    assert title.endswith('.') and '\n' not in title
    if path.parent.name == 'demo':
        assert command.strip() == 'make demo' and rest[0].startswith('Not in the paper.')
        return
    of = name.replace('_crf_', '_')
    expected = (
        f'python tools/train.py {path}'
        if of == name
        else (f'python tools/test.py {path} work_dirs/{of}/iter_{read(of).train_cfg.max_iters}.pth')
    )
    assert command.strip() == expected and rest[0].startswith('Paper: ')


@every_config
def test_weights_are_checked_and_a_stop_is_graceful(name):
    hooks = {hook.type for hook in read(name).get('custom_hooks', [])}
    assert {'mmrev.CheckWeightsHook', 'mmrev.GracefulStopHook'} <= hooks
