# Section 3: poly 0.9, the decoder learns ten times as fast as the encoder. The rest is DeepLab's. The attention model,
# which is neither, learns as the encoder does: VGG's feature maps have no norm and reach 100, and at ten times the rate
# the attention was seen to saturate within 25 steps.
_base_ = './deeplabv2_20k.py'
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(_delete_=True, decode_head=dict(lr_mult=10))))
