# Section 3: poly 0.9, the decoder learns ten times as fast as the encoder. The rest is DeepLab's.
_base_ = './deeplabv2_20k.py'
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(_delete_=True, decode_head=dict(lr_mult=10), fusion=dict(lr_mult=10))))
