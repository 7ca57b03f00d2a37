"""Run a containerised application on DigitalOcean droplets without dropping a request."""

try:
    from restoops._version import __version__
except ImportError:  # a checkout that was never installed
    __version__ = "0+checkout"

__all__ = ["__version__"]
