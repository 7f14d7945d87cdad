# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the documentation replace and leave out. Everything else runs as it stands on the page."""

from __future__ import annotations

# Text on a page -> the attribute of `reader.Reader` that takes its place. The first ones are replaced first.
SUBSTITUTIONS = {
    "git+https://github.com/ece-platform/ece.platform.git": "git_source",
    "https://github.com/ece-platform/ece.platform.git": "repository",
    "https://mirror.example.com/installer/elastic-cloud-enterprise.sh": "installer_url",
    "https://download.elastic.co/cloud/elastic-cloud-enterprise.sh": "installer_download",
    "https://ece.example.com:12443": "url",
    "/etc/ece/ca.pem": "ca_path",
    "/etc/pki/site-ca.pem": "ca_path",
    "/opt/ece/elastic-cloud-enterprise.sh": "installer_path",
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": "checksum",
    "/tmp/ece-standin": "standin_folder",
}

# Commands that run in another terminal -> the text after which the reader goes on.
OTHER_TERMINALS = {
    "getting_started": {".venv/bin/python -m tests.standin": "Press Ctrl-C"},
}

# (page, beginning of the command) -> why it is not run.
NOT_RUN = {
    ("README", "make demo"): "it is run on the page getting_started",
    ("air_gapped", "pip download"): "it needs the internet",
}

_OF_MOLECULE = "it would prepare this machine; Molecule runs it on machines of its own"
# (page, beginning of the command) -> why its syntax is checked, and it is not run.
ONLY_CHECKED = {
    ("README", "ansible-playbook ece.platform.add_allocators -i inventory.yml -e ece_host_prepare=true"): _OF_MOLECULE,
    ("preparing_hosts", "ansible-playbook"): _OF_MOLECULE,
    ("removing_hosts", "ansible-playbook"): "no host has joined; tests/integration/test_remove_allocators.py runs it",
}

# Page -> the page whose inventory.yml its reader has.
INVENTORY_FROM = {
    "results": "adding_hosts",
    "fleet_report": "adding_hosts",
    "scaling": "adding_hosts",
    "air_gapped": "adding_hosts",
    "removing_hosts": "adding_hosts",
}

# (page, file) -> why its variables are not those of the role.
FOREIGN_VARIABLES = {("migrating", "before.yml"): "it is an inventory of Elastic's role"}

# Pages whose blocks of text are messages of the collection.
QUOTING = ("troubleshooting",)

# Names that begin with ece_ and are neither a module, a role, a variable nor an option -> what they are.
OTHER_NAMES = {
    "ece_primary": "variable of Elastic's role",
    "ece_roles": "variable of Elastic's role",
    "ece_version": "variable of Elastic's role",
    "ece_runner_id": "variable of Elastic's role",
    "ece_installer_url": "variable of Elastic's role",
    "ece_installer_path": "variable of Elastic's role",
    "ece_docker_registry": "variable of Elastic's role",
    "ece_docker_repository": "variable of Elastic's role",
    "ece_supportdiagnostics_url": "variable of Elastic's role",
    "ece_supportdiagnostics_result_path": "variable of Elastic's role",
    "ece_data_device_autodetect": "variable of Elastic's role",
    "ece_selinux_mode": "variable of Elastic's role",
    "ece_firewalld_mode": "variable of Elastic's role",
    "ece_firewalld_open_ports": "variable of Elastic's role",
    "ece_podman_ipv6_network": "variable of Elastic's role",
    "ece_podman_network_name": "variable of Elastic's role",
    "ece_podman_network_ipv4_subnet": "variable of Elastic's role",
    "ece_podman_network_ipv6_subnet": "variable of Elastic's role",
    "ece_docker_ipv6": "variable of Elastic's role",
    "ece_docker_ipv6_cidr": "variable of Elastic's role",
    "ece_docker_config_dir": "variable of Elastic's role",
    "ece_os_experimental": "variable of Elastic's role",
    "ece_target": "variable of the playbook",
    "ece_serial": "variable of the playbook",
    "ece_host_prepare": "variable of the playbook",
    "ece_persistent_tokens": "statistic of playbook revoke_tokens",
    "ece_fleet_report": "private step of a playbook, and its statistic",
    "ece_fleet_report_": "beginning of statistics with the id of a job",
    "ece_fleet_report_path": "variable of playbook fleet_report",
    "ece_fleet_report_mode": "variable of playbook fleet_report",
    "ece_fleet_": "beginning of the names of private steps",
    "ece_host_": "beginning of names, or of statistics with the id of a job",
    "ece_host_preparation_": "beginning of statistics with the id of a job",
    "ece_": "beginning of names",
    "ece_awx_": "beginning of the names of private steps and of variables of a playbook",
    "ece_preparation_": "beginning of the names of private steps",
    "ece_preparation_report": "private step of the preparation",
    "ece_host_removal_": "beginning of names, or of statistics with the id of a job",
    "ece_removal_": "beginning of the names of private steps",
    "ece_join_": "beginning of the names of private steps",
}
