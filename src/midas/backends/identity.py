"""What a loaded file is: its row in the model table, and how a picture becomes its input."""

from __future__ import annotations

from midas.backends.choice import Choice
from midas.backends.protocol import Backend
from midas.errors import ModelError
from midas.maps.kinds import KINDS, RELATIVE_DISPARITY, Kind
from midas.models.onnx_names import INPUT_KEY, KIND_KEY, NAME_KEY
from midas.models.specs import ModelSpec
from midas.models.zoo import MODELS
from midas.pictures.preprocess import InputSpec


def row_of(network: Backend, choice: Choice, *, named: bool) -> ModelSpec | None:
    """The model's row: that of the name that was asked for, or of what the file is, which it knows better itself.

    Args:
        network: as it was loaded.
        choice: the file, and what the table says of it.
        named: whether a model's name was given beside the file.

    Raises:
        ModelError: the file is another model's than the one that was named.
    """
    own_name = network.metadata.get(NAME_KEY)
    if choice.spec is None or own_name in (None, choice.spec.name):
        return choice.spec
    if named and own_name in MODELS:
        raise ModelError(f"{choice.path} says that it is {own_name}; expected a file of {choice.spec.name}")
    return choice.spec if named else None


def kind_of(network: Backend, spec: ModelSpec | None) -> Kind:
    """What a network's values are: as its file says, else as the table does; relative disparity if neither does.

    Raises:
        ModelError: the file says something that isn't known.
    """
    said = network.metadata.get(KIND_KEY)
    found = next((kind for kind in KINDS if kind == said), None)
    if said is not None and found is None:
        raise ModelError(f"the model file says that its values are of kind {said!r}; expected {', '.join(KINDS)}")
    return found or (spec.kind if spec else RELATIVE_DISPARITY)


def input_of(network: Backend, choice: Choice) -> InputSpec:
    """The input rule: what the file says of itself comes before what the table says of it.

    Raises:
        ModelError: neither says anything.
    """
    text = network.metadata.get(INPUT_KEY)
    if text is not None:
        return InputSpec.from_metadata(text)
    if choice.input is None:
        raise ModelError(
            f"{choice.path} doesn't say how a picture becomes its input (metadata {INPUT_KEY!r}); expected a file that "
            "`midas export` wrote, or a published one under its own name"
        )
    return choice.input
