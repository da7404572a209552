"""Reads the attributes of an object without running its code."""

from types import GetSetDescriptorType
from typing import Any, Dict


def attributes_of(value: Any) -> Dict[str, Any]:
    """Return ``vars(value)``, even if its class has a property named ``__dict__``; ``{}`` if it has no attributes."""
    for cls in type(value).__mro__:
        descriptor = vars(cls).get("__dict__")
        if isinstance(descriptor, GetSetDescriptorType):
            attributes: Dict[str, Any] = descriptor.__get__(value)
            return attributes
    return {}
