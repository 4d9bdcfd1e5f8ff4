"""Why a claim may not hold, in plain words: shown only beside claims that the measurements do not reach.

What a document leaves open is known from its variant (`assumed`), and needs no line here.
"""

UNWATCHED_RATE = (
    "At a rate that never falls, the test accuracy moves up and down from epoch to epoch to the end, and a best epoch "
    "of the luckiest of several runs lies far above the mean; how many runs its author made is not said."
)

UNKNOWN = (
    "Its document gives every setting; a lucky run of its author, or the best of several, is the likeliest reason."
)

REASONS = {
    "base_20k": UNWATCHED_RATE,
    "base_16k": UNWATCHED_RATE,
    "base_7k": UNWATCHED_RATE,
    "bn": UNWATCHED_RATE,
    "bn_dropout": UNWATCHED_RATE,
    "bn_dropout_gap": UNWATCHED_RATE,
    "bn_gap_plain": UNWATCHED_RATE,
    "bn_gap": "Its author tried several schedules and chose this one by the test accuracy: the best of several runs. "
    "When the plateau is found, and the rate falls, differs from seed to seed.",
    "fc_dropout": "The document prints two results swapped, and this is the un-swapped one.",
    "fc_bn_dropout": "The document prints two results swapped, and this is the un-swapped one, which its log shows.",
    "evo_skip": "The document itself gives 99.29% from a second machine.",
}
