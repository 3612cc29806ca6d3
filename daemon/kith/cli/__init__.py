"""The `kith` command. It only reads words, calls the service and shows what comes back."""

# in the order in which `kith --help` lists their commands
# isort: off
from kith.cli import running as running
from kith.cli import finding as finding
from kith.cli import answering as answering
from kith.cli import state as state
from kith.cli import digikam as digikam
from kith.cli import digikam_import as digikam_import
from kith.cli import digikam_push as digikam_push
from kith.cli import digikam_actions as digikam_actions
from kith.cli.base import main as main
