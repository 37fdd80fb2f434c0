"""The generator: a program that runs in an environment of its own and is never imported by the package.

``python <this folder>`` reads jobs, a line of JSON each, from standard input and answers each with a line on standard
output. Jobs: ``scene`` (build a scene, render views of it), ``asset`` (build an object by Infinigen), ``sky`` and
``texture`` (pictures that materials use), ``body`` (a posed and dressed person by Anny). Blender's own chatter goes to
standard error.
"""
