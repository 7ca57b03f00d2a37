"""Run a containerised application on DigitalOcean droplets without dropping a request."""

__version__ = "0.1.0"
