def doubled(x):
    """x: [N] float32. Returns 2 x, [N]."""
    raise NotImplementedError
