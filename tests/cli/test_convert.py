import tiny_runs
import torch
from mmseg.models.backbones import ResNet

from mmrev.cli import convert
from mmrev.engine import read_checkpoint


def test_a_port_becomes_a_checkpoint_that_fits_strictly(tmp_path, capsys):
    net = ResNet(depth=50, base_channels=2, style='caffe')
    state = {name: torch.randn(value.shape) for name, value in net.state_dict().items() if 'num_batches' not in name}
    torch.save(
        {f'Scale.{name}': value for name, value in state.items()} | {'Scale.fc.bias': torch.ones(1)},
        tmp_path / 'port.pth',
    )
    assert convert.main([str(tmp_path / 'port.pth'), str(tmp_path / 'new/out.pth')]) == 0
    assert f'{len(state)} of {len(state) + 1} keys converted' in capsys.readouterr().out
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['out.pth']

    converted = read_checkpoint(tmp_path / 'new/out.pth')['state_dict']
    net.load_state_dict({name.removeprefix('backbone.'): value for name, value in converted.items()}, strict=True)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in state.items())


def test_what_is_no_port(tmp_path, capsys):
    torch.save(ResNet(depth=18, base_channels=2).state_dict(), tmp_path / 'r.pth')
    assert convert.main([str(tmp_path / 'r.pth'), str(tmp_path / 'out.pth')]) == 1
    line = tiny_runs.error_line(capsys)
    assert 'no port of DeepLabv2 that is known' in line and 'conv1.weight' in line
    assert not (tmp_path / 'out.pth').exists()
