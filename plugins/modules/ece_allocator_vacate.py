#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_allocator_vacate
short_description: Move instances off an allocator of an ECE platform
version_added: 1.0.0
description:
  - Moves all clusters, or chosen ones, from an allocator to others, and waits until the allocator no longer has them.
    A cluster is a part of a deployment, such as its Elasticsearch or its Kibana. On one allocator it has one instance
    or more.
  - What the platform shows of the allocator decides. The module succeeds only if the platform no longer lists the
    instances there. After a request without an answer it looks at the allocator first, before it asks again.
  - It shows a line of progress when something has changed, and at least every 30 seconds, such as
    C(10.0.0.7  0:10  2/5 moved, 3 moving).
  - A move builds a new instance on another allocator and copies the data. It needs free memory in the same zone, on
    allocators with the tags that the instance asks for, and it may take long.
  - If it is interrupted, the moves that have begun go on. The next run waits for them, and begins the others.
  - An allocator without instances is left as it is, and is not put in maintenance mode either.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
attributes:
  action:
    description: Runs on the controller, whichever host the task is for.
    support: full
  check_mode:
    support: full
    details:
      - The platform plans each move without beginning it (C(validate_only)), so that the result has the clusters that
        could move and those that could not. Maintenance mode is not started.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(pending_plans=force), moves that are under way are replaced, which is a change each time.
options:
  allocator_id:
    description:
      - The id of the allocator. By default, it is the IP address of its host.
    type: str
    required: true
  clusters:
    description:
      - Move only clusters with these ids, which are C(cluster_id) in the instances of the allocator. An id that is on
        no allocator at all is an error; one that is on another allocator has moved already.
      - If not set, all clusters move, and so do those that come while the module runs. An empty list moves none.
    type: list
    elements: str
  kinds:
    description:
      - Move only clusters of these kinds. An empty list moves none.
      - The platform may report Integrations Server as V(apm), so V(apm) and V(integrations_server) each stand for both.
    type: list
    elements: str
    choices: [apm, appsearch, elasticsearch, enterprise_search, integrations_server, kibana]
  targets:
    description:
      - Ids of the allocators to prefer. They must be connected and not in maintenance mode.
      - The platform takes them as a wish. Where none of them is suitable, it may choose another allocator.
    type: list
    elements: str
  preferred_tags:
    description:
      - Tags of the allocators to prefer, with their values. Needs ECE 3.8 or later.
    type: dict
  pending_plans:
    description:
      - What to do with a cluster that has a pending plan, which is a change of its deployment that has not ended. A
        cluster whose instance is being moved already is waited for, except with V(force).
      - With V(fail), it is a failure. The other clusters move.
      - With V(wait), its move begins when the plan has ended.
      - With V(force), its plan is cancelled and the move takes its place, also where that plan is a move.
    type: str
    choices: [fail, wait, force]
    default: fail
  allocator_down:
    description:
      - Whether the platform treats the allocator as down when it plans the moves, and so does not count on data from
        it. A deployment without replicas on other allocators may B(lose data) then.
      - With V(auto), it does so if the allocator is not connected.
    type: str
    choices: [auto, 'true', 'false']
    default: auto
  skip_snapshot:
    description:
      - Whether to move Elasticsearch without a snapshot before. For an allocator that has failed. If the move fails,
        what has changed since the last snapshot may be lost.
    type: bool
    default: false
  skip_data_migration:
    description:
      - Whether to move Elasticsearch without its data. The data that only this allocator holds is B(lost). Data with
        replicas elsewhere is copied from these.
    type: bool
    default: false
  override_failsafe:
    description:
      - Whether to move even where the platform refuses because data may be lost. With O(skip_data_migration), a
        deployment without replicas in other zones B(loses its data).
    type: bool
    default: false
  force_move:
    description:
      - Whether to ask for a simple move on the level of the file system, instead of one that the deployment takes part
        in. Needs ECE 3.6 or later.
    type: bool
    default: false
  maintenance:
    description:
      - Whether to start maintenance mode first, so that the platform places nothing on the allocator. If that fails,
        nothing is moved. The module does not end maintenance mode.
      - With V(false), O(targets) is required, because otherwise an instance could be moved to the same allocator.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the clusters have moved.
      - With V(false), the module begins as many moves as O(concurrency) allows, and returns. The others are in
        RV(left), and the next run goes on with them.
    type: bool
    default: true
  wait_timeout:
    description:
      - Number of seconds after which the module no longer waits, and fails. The moves that have begun go on.
      - Until then, it goes on when the platform does not answer, and names the last error at the end.
    type: int
    default: 3600
  wait_interval:
    description:
      - Number of seconds between two looks at the allocator.
    type: int
    default: 10
  concurrency:
    description:
      - How many clusters may be moving at the same time, from 1 to 64.
    type: int
    default: 8
