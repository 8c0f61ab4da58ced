"""How configs inherit: through few files, and nothing that they delete again."""

import ast

from reading_configs import CONFIGS, ROOT, bases, longest_chain

LONGEST = 4


def test_no_chain_is_longer_than_four_files(record_property):
    chains = {name: longest_chain(path) for name, path in CONFIGS.items()}
    longest = max(chains.values(), key=len)
    record_property('longest chain', ' -> '.join(path.name for path in longest))
    print(f'\nlongest of {len(chains)} chains, {len(longest)} files:', *[path.name for path in longest])
    assert not {name: chain for name, chain in chains.items() if len(chain) > LONGEST}


def test_no_file_inherits_a_solver_to_delete_it():
    for path in ROOT.rglob('*.py'):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and node.targets[0].id in ('optim_wrapper', 'param_scheduler'):
                assert '_delete_' not in ast.unparse(node.value), path


def test_every_shared_file_is_used():
    used = {base for path in ROOT.rglob('*.py') for base in bases(path)}
    used.add(ROOT / '_base_/own_data.py')  # the configs of `mmrev new-config` inherit it
    assert used >= set((ROOT / '_base_').rglob('*.py'))
