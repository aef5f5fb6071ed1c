"""Names of typing that Python 3.10 does not have, so that annotations can be read at run time without a dependency."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack
elif sys.version_info >= (3, 11):
    from typing import Self, Unpack
else:
    Self = Any

    class Unpack:
        def __class_getitem__(cls, options: object) -> object:
            return options


__all__ = ["Self", "Unpack"]