seealso:
  - module: ece.platform.ece_allocator_info
  - module: ece.platform.ece_runner
  - name: Move nodes and instances from allocators
    description: What the vendor says about moves.
    link: https://www.elastic.co/docs/deploy-manage/maintenance/ece/move-nodes-instances-from-allocators
"""

EXAMPLES = r"""
- name: Move everything off an allocator
  ece.platform.ece_allocator_vacate:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    allocator_id: 10.0.0.7

- name: Move Kibana to one of two allocators, when changes that are under way have ended
  ece.platform.ece_allocator_vacate:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    allocator_id: 10.0.0.7
    kinds: [kibana]
    targets: [10.0.0.8, 10.0.0.9]
    maintenance: false
    pending_plans: wait
    wait_timeout: 7200
"""

RETURN = r"""
allocator_id:
  description: The id of the allocator.
  returned: if the allocator was found
  type: str
  sample: 10.0.0.7
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: 2 of 2 clusters moved off allocator 10.0.0.7 in 250 s
moved:
  description:
    - The clusters that are no longer on the allocator, whether this run or an earlier one has begun their moves. In
      check mode, those that could move.
  returned: if the allocator was found
  type: list
  elements: dict
  contains:
    cluster_id:
      description: The id of the cluster.
      type: str
    kind:
      description: Its kind as the platform reports it, V(null) if it does not.
      type: str
    deployment_id:
      description: The id of its deployment, V(null) if the platform does not report it.
      type: str
  sample:
    - cluster_id: 3ee11eb40eda22cac0cce259625c6734
      kind: elasticsearch
      deployment_id: 7e0e7c0d4d1c4b3e9c5f5ab2b4d9a611
failures:
  description: The clusters whose moves failed or were refused. In check mode, those that could not move.
  returned: if the allocator was found
  type: list
  elements: dict
  contains:
    cluster_id:
      description: The id of the cluster.
      type: str
    kind:
      description: Its kind as the platform reports it, V(null) if it does not.
      type: str
    deployment_id:
      description: The id of its deployment, V(null) if the platform does not report it.
      type: str
    reason:
      description: Why, as the platform says it.
      type: str
  sample:
    - cluster_id: 8ee11eb40eda22cac0cce259625c6734
      kind: kibana
      deployment_id: 7e0e7c0d4d1c4b3e9c5f5ab2b4d9a611
      reason: There is not enough capacity (clusters.cluster_invalid_plan)
left:
  description:
    - The clusters that were to move and are still on the allocator, those in RV(failures) included.
  returned: if the allocator was found
  type: list
  elements: dict
  contains:
    cluster_id:
      description: The id of the cluster.
      type: str
    kind:
      description: Its kind as the platform reports it, V(null) if it does not.
      type: str
    deployment_id:
      description: The id of its deployment, V(null) if the platform does not report it.
      type: str
    reason:
      description: Why, as the platform says it, or what its move is doing.
      type: str
  sample: []
elapsed_seconds:
  description: Number of seconds from the first request to the end.
  returned: if the allocator was found
  type: float
  sample: 250.4
"""
