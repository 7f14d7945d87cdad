# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx: the site that `make docs` builds of the pages in docsite/rst and of what antsibull-docs writes."""

from pathlib import Path

import yaml

_galaxy = yaml.safe_load((Path(__file__).resolve().parents[1] / "galaxy.yml").read_text(encoding="utf-8"))

project = f"{_galaxy['namespace']}.{_galaxy['name']}"
author = _galaxy["authors"][0]
release = version = str(_galaxy["version"])
project_copyright = f"2026, {author}"

extensions = ["sphinx_antsibull_ext"]
# The build reads nothing from the network, so that links into Ansible's own documentation stay plain text.
_LABELS = r"action_plugins|ansible_configuration_settings|common_return_values"
nitpick_ignore_regex = [
    ("std:ref", _LABELS),
    ("std:ref", r"ansible_collections\.ansible\.builtin\..*"),
    ("envvar", r"ANSIBLE_(CACHE_PLUGIN|INVENTORY)_?.*"),
]

pygments_style = "ansible"
highlight_language = "YAML+Jinja"
smartquotes_action = "De"  # dashes and dots, but quotes stay as commands and messages have them
html_theme = "sphinx_ansible_theme"
html_title = f"{project} {version}"
html_theme_options = {
    "topbar_links": {"Repository": _galaxy["repository"], "Issues": _galaxy["issues"]},
    "documentation_home_url": _galaxy["homepage"],
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sphinx = False
