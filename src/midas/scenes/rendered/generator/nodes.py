"""A material's node graph, built by calls instead of by hand."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

Socket = bpy.types.NodeSocket
Value = Any  # a socket, a number or a colour


def rgba(colour: np.ndarray | tuple[float, ...]) -> tuple[float, float, float, float]:
    """A colour as Blender's sockets take it."""
    return (float(colour[0]), float(colour[1]), float(colour[2]), 1.0)


class Shader:
    """A new material with one principled surface; methods add nodes and give the socket of their result."""

    def __init__(self, name: str):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]

    def node(self, kind: str, **settings: Any) -> bpy.types.Node:
        """A node of the class ``ShaderNode<kind>`` with these properties set."""
        made = self.tree.nodes.new(f"ShaderNode{kind}")
        for key, value in settings.items():
            setattr(made, key, value)
        return made

    def put(self, value: Value, socket: Socket) -> None:
        """Link a socket to another one, or set its value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif socket.type == "RGBA":
            socket.default_value = rgba(value)
        else:
            socket.default_value = value

    def place(
        self, scale: float | tuple[float, float, float] = 1.0, *, turned: float = 0.0, own: bool = True
    ) -> Socket:
        """Coordinates in metres of the object's own frame, shifted at random per object."""
        coordinates, mapping = self.node("TexCoord"), self.node("Mapping")
        mapping.inputs["Scale"].default_value = (scale,) * 3 if np.isscalar(scale) else scale
        mapping.inputs["Rotation"].default_value = (0, 0, turned)
        self.put(coordinates.outputs["Object"], mapping.inputs["Vector"])
        if own:
            info, spread = self.node("ObjectInfo"), self.node("Math", operation="MULTIPLY")
            self.put(info.outputs["Random"], spread.inputs[0])
            spread.inputs[1].default_value = 37.0
            self.put(spread.outputs[0], mapping.inputs["Location"])
        return mapping.outputs[0]

    def noise(self, vector: Socket, scale: float, detail: float = 2.0) -> Socket:
        """Smooth noise from 0 to 1 with a mean of one half."""
        made = self.node("TexNoise")
        made.inputs["Scale"].default_value, made.inputs["Detail"].default_value = scale, detail
        self.put(vector, made.inputs["Vector"])
        return made.outputs["Fac"]

    def ramp(self, factor: Socket, stops: list[tuple[float, Any]]) -> Socket:
        """Colours at places between 0 and 1, straight lines between them."""
        made = self.node("ValToRGB")
        elements = made.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position, element.color = position, rgba(colour)
        self.put(factor, made.inputs[0])
        return made.outputs[0]

    def mix(self, factor: Value, first: Value, second: Value, blend: str = "MIX") -> Socket:
        """Two colours blended."""
        made = self.node("Mix", data_type="RGBA", blend_type=blend)
        for value, socket in ((factor, made.inputs["Factor"]), (first, made.inputs[6]), (second, made.inputs[7])):
            self.put(value, socket)
        return made.outputs[2]

    def bump(self, height: Socket, strength: float, distance_m: float) -> None:
        """Let the light see a height that the geometry hasn't."""
        made = self.node("Bump")
        made.inputs["Strength"].default_value, made.inputs["Distance"].default_value = strength, distance_m
        self.put(height, made.inputs["Height"])
        self.put(made.outputs[0], self.surface.inputs["Normal"])

    def done(
        self, colour: Value, roughness: float = 0.7, *, metal: float = 0.0, specular: float = 0.4
    ) -> bpy.types.Material:
        """The finished material."""
        inputs = self.surface.inputs
        self.put(colour, inputs["Base Color"])
        inputs["Roughness"].default_value, inputs["Metallic"].default_value = roughness, metal
        inputs["Specular IOR Level"].default_value = specular
        return self.material
