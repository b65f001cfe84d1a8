"""Exceptions. Each is an openclip.Error and the built-in type that Python code expects."""


class Error(RuntimeError):
    """Root of all errors of openclip; its text is one line that says what to do."""


class InvalidArgument(Error, ValueError):
    """A value that can never work: shape, range, name."""


class NotFound(Error, FileNotFoundError):
    """A file, model, tag or tensor that does not exist."""


class Unsupported(Error, NotImplementedError):
    """Valid, but not handled by this version."""


class IoError(Error, OSError):
    """The operating system refused: read, map, disk full."""


class ParseError(Error, ValueError):
    """Bytes that do not follow their format: a damaged picture, a wrong weights file."""


class NetworkError(Error, ConnectionError):
    """A server that cannot be reached or contradicts itself."""


class Cancelled(Error):
    """The caller asked to stop."""
