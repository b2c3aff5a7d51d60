"""Web pages for models: a chat, a classifier, a summariser. Loopback only, unless another host is asked for."""
