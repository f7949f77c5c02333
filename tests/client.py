"""How Docker's own client prints, to hold ours against."""


def human_size(size_bytes: int, digits: int = 4) -> str:
    """Bytes as Docker's client prints them: decimal units, `digits` significant digits (4 in `system df`)."""
    value, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    for unit in units:
        if value < 1000 or unit == units[-1]:
            return f"{value:.{digits}g}{unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit always returns")
