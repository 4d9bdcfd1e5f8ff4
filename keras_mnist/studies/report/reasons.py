"""Why a claim may not hold, in plain words: shown only beside claims that the measurements do not reach.

What a document leaves open is known from its variant (`assumed`), and needs no line here.
"""

OPEN_SETTINGS = (
    "The document prints two results swapped, and this is the un-swapped one; not all of its settings are printed, and "
    "its author's are likely others than those here."
)

CONSTANT_RATE = (
    "The rate never falls, so the test accuracy moves up and down from epoch to epoch to the end, and the claim is the "
    "best epoch of a run that was lucky: how many runs its author made is not said."
)

UNKNOWN = (
    "Its document gives every setting; a lucky run of its author, or the best of several, is the likeliest reason."
)

REASONS = {
    "bn": CONSTANT_RATE,
    "bn_dropout": CONSTANT_RATE,
    "bn_gap": "Its author tried several schedules and chose this one by the test accuracy: the best of several runs. "
    "When the plateau is found, and the rate falls, differs from seed to seed.",
    "fc_dropout": OPEN_SETTINGS,
    "fc_bn_dropout": OPEN_SETTINGS,
    "evo_skip": "The document itself gives 99.29% from a second machine: the claim is the better one of two runs.",
}
