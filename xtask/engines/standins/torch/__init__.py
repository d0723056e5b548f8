"""Stands in for PyTorch, of which xgrammar imports names only as long as no mask is filled."""

__version__ = "2.5.0"


class _Anything:
    def __init__(self, *_arguments, **_named):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()

    def __call__(self, *_arguments, **_named):
        return False


class Tensor:
    pass


class dtype:
    pass


class device:
    pass


int32 = dtype()


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Anything()
