"""Reads the attributes of an object without running its code."""

from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Dict

MRO, VARS = (vars(type)[name].__get__ for name in ("__mro__", "__dict__"))  # a metaclass may have its own


def attributes_of(value: Any) -> Dict[str, Any]:
    """Return ``vars(value)``, even if its class has a property named ``__dict__``; ``{}`` if it has no attributes."""
    for cls in MRO(type(value)):
        descriptor = VARS(cls).get("__dict__")
        if type(descriptor) in (GetSetDescriptorType, MemberDescriptorType):  # the latter of a module
            attributes: Dict[str, Any] = descriptor.__get__(value)
            return attributes
    return {}


def taken(attributes: Dict[str, Any], name: str) -> Any:
    """Return what a worker iterator with these attributes has taken from its loader; None if it does not say."""
    return attributes.get("_" + name, attributes.get(name))  # the latter in torch 1.0 to 1.2 and copies of that code
