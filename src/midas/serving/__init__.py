"""The page and the HTTP API: one process, no account, nothing leaves the machine. Needs ``midas-depth[serve]``.

``midas.serving.app.create_app`` gives an ASGI application; ``midas.serving.server.serve`` runs it by uvicorn.
"""
