# The library itself: version, instruction set, threads.

def version() -> str:
    return closs_version().decode()


def isa() -> str:
    return closs_isa().decode()


def available_isas() -> list[str]:
    names = []
    while closs_isa_available(len(names)) != NULL:
        names.append(closs_isa_available(len(names)).decode())
    return names


def has_openmp() -> bool:
    return bool(closs_has_openmp())


def get_num_threads() -> int:
    return closs_get_num_threads()


def get_threads_setting() -> int:
    """What set_num_threads was given; 0: the default."""
    return closs_get_threads_setting()


def set_num_threads(int threads) -> None:
    """0 returns to the default; the caller has checked the range."""
    closs_set_num_threads(threads)
