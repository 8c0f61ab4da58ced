import pytest
from reading_configs import CONFIGS, PAPERS, metafile, plain

from mmrev.config_files import config_root
from mmrev.errors import ConfigError
from mmrev.reproduction.papers import read_papers


@pytest.fixture(scope='module')
def papers():
    return read_papers(config_root())


def test_all_configs_and_all_rows_of_the_metafiles_are_there(papers):
    assert papers.configs == {name: CONFIGS[name] for name in papers.configs}
    listed = [
        (row['Paper table'], model['Name'], row['Metrics'])
        for paper in PAPERS
        for model in metafile(paper)['Models']
        for row in model.get('Results', ())
    ]
    assert len(listed) >= 154
    for table, config, metrics in listed:
        rows = [row for row in papers.tables[table].rows if row.config == config]
        assert {name: None if text == 'null' else text for name, text in metrics.items()} in [r.printed for r in rows]
    assert sum(len(table.rows) for name, table in papers.tables.items() if not name.endswith('/other')) == len(listed)


def test_a_figure_keeps_the_digits_of_the_paper(papers):
    (row,) = [row for row in papers.tables['ran/2'].rows if row.config == 'ran_s_r101_crf_pcontext']
    assert (row.method, row.printed) == ('RAN-s, crf', {'mIoU': '48.0'})


@pytest.mark.parametrize(
    ('targets', 'tables', 'rows'),
    [
        (['ran/2'], ['ran/2'], 20),
        (['ran/2', 'ran/2', 'ran/3'], ['ran/2', 'ran/3'], 23),
        (['scale_attention'], [f'scale_attention/{name}' for name in (1, 2, 3, 'other')], 17),
        (['ran_n_r101_crf_pcontext'], ['ran/1', 'ran/2'], 2),
        (['configs/ran/ran_n_r101_crf_pcontext.py'], ['ran/1', 'ran/2'], 2),
        (['ran/ran_n_r18_camvid'], ['ran/other'], 1),
    ],
)  # fmt: skip
def test_targets_are_tables_papers_and_rows(papers, targets, tables, rows):
    found = papers.select(targets)
    assert [table.name for table in found] == tables
    assert sum(len(table.rows) for table in found) == rows


def test_all_is_everything(papers):
    assert papers.select(['all']) == list(papers.tables.values())


@pytest.mark.parametrize(
    ('target', 'hint'), [('ran/12', 'ran/2'), ('rann', 'ran'), ('ran_n_camvid', 'ran_n_r18_camvid')]
)
def test_an_unknown_target_is_one_line_with_a_hint(papers, target, hint):
    with pytest.raises(ConfigError, match=rf"unknown table, paper or row '{target}'.*Did you mean {hint}"):
        papers.select([target])


def test_a_folder_without_metafiles_is_named(tmp_path):
    with pytest.raises(ConfigError, match=f'no metafile.yml below {tmp_path}'):
        read_papers(tmp_path)


def test_configs_that_share_weights_differ_in_testing_alone(papers):
    assert papers.weights_from
    for name, source in papers.weights_from.items():
        first, second = plain(name), plain(source)
        assert first['model'].pop('test_cfg') != second['model'].pop('test_cfg')
        for key in ('model', 'train_dataloader', 'optim_wrapper', 'param_scheduler'):
            assert first[key] == second[key]
        assert first['train_cfg']['max_iters'] == second['train_cfg']['max_iters']
