# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Runs after bare.sh. The support matrix of ECE 3.8 has this system together with Docker 20.10, which Debian 12 has.
cat >/usr/lib/os-release <<'TEXT'
PRETTY_NAME="Ubuntu 20.04.6 LTS"
NAME="Ubuntu"
VERSION_ID="20.04"
VERSION="20.04.6 LTS (Focal Fossa)"
VERSION_CODENAME=focal
ID=ubuntu
ID_LIKE=debian
TEXT

# The preparation installs these. That they are here already saves the mirror a download for each host.
apt-get install -qq --yes --download-only docker.io iptables xfsprogs
