"""The configuration: its shape, and how it is read."""

import os

# pydantic would look through all installed packages for plugins: 16 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
