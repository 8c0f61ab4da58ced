# On ResNet-34 the attention model has norms, so it learns at the rate of the other new layers.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2e-3, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10), fusion=dict(lr_mult=10))))
