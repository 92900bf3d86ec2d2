"""tap.py - TAP for checks that need no server: each is a function whose name is the claim."""


def run(tests):
    """Runs them all; returns whether one failed."""
    failed = False
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            test()
            trouble = None
        except AssertionError as error:
            trouble = error
        failed |= trouble is not None
        print(f"{'not ' if trouble else ''}ok {number} - {test.__name__}")
        if trouble:
            print(f"# {trouble}")
    return failed
