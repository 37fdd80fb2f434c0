"""Operations of an OpenVINO graph that keep float32 while the rest of it is computed in bfloat16."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING

from midas.backends.runtimes import import_runtime

if TYPE_CHECKING:
    import openvino
else:
    openvino = import_runtime("openvino")

# What OpenVINO's own files call the attribute by which an operation keeps its precision. Its Python package can't set
# it on an operation, so that the graph goes through a file.
_ATTRIBUTE = {"name": "precise", "version": "0"}
_NO_OPERATIONS = ("Parameter", "Const", "Result")


def keep_exact(core: openvino.Core, graph: openvino.Model, scope: str) -> openvino.Model:
    """The same graph, in which all operations up to the last one of a module keep float32.

    Args:
        core: of OpenVINO.
        graph: stays as it is.
        scope: what the names of that module's operations begin with; there is at least one.
    """
    names = [operation.friendly_name for operation in graph.get_ordered_ops()]
    last = max(index for index, name in enumerate(names) if name.startswith(scope))
    kept = set(names[: last + 1])
    with tempfile.TemporaryDirectory(prefix="midas-") as folder:
        xml_path, weights_path = Path(folder, "graph.xml"), Path(folder, "graph.bin")
        openvino.serialize(graph, xml_path, weights_path)
        tree = ElementTree.parse(xml_path)
        for layer in tree.iter("layer"):
            if layer.get("name") in kept and layer.get("type") not in _NO_OPERATIONS:
                notes = layer.find("rt_info")
                if notes is None:
                    notes = ElementTree.SubElement(layer, "rt_info")
                ElementTree.SubElement(notes, "attribute", _ATTRIBUTE)
        # From bytes, so that nothing of the folder is still in use when it goes.
        return core.read_model(ElementTree.tostring(tree.getroot()), weights_path.read_bytes())


def is_kept(compiled: openvino.CompiledModel, scope: str) -> bool:
    """Whether a compiled network really computes that module in float32: the attribute is no part of a public API."""
    precisions = set()
    for operation in compiled.get_runtime_model().get_ordered_ops():
        notes = {key: str(value.value) for key, value in operation.get_rt_info().items()}
        if any(name.startswith(scope) for name in notes.get("originalLayersNames", "").split(",")):
            precisions.add(notes.get("runtimePrecision"))
    return precisions == {"f32"}
