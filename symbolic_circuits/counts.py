"""Counts in words: digits grouped, and a power of ten where they are many."""

__all__ = ["in_words"]

MAX_DIGITS = 60


def in_words(count: object, most: int = MAX_DIGITS) -> str:
    """An exact number where it is short, of about so many digits at most, else its leading digits.

    >>> in_words(5600322), in_words(7**2000)
    ('5,600,322', 'about 1.57e+1690')
    """
    if not isinstance(count, int):
        return str(count)
    if count.bit_length() <= 3 * most:
        return f"{count:,}"
    digits = int(count.bit_length() * 0.30102999566398120)
    while 10**digits > count:
        digits -= 1
    leading = count // 10 ** (digits - 3)
    if leading >= 10_000:
        digits, leading = digits + 1, leading // 10
    return f"about {leading / 1000:.2f}e+{digits}"
