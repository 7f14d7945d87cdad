# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API layer: paths, status codes and error codes of the coordinator's REST API, over a platform.

It knows nothing of faults, of the request log or of the OpenAPI file; those are layers around it. `routes.py` lists all
routes. `messages.py`, `search.py` and `application.py` serve all resources; each other module is one resource, with its
handlers and what it looks like.
"""
