"""The page: pictures to choose on the left, what the model shows on the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mmrev.errors import UserError
from mmrev.prediction.sources import PICTURES

from .examples import Example
from .exhibit import Exhibit
from .results import Result, difference

TOP = 12  # classes in the list of shares or scores
KEPT_SECONDS = 3600
SHARES = {
    'segmentation': 'Share of the picture',
    'detection': 'Score of each object',
    'classification': 'Probability of each class',
}
CSS = """
footer {display: none !important}
.gradio-container {max-width: 1500px !important; margin: auto}
"""


@dataclass(frozen=True)
class Panel:
    """A part of the page that follows the chosen picture.

    Args:
        outputs: Its components.
        show: A function that takes the path of the picture and the values of ``inputs``, and returns those of
            ``outputs``.
        inputs: The components that it also reads.
    """

    outputs: Sequence[Any]
    show: Callable[..., Any]
    inputs: Sequence[Any] = ()


def build_page(name: str, exhibit: Exhibit, examples: Sequence[Example], other: Exhibit | None = None) -> gr.Blocks:
    """Builds the page.

    Args:
        name: The name of the model.
        exhibit: The model.
        examples: Pictures that a visitor can pick.
        other: A second model, to compare with.

    Returns:
        The page. It is not served yet.
    """
    with gr.Blocks(title=f'{name} - mmrev', analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as page:
        chosen = gr.State()
        gr.Markdown(f'## {name}')
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                upload = _upload(exhibit)
                gallery = _gallery(examples)
            with gr.Column(scale=4), gr.Tabs():
                panels = [_prediction_tab(exhibit)]
                panels += [_view_tab(exhibit, index, chosen) for index in range(len(exhibit.views))]
                if other:
                    panels.append(_comparison_tab(exhibit, other))
        cleared = [component for panel in panels for component in panel.outputs]

        def start(path: str | None) -> list:
            return [path, *[None] * len(cleared)]

        def pick(event: gr.SelectData) -> list:
            return start(str(examples[event.index].path))  # type: ignore[call-overload]  # one index in a gallery

        _follow(upload.upload(start, upload, [chosen, *cleared], queue=False), chosen, panels)
        upload.clear(lambda: start(None), None, [chosen, *cleared], queue=False)
        if gallery:
            _follow(gallery.select(pick, None, [chosen, *cleared], queue=False), chosen, panels)
    return page


def _upload(exhibit: Exhibit) -> gr.File:
    limits = exhibit.limits
    label = f'Your picture (up to {limits.megabytes:g} MB and {limits.megapixels:g} megapixels)'
    return gr.File(label=label, file_types=list(PICTURES), height=150, elem_id='upload')


def _gallery(examples: Sequence[Example]) -> gr.Gallery | None:
    if not examples:
        return None
    return gr.Gallery(
        [(example.thumbnail, None) for example in examples],
        label='Or pick one',
        columns=3,
        height=460,
        object_fit='cover',
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id='examples',
    )


def _prediction_tab(exhibit: Exhibit) -> Panel:
    task = exhibit.predictor.task
    with gr.Tab(task.capitalize()):
        if task == 'classification':
            picture: gr.components.Component = gr.Image(show_label=False, interactive=False, buttons=[], height=480)
        else:
            picture = gr.AnnotatedImage(show_label=False, height=560, elem_id='prediction')
        scores = gr.Label(
            label=SHARES[task], num_top_classes=TOP, show_heading=task == 'classification', elem_id='scores'
        )

    def show(path: str) -> list:
        result = exhibit.result(path)
        if task == 'classification':
            return [result.picture, dict(result.scores)]
        shown = gr.AnnotatedImage((result.picture, list(result.regions)), color_map=dict(result.colors))
        return [shown, dict(result.scores)]

    return Panel([picture, scores], _one_line(show))


def _view_tab(exhibit: Exhibit, index: int, chosen: gr.State) -> Panel:
    view = exhibit.views[index]
    with gr.Tab(view.title):
        gr.Markdown(view.text)
        choice = gr.Dropdown(list(view.choices), value=None, type='index', label='Class', visible=bool(view.choices))
        pictures = gr.Gallery(
            show_label=False, columns=3, object_fit='contain', height=520, interactive=False, buttons=['fullscreen']
        )

    def show(path: str | None, wanted: int | None) -> list:
        if path is None:
            return [gr.skip(), None]
        if wanted is None and view.choices:
            wanted = first_choice(exhibit.result(path), view.choices)
        found = exhibit.pictures(path, index, wanted or 0)
        value = view.choices[wanted or 0] if view.choices else None
        return [gr.Dropdown(value=value), gr.Gallery(found, columns=min(len(found), 3))]

    guarded = _one_line(show)
    choice.input(guarded, [chosen, choice], [choice, pictures], concurrency_id='model')
    # the class stays as it was chosen when the next picture comes
    return Panel([pictures], lambda *values: guarded(*values)[1:], [choice])


def _comparison_tab(exhibit: Exhibit, other: Exhibit) -> Panel:
    task = exhibit.predictor.task
    with gr.Tab('Comparison'):
        if task == 'classification':
            with gr.Row():
                baseline = gr.Label(label='Baseline', num_top_classes=TOP)
                ours = gr.Label(label='This model', num_top_classes=TOP)

            def show_labels(path: str) -> list:
                return [dict(other.result(path).scores), dict(exhibit.result(path).scores)]

            return Panel([baseline, ours], _one_line(show_labels))
        gr.Markdown('The baseline is at the left of the line, this model at the right. Drag the line.')
        slider = gr.ImageSlider(show_label=False, interactive=False, max_height=560, elem_id='comparison')
        text = gr.Markdown()

    def show(path: str) -> list:
        before, after = other.result(path), exhibit.result(path)
        sentence = difference(before, after, other.predictor.classes, exhibit.predictor.classes)
        return [(before.drawn, after.drawn), sentence]

    return Panel([slider, text], _one_line(show))


def first_choice(result: Result, choices: Sequence[str]) -> int:
    """Returns the index of the class to show first: the one with the largest share that is no (black) background."""
    found = [name for name in result.scores if name in choices]
    coloured = [name for name in found if result.colors.get(name) != '#000000']
    return list(choices).index(next(iter([*coloured, *found, choices[0]])))


def _follow(event: Any, chosen: gr.State, panels: Sequence[Panel]) -> None:
    # one after the other: the first tab comes first, and a picture that cannot be read is reported once
    for panel in panels:
        event = event.success(panel.show, [chosen, *panel.inputs], list(panel.outputs), concurrency_id='model')


def _one_line(show: Callable[..., Any]) -> Callable[..., Any]:
    """Turns our errors into a message on the page."""

    def guarded(*values: Any) -> Any:
        try:
            return show(*values)
        except UserError as problem:
            raise gr.Error(
                str(problem), duration=None, title='This picture cannot be shown', print_exception=False
            ) from None

    return guarded
