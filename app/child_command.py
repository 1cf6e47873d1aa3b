"""How DNNE starts another process of itself."""

import sys
from pathlib import Path
from typing import List, Sequence

PACKAGE_ROOT = Path(__file__).resolve().parents[1]

# `python -m app.cli` would look into the present folder first, and run an `app` or `nodes` of the user's.
_BOOTSTRAP = (
    "import sys; sys.path[:] = [{root!r}] + [path for path in sys.path if path]; "
    "from app.cli import main; sys.exit(main())"
)


def child_command(words: Sequence[str], interpreter: str = "") -> List[str]:
    """The command line of ``dnne WORDS`` in another process, with this very code.

    Args:
        words: Arguments of ``dnne``.
        interpreter: The Python to run it; this process's by default.
    """
    return [interpreter or sys.executable, "-c", _BOOTSTRAP.format(root=str(PACKAGE_ROOT)), *words]
