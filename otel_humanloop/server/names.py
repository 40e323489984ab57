# ruff: noqa: SIM905 - a list of words reads best as words
"""Names for configs nobody named: three words, as Humanloop made them, and the same for the same config."""

from __future__ import annotations

_FIRST = (
    "amber ancient arctic autumn balmy bitter bold brave breezy bright bronze calm candid cedar civil clever coastal "
    "cobalt copper coral cosmic crimson crisp curious dapper dusty early earnest emerald fabled fancy fearless fluent "
    "frosty gentle gilded glad golden graceful hidden honest humble ivory jolly keen kindly lively lucid lunar mellow "
    "merry mighty misty nimble noble olive organic patient placid"
).split()
_SECOND = (
    "almond anise apple apricot banana barley basil berry brandy caramel cardamom cashew celery cherry chestnut cider "
    "cinnamon citrus clove cocoa coconut coffee cumin currant date fennel fig ginger grape guava hazelnut honey "
    "juniper kiwi lavender lemon lime lychee mango maple melon mint mulberry mustard nectar nutmeg oat olive onion "
    "papaya peach pear pecan pepper pistachio plum quince raisin saffron sage sesame sorrel thyme vanilla walnut"
).split()
_THIRD = (
    "albatross antelope badger beaver bison bobcat buffalo camel caribou cheetah cobra condor coyote crane dolphin "
    "donkey eagle egret falcon ferret finch fox gazelle gecko gibbon goose hamster hare hawk heron hippo ibex iguana "
    "impala jackal jaguar kestrel koala lemur leopard lion lizard llama lynx magpie marmot meerkat mole moose newt "
    "ocelot orca osprey otter owl panda puffin rabbit raven rhino seal spoonbill tapir wombat"
).split()


def name_of(digest: bytes) -> str:
    """A name such as `organic-lavender-spoonbill`, of the bytes of a hash."""
    number = int.from_bytes(digest[:8], "big")
    words: list[str] = []
    for choices in (_FIRST, _SECOND, _THIRD):
        number, index = divmod(number, len(choices))
        words.append(choices[index])
    return "-".join(words)
