"""The site has all pages, all public names and all printed figures. `make site` builds it; the tests need no MkDocs."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from api_pages import api_pages, public_names
from model_zoo import model_zoo
from reading_configs import CONFIGS, PAPERS, metafile

import mmrev
from mmrev.catalog import CATALOG

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / 'mkdocs.yml').read_text())


def paths(nav):
    if isinstance(nav, str):
        return [nav]
    return [path for entry in (nav.values() if isinstance(nav, dict) else nav) for path in paths(entry)]


def names_of(module):
    path = ROOT / module.replace('.', '/')
    tree = ast.parse((path / '__init__.py' if path.is_dir() else path.with_suffix('.py')).read_text())
    assigned = [
        node.targets[0] if isinstance(node, ast.Assign) else getattr(node, 'target', None) for node in tree.body
    ]
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {getattr(node, 'name', None) for node in tree.body} | {ast.unparse(t) for t in assigned if t} | {*imported}


def test_each_page_is_in_the_navigation_once():
    pages = {f'docs/{path.relative_to(ROOT / "docs").as_posix()}' for path in (ROOT / 'docs').rglob('*.md')}
    rows = {f'configs/{paper}/README.md' for paper in PAPERS}
    listed = paths(CONFIG['nav'])
    assert len(pages) >= 11 and len(rows) == 4
    assert set(listed) == pages | rows | {'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'model_zoo.md'}
    assert len(listed) == len(set(listed))


def test_the_first_pages_say_which_reverse_attention_is_meant():
    assert paths(CONFIG['nav'])[:2] == ['README.md', 'docs/glossary.md']
    assert '(docs/glossary.md)' in (ROOT / 'README.md').read_text().split('\n## ')[0]


@pytest.mark.parametrize('package', CATALOG)
def test_each_name_of_the_catalog_has_its_place(package):
    page = api_pages()[f'api/{package}.md']
    for name, entry in CATALOG[package].items():
        module = f'{package}.{entry.module}'
        assert f'\n::: {module}.{name}\n' in page and f'[{name}](#{module}.{name})' in page
        assert name in names_of(module)


def test_each_name_of_the_other_packages_has_its_place():
    names, pages = public_names(), api_pages()
    listed = {package: set(found) for package, found in names.items()}
    assert listed['mmrev'] == set(mmrev.__all__) and 'region_construction' in listed['mmrev.models.layers']
    assert len(names) >= 12 and all(listed.values())
    for package, found in names.items():
        for name, module in found.items():
            place = f'\n## {name}\n' if module in names and module != package else f'\n::: {module}.{name}\n'
            assert place in pages[f'api/{package}.md']
            assert name in names_of(module)


@pytest.mark.parametrize('paper', PAPERS)
def test_the_model_zoo_has_each_config_and_each_printed_figure(paper):
    page = model_zoo()
    rows = [line.strip('| ').split(' | ') for line in page.splitlines() if f'](configs/{paper}/' in line]
    assert len(rows) > 10
    for model in metafile(paper)['Models']:
        link = f'[{model["Name"]}]({model["Config"]})'
        assert model['Config'] == CONFIGS[model['Name']].relative_to(ROOT).as_posix()
        assert link in page
        for row in model.get('Results', []):
            figures = ['–' if figure == 'null' else figure for figure in row['Metrics'].values()]
            assert any(
                cells[0].startswith(row['Method']) and set(figures) <= set(cells[1:-1])
                for cells in rows
                if link in cells[-1]
            )


def test_the_site_is_built_strictly_and_loads_nothing_from_outside():
    assert CONFIG['strict'] is True and CONFIG['theme']['font'] is False
    assert not {'extra_css', 'extra_javascript', 'repo_url'} & CONFIG.keys()
    assert '\nmake site\n' in (ROOT / '.ci/run').read_text()
    target = re.search(r'^site: .*\n\t(.*)', (ROOT / 'Makefile').read_text(), re.MULTILINE)[1]
    assert '--strict' in target and '--quiet' not in target  # quiet, MkDocs counts no warnings


def test_what_builds_the_site_is_pinned():
    lines = (ROOT / 'requirements/site.txt').read_text().splitlines()
    pins = [line for line in lines if not line.startswith('#')]
    assert len(pins) >= 5 and all(re.fullmatch(r'[\w-]+==[\d.]+', pin) for pin in pins)
