# Section 4 prints the learning rate. Momentum and weight decay are those of the authors' code. That code itself has a
# learning rate of 0.01 and poly 0.9.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4))
