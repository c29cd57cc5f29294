"""The hub: owns the truth about customers, interactions, agents and offers, and changes it only through services."""


def version() -> str:
    """Return which Switchboard this is; empty where its files were copied instead of installed."""
    from importlib import metadata

    try:
        return metadata.version("switchboard")
    except metadata.PackageNotFoundError:
        return ""
