"""OKH manifests in YAML: read without its tags, anchors and aliases, which no manifest needs."""

from collections.abc import Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]  # it brings no types

from guildmark.domain.recipes.importing.settings import SIZE_MAX, ProfileMalformedError

_EVENTS_MAX = 10_000
_DEPTH_MAX = 20


def read_yaml(data: bytes) -> Mapping[str, Any]:
    """Return the members of a manifest, each scalar as it is written.

    Raises:
        ProfileMalformedError: It is too large, no YAML, no mapping, or has aliases.
    """
    if len(data) > SIZE_MAX:
        message = f"The manifest has {len(data)} bytes, at most {SIZE_MAX} are read."
        raise ProfileMalformedError(message, size=len(data))
    try:
        _check_events(data)
        members = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts alone
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        message = "The manifest is no YAML."
        raise ProfileMalformedError(message) from exc
    if not isinstance(members, dict) or not all(isinstance(key, str) for key in members):
        message = "The manifest is no mapping."
        raise ProfileMalformedError(message)
    return members


def _check_events(data: bytes) -> None:
    """Read as far as the bounds allow: nesting costs the parser more than its square."""
    depth = 0
    for number, event in enumerate(yaml.parse(data, Loader=yaml.BaseLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > _DEPTH_MAX or number > _EVENTS_MAX:
            message = "The manifest has aliases, or more members or levels than any manifest."
            raise ProfileMalformedError(message)
