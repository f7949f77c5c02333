"""What evidence from outside looks like, for OpenAPI, the documents and their tests. Pure."""

from typing import Any, Final

_SUMMARY: Final = {"count": 12, "active": 3, "size_bytes": 48_200_000_000, "reclaimable_bytes": 31_000_000_000}
HOST_STATE: Final[dict[str, Any]] = {
    "observed_at": "2026-01-08T10:30:00Z",
    "free_disk_bytes": 120_000_000_000,
    "disk_total_bytes": 500_000_000_000,
    "disk_used_percent": 76,
    "docker_reclaimable_bytes": None,
    "docker_summary": {"images": _SUMMARY, "containers": _SUMMARY, "volumes": None, "build_cache": _SUMMARY},
    "builder_volumes": [{"name": "buildx_buildkit_ci0_state", "size_bytes": 24_000_000_000}],
    "unmeasured": {
        "docker_reclaimable_bytes": "volumes were not measured",
        "volumes": "docker system df ran into its time limit",
    },
}
HYGIENE: Final[dict[str, Any]] = {
    "schema_version": 1,
    "key": "nightly-2026-01-08",
    "host": "ci-1",
    "action": "build-cache",
    "mode": "apply",
    "status": "planned",
    "occurred_at": "2026-01-08T10:30:05Z",
    "pre_state": HOST_STATE,
    "predicted_bytes": 31_000_000_000,
    "actual_bytes": None,
    "budgets": [
        {
            "scope": "build_cache",
            "max_bytes": 20_000_000_000,
            "reserve_bytes": 5_000_000_000,
            "min_age_seconds": 86_400,
            "applied": True,
        }
    ],
    "notes": {"workflow run": "https://github.com/acme/website/actions/runs/4711"},
}
LANE_STATE: Final[dict[str, Any]] = {
    "observed_at": "2026-01-08T10:30:00Z",
    "shape": "absent",
    "condition": None,
    "online": False,
    "busy": False,
    "labels": [],
    "directory_configured": False,
    "service_enabled": False,
    "service_active": False,
    "process_user": None,
    "baseline_ready": None,
    "unmeasured": {
        "condition": "there is no runner",
        "process_user": "there is no process",
        "baseline_ready": "nobody looked: the lane is not there yet",
    },
}
LANE: Final[dict[str, Any]] = {
    "schema_version": 1,
    "key": "website-lane-2026-01-08",
    "lane": "website",
    "host": "ci-1",
    "repository": "acme/website",
    "action": "create",
    "mode": "dry_run",
    "status": "planned",
    "occurred_at": "2026-01-08T10:30:05Z",
    "desired_state": {
        "repository": "acme/website",
        "host_name": "ci-1",
        "lane_name": "website",
        "registration_root": "/srv/runners",
        "service_user": "lane-website",
        "systemd_unit_name": "launchplane-runner@website.service",
        "labels": ["self-hosted", "launchplane", "launchplane-managed", "ci-1"],
        "runner_version_policy": "update",
        "managed": True,
    },
    "pre_state": LANE_STATE,
    "provider_evidence": {"runners": {"total_count": 0}},
}
