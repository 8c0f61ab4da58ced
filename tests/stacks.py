"""The differences between the stacks: tests that only one stack can run, and the names of distributions.

As a pytest plugin, this module skips those tests, with the reason.
"""

from pathlib import Path

import pytest

from mmrev.hosts import PACKAGES, owners

UPSTREAM = owners('mmengine') == ['mmengine']  # open-mmlab's own packages, with torch 2.1
# the beginning of a test's id: why open-mmlab's stack cannot run it
NOT_UPSTREAM = {
    'mmrev/models/layers/regions/kernels_triton.py': 'the kernels need Triton 3',
    'mmrev/models/layers/regions/kernels_triton_pairs.py': 'the kernels need Triton 3',
    'tests/benchmarks/test_benchmarks.py': 'the benchmarks use options of the profiler that torch 2.1 lacks',
    'tests/cli/test_quick_process.py::test_quick_run[demo/': (
        "mmseg 1.2.2's CrossEntropyLoss with class weights fails at an ignored pixel, and the data of --quick has some"
    ),
    'tests/examples/test_examples.py::test_region_attention_in_torchvision': (
        'the DeepLabHead of torchvision 0.16 has no argument for its rates'
    ),
    'tests/models/decode_heads/test_region_attention_head.py::test_a_model_in_half_precision[kind0]': (
        'torch 2.1 has no float16 convolution on a CPU'
    ),
    'tests/models/decode_heads/test_reverse_attention_wrapper.py::test_every_parameter_learns_and_each_branch_has_its_losses'
    '[DNLHead': "mmseg 1.2.2's DNLHead cannot be trained with torch 2.1: it divides in place what autograd needs",
    'tests/models/decode_heads/test_scale_attention_head.py::test_it_is_compiled_in_one_piece': (
        'torch 2.1 compiles list.index in two pieces'
    ),
    'tests/models/layers/regions/test_kernels.py::test_all_backends_agree_with_the_dense_restatement': (
        'Triton 2.1 has no interpreter for a CPU'
    ),
    'tests/models/layers/regions/test_kernels.py::test_kernels_compile_for_a_gpu': 'the kernels need Triton 3',
    'tests/models/layers/regions/test_kernels.py::test_on_a_gpu': 'the kernels need Triton 3',
    'tests/models/layers/regions/test_triton_work.py': 'the kernels need Triton 3',
    'tests/models/layers/test_residual_addition.py::test_compiled_it_is_the_same': (
        'torch 2.1 compiles an autograd.Function with setup_context in two pieces'
    ),
    'tests/models/surgery/test_libraries.py::test_compiled_and_in_half_precision[torchvision-vit]': (
        'compiled by torch 2.1, the ViT of torchvision with gates gives other numbers; the cause is not known'
    ),
    'tests/prediction/test_onnx_model.py::test_only_scores_can_be_averaged': 'exporting needs torch 2.6',
    'tests/testing/test_tiny_data.py::test_unknown_data_sets_and_files_are_named[cfg2': (
        'mmseg 1.2.2 has no HSIDrive20Dataset'
    ),
    'tests/triton_checks.py': 'the kernels need Triton 3',
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # pytest imports a module to look for doctests in it, and these cannot be imported
    path = collection_path.relative_to(config.rootpath).as_posix() if collection_path.is_file() else ''
    is_test = collection_path.name.startswith('test_')
    return True if UPSTREAM and path in NOT_UPSTREAM and not is_test else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items if UPSTREAM else ():
        for beginning, reason in NOT_UPSTREAM.items():
            if item.nodeid.startswith(beginning):
                item.add_marker(pytest.mark.skip(reason=f'upstream: {reason}'))


def own(package: str) -> tuple[str, str]:
    """The name and version of this stack's distribution of a package."""
    return PACKAGES[package].original if UPSTREAM else PACKAGES[package].maintained


def other(package: str) -> tuple[str, str]:
    """The name and version of the other stack's distribution."""
    return PACKAGES[package].maintained if UPSTREAM else PACKAGES[package].original
