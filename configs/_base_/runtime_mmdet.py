_base_ = 'mmdet::_base_/default_runtime.py'
default_hooks = dict(checkpoint=dict(max_keep_ckpts=2))
randomness = dict(seed=0)
custom_hooks = [dict(type='mmrev.CheckWeightsHook'), dict(type='mmrev.ExactResumeHook'),
                dict(type='mmrev.FiniteLossHook'), dict(type='mmrev.GracefulStopHook'),
                dict(type='mmrev.LabelCheckHook'), dict(type='mmrev.WorkDirHook')]
