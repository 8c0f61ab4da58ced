# Section 3: the decoder learns ten times as fast as the encoder. The other values are DeepLab's. The paper counts the
# attention model to neither part. Here it learns at the encoder's rate: VGG's feature maps have no norm and reach 100,
# and at ten times the rate the attention was seen to saturate within 25 steps.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10))))
