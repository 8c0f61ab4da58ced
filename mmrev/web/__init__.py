"""A web page that shows a trained model at work: its predictions, and the maps inside of it.

Only ``page.py`` and ``server.py`` need gradio (the extra ``web``).
"""
