"""Changes a built network: its residual blocks get reverse attention, SE or CBAM."""
