"""MkDocs's hook: the pages of the site are the Markdown files of the repository, under the paths that they have there.

So a link means the same on the site and on a forge. A file of another kind gets onto the site when a page links to it:
a picture as it is, a text (a config, say) as a page that shows it. The pages of the API and the model zoo are made.
"""

import posixpath
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # for mmrev.catalog, which imports the standard library alone

from api_pages import api_pages  # noqa: E402  needs mmrev
from model_zoo import model_zoo  # noqa: E402

PICTURES = ('.jpg', '.png', '.svg')
LANGUAGES = {'.py': 'python', '.yml': 'yaml', '.cff': 'yaml', '.txt': 'text'}
LINK = re.compile(r'(?<=\]\()(?![a-z]+:|#|/)([^)#\s]+)')
# a browser fetches these by itself; it does not fetch an <a>
FETCHED = re.compile(r'<(?:script|link|img|iframe|source|video)\b[^>]*?\s(?:src|href)=["\']?(?!data:)([^"\'\s>]+)')


def on_config(config: MkDocsConfig) -> None:
    """Adds the pages of the API to the navigation."""
    assert isinstance(config.nav, list)
    config.nav.append({'API': list(api_pages())})


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replaces the files of docs/ by those of the repository that the navigation or a link leads to."""
    made = {**api_pages(), 'model_zoo.md': model_zoo()}
    pages = [f'docs/{file.src_uri}' for file in files.documentation_pages()]
    theme = [file for file in files if file.src_dir != config.docs_dir]
    ours = [_file(path, made, config) for path in _reachable([*pages, *_paths(config.nav), *made], made)]
    return Files([*theme, *ours])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Points the links to texts at the pages that show them."""
    here = page.file.src_uri

    def rewrite(link: re.Match[str]) -> str:
        shown = files.get_file_from_path(f'{_target(here, link[1])}.md')
        return f'{link[1]}.md' if shown else link[1]

    return LINK.sub(rewrite, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Refuses a page that makes a browser ask another server, or for a file that is not there."""
    site = Path(config.site_dir)
    for page in sorted(set(site.rglob('*.html')) - {site / '404.html'}):  # 404.html is at home at any address
        for address in FETCHED.findall(page.read_text()):
            if re.match(r'[a-z]+:|//', address):
                raise PluginError(f'{page.relative_to(site)} loads {address} from outside. Add the file here.')
            if not (page.parent / unquote(re.split('[?#]', address)[0])).exists():
                raise PluginError(f'{page.relative_to(site)} loads {address}, which is not there.')


def _paths(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    entries = nav.values() if isinstance(nav, Mapping) else nav
    return [path for entry in entries for path in _paths(entry)]


def _target(page: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _reachable(start: list[str], made: Mapping[str, str]) -> list[str]:
    """All files that can be reached. A file that does not exist is left out: the strict build names the link."""
    found: dict[str, None] = {}
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path in found or not (path in made or (ROOT / path).is_file()):
            continue
        found[path] = None
        if path.endswith('.md'):
            text = made.get(path) or (ROOT / path).read_text()
            waiting += [_target(path, link) for link in LINK.findall(text)]
    return sorted(found)


def _file(path: str, made: Mapping[str, str], config: MkDocsConfig) -> File:
    if path in made:
        return File.generated(config, path, content=made[path])
    if path.endswith(('.md', *PICTURES)):
        return File.generated(config, path, abs_src_path=str(ROOT / path))
    language = LANGUAGES.get(posixpath.splitext(path)[1], 'text')
    page = f'---\nsearch:\n  exclude: true\n---\n# {path}\n\n~~~~{language}\n{(ROOT / path).read_text()}\n~~~~\n'
    return File.generated(config, f'{path}.md', content=page, inclusion=InclusionLevel.NOT_IN_NAV)
