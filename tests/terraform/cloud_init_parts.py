"""What cloud-init itself makes of the parts of user data; run by the Python that has its modules.

Reads user data on standard input. Prints the configuration that cloud-init merges, and the scripts
that it would run, by their names.
"""

import json
import sys
import tempfile
from pathlib import Path

from cloudinit import handlers, helpers, user_data
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.shell_script import ShellScriptPartHandler
from cloudinit.settings import PER_INSTANCE


class Source:
    """Stands in for where the droplet learns who it is."""

    def get_instance_id(self) -> str:
        """Return the id that cloud-init keeps its files under."""
        return "droplet"


def parts(text: str, folder: Path) -> dict[str, object]:
    """Let cloud-init take `text` apart, with its files in `folder`."""
    paths = helpers.Paths({"cloud_dir": str(folder), "run_dir": str(folder)}, ds=Source())
    kinds = [CloudConfigPartHandler(paths), ShellScriptPartHandler(paths)]
    data = {
        "handlers": {name: kind for kind in kinds for name in kind.list_types()},
        "handlerdir": str(folder),
        "handlercount": 0,
        "data": None,
        "frequency": PER_INSTANCE,
        "excluded": [],
    }
    for kind in kinds:
        handlers.call_begin(kind, None, PER_INSTANCE)
    message = user_data.UserDataProcessor(paths).process(text)
    handlers.walk(message, handlers.walker_callback, data=data)
    for kind in kinds:
        handlers.call_end(kind, None, PER_INSTANCE)
    scripts = Path(paths.get_ipath_cur("scripts"))
    return {
        "config": Path(paths.get_ipath("cloud_config")).read_text(),
        "scripts": sorted(path.name for path in scripts.glob("*")),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(parts(sys.stdin.read(), Path(name))))
