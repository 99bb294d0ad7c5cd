"""Neural detectors on PyTorch; importing this room does not import torch.

`training` is the one loop, `scaling` the one scaling, `session` the seed, the threads
and the device, `layers` the common networks, `base` the class that joins them. Each
detector is a folder with `info.py` and `detector.py`, as in the rest of the zoo.
"""
