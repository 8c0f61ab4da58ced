# Here the attention model has norms, and learns at the rate of the other new layers.
_base_ = './scale_attention_20k.py'
max_iters = 80000
optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=1e-4),
                     paramwise_cfg=dict(custom_keys=dict(fusion=dict(lr_mult=10))))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 10)
default_hooks = dict(checkpoint=dict(interval=max_iters // 10))
