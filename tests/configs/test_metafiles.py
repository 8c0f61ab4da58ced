"""The metafiles hold the papers' figures for programs, and the README of each paper shows them to people."""

import re

import pytest
from modelindex.load_model_index import load as load_model_index
from reading_configs import CONFIGS, PAPERS, ROOT, figures, metafile, names_in, results

every_paper = pytest.mark.parametrize('paper', PAPERS)
# a further paper has a test of its own for its rows
ROWS = {'ran': 38 + 1, 'scale_attention': 15, 'ranet': 28, 'ra_net': 72}


def test_the_index_loads_without_errors():
    index = load_model_index(str(ROOT.parent / 'model-index.yml'))
    assert index.check(silent=True) == []
    assert {model.name for model in index.models} == {name for paper in PAPERS for name in names_in(paper)}
    assert len(list(index.models)) >= 38 + 15 + 25 + 55
    assert all(model.full_model.metadata.data['Figures'].startswith('printed in the paper') for model in index.models)
    assert not any(model.weights for model in index.models)


def test_each_paper_has_a_real_address():
    papers = {c.name: c.paper for c in load_model_index(str(ROOT.parent / 'model-index.yml')).collections}
    assert all(re.fullmatch(r'https://\S+', paper['URL']) for paper in papers.values())
    known = {
        'RAN': dict(Title='Semantic Segmentation with Reverse Attention', URL='https://arxiv.org/abs/1707.06426'),
        'Scale attention': dict(
            Title='Attention to Refine through Multi-Scales for Semantic Segmentation',
            URL='https://arxiv.org/abs/1807.02917',
        ),
        'RANet': dict(
            Title='RANet: Region Attention Network for Semantic Segmentation',
            URL='https://proceedings.neurips.cc/paper/2020/hash/9fe8593a8a330607d76796b35c64c600-Abstract.html',
        ),
        'RA-Net': dict(
            Title='RA-Net: reverse attention for generalizing residual learning',
            URL='https://doi.org/10.1038/s41598-024-63623-6',
        ),
    }
    assert known.items() <= papers.items()


@every_paper
def test_a_metafile_lists_each_config_once(paper):
    models = metafile(paper)['Models']
    (collection,) = metafile(paper)['Collections']
    assert sorted(model['Name'] for model in models) == names_in(paper)
    for model in models:
        assert ROOT.parent / model['Config'] == CONFIGS[model['Name']]
        assert model['In Collection'] == collection['Name']


@every_paper
def test_a_row_has_the_metrics_of_its_table(paper):
    tables = {table['Table']: table for table in metafile(paper)['Tables']}
    rows = [row for name in names_in(paper) for row in results(name)]
    assert rows and len(rows) == ROWS.get(paper, len(rows))
    assert {row['Paper table'] for row in rows} == tables.keys()
    for row in rows:
        assert list(row['Metrics']) == tables[row['Paper table']]['Metrics']
        assert all(re.fullmatch(r'null|\d+(\.\d+)?', value) for value in row['Metrics'].values())
    places = [(row['Paper table'], row['Method'], row.get('Variant')) for row in rows]
    assert len(places) == len(set(places))


@every_paper
def test_only_our_own_data_set_and_the_authors_layout_have_no_row(paper):
    assert [name for name in names_in(paper) if not results(name)] == [
        name for name in names_in(paper) if name.endswith('_camvid') or '_authors_' in name
    ]


@every_paper
def test_the_readme_shows_each_row(paper):
    lines = (ROOT / paper / 'README.md').read_text().splitlines()
    shown = [line for line in lines if line.startswith('| [')]
    assert sorted(shown) == sorted(f'| [{name}]({name}.py) | {figures(name)} | not run |' for name in names_in(paper))
    assert {'## Run', '## Rows', '## Assumed', '## Notes'} <= {*lines}
