# ResNet34-dilated8 at two scales, which the scale attention merges.
_base_ = './r34d8.py'
model = dict(
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[64, 128, 256, 512], dilations=(12, 2),
                norm_cfg=_base_.norm_cfg))
