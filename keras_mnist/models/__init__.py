"""The networks: blocks, the registry, and one file of variants for each study. Every builder is also a name here."""

import importlib
import pkgutil

from keras_mnist.models import registry, variants

# Each file registers its variants; none imports Keras before a network is built.
for _module in pkgutil.iter_modules(variants.__path__):
    importlib.import_module(f"{variants.__name__}.{_module.name}")

globals().update({name: registry.get_variant(name).build for name in registry.list_variants()})
