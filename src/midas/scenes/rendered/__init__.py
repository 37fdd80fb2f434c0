"""Scenes that look real, with exact depth: built and rendered by Blender in an environment of its own.

The folder ``generator`` beside this file is a program of its own that runs there (Blender's module is GPL-3 and needs
Python 3.11); nothing in this package imports it. It is started by `environment.RenderEnvironment`, fed and watched by
`workers.WorkerPool`, and gives linear radiance and depth along the axis. Everything after that happens here: what a
camera makes of the radiance (`photograph`), which pictures failed (`checks`), what is stored (`store`).
"""
