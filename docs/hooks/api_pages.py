"""The pages of the API: one for each package that has ``__all__``. The names come from there and from the catalog."""

import ast
from importlib.util import resolve_name
from pathlib import Path

from mmrev import _LATER
from mmrev.catalog import CATALOG

ROOT = Path(__file__).parents[2]
ONLY_ITS_TEXT = '    options: {members: false, show_root_heading: false, show_root_toc_entry: false}'


def api_pages() -> dict[str, str]:
    """The text of each page by its path on the site."""
    return {f'api/{package}.md': _page(package, names) for package, names in public_names().items()}


def public_names() -> dict[str, dict[str, str]]:
    """The module that defines each public name, by package and name."""
    found = {}
    for path in sorted((ROOT / 'mmrev').rglob('__init__.py')):
        package = '.'.join(path.parent.relative_to(ROOT).parts)
        if package in CATALOG:
            found[package] = {name: f'{package}.{entry.module}' for name, entry in CATALOG[package].items()}
        elif names := _listed(ast.parse(path.read_text())):
            sources = _imports(package, ast.parse(path.read_text()))
            found[package] = {name: sources.get(name, package) for name in names}
    return found


def _listed(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '__all__':
            return sorted(ast.literal_eval(node.value), key=str.lower)
    return []


def _imports(package: str, tree: ast.Module) -> dict[str, str]:
    later = _LATER if package == 'mmrev' else {}
    now = {
        alias.asname or alias.name: resolve_name('.' * node.level + (node.module or ''), package)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return now | {name: f'{package}.{module}' for name, module in later.items()}


def _spellings(package: str) -> list[str]:
    """A table of the package that each name of the catalog imports, and how a config spells it."""
    lines = ['| name | in a config | imports |', '|---|---|---|']
    for name, entry in CATALOG.get(package, {}).items():
        spelling = f"`type='mmrev.{name}'`" if entry.registry else ''
        imports = 'torch' if entry.plain else entry.host or 'mmengine'
        lines.append(f'| [{name}](#{package}.{entry.module}.{name}) | {spelling} | {imports} |')
    return ['\n'.join(lines)] if package in CATALOG else []


def _page(package: str, names: dict[str, str]) -> str:
    """A name that a package takes from another public package has its text there, and a link here."""
    packages = public_names()
    parts = [f'# {package}', f'::: {package}\n{ONLY_ITS_TEXT}', *_spellings(package)]
    for name, module in names.items():
        if module in packages and module != package:
            parts.append(f'## {name}\n\nSee [`{module}.{name}`]({module}.md#{packages[module][name]}.{name}).')
        else:
            parts.append(f'::: {module}.{name}')
    return '\n\n'.join(parts) + '\n'
