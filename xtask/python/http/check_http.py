"""Starts a server on a fresh folder, gives it a person with data, and lets Schemathesis at it.

    check_http.py SERVER FOLDER [EXAMPLES] [SEED]

Every check, phase and operation of both listeners. Ends with the exit status of Schemathesis.
"""

import datetime
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
NOW = "2026-06-30T12:00:00Z"
# Operations whose rules no schema can state; `hooks.refused_for_a_reason` looks at each refusal.
RULES = {
    "public": [
        "/api/predictions/train",
        "/api/predictions/tune",
        "/api/predictions/predict",
        "/api/predictions/predict/{user_id}/{metric}/{target_date}",
        "/api/interpretability/explain",
        "/api/interpretability/global-importance",
        "/api/interpretability/what-if",
        "/api/interpretability/counterfactual",
        "/api/interpretability/trajectory",
        "/api/users/{user_id}/meals",
        "/api/users/{user_id}/activities",
        "/api/users/{user_id}/health-metrics",
        "/api/users/{user_id}/tags",
        "/api/users/{user_id}/imports",
        "/api/users/{user_id}/uploads",
        "/api/users/{user_id}/uploads/{upload_id}",
        "/api/users/{user_id}/ingest/health-auto-export",
        "/api/users/{user_id}/profile",
        "/api/users/{user_id}/forecasts/{metric}",
        "/api/users/{user_id}/experiments",
        "/api/users/{user_id}/experiments/{experiment_id}/days/{day}",
        "/api/users/{user_id}/experiments/{experiment_id}/stop",
    ],
    "admin": ["/admin/keys"],
}
# What is there after a DELETE. One path is a person's list of models for GET and a model for DELETE, as in the
# contract: the list of somebody named like a deleted model is empty, not gone. And a job that is called off is
# cancelled, and stays in the list.
STAYS = [
    "/api/predictions/models/{id}",
    "/api/jobs/{job_id}",
    "/api/jobs/{job_id}/events",
]
# Where a length may be announced that is too large.
MAY_BE_TOO_LARGE = "/api/users/{user_id}/uploads"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(method, url, body=None, key=None):
    request = urllib.request.Request(url, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    if key:
        request.add_header("authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait_for(url, server):
    for _ in range(200):
        if server.poll() is not None:
            sys.exit("the server ended at once")
        try:
            return call("GET", url)
        except OSError:
            time.sleep(0.05)
    sys.exit("the server did not become ready")


def seed(base, admin):
    made = call("POST", f"{admin}/admin/keys", {"name": "schemathesis", "scopes": ["admin"]})
    key = made["token"]
    last = datetime.date.fromisoformat(NOW[:10])
    readings = []
    for back in range(120):
        day = last - datetime.timedelta(days=back)
        for metric, value in (
            ("RESTING_HEART_RATE", 58 + (back * 7) % 5),
            ("SLEEP_DURATION", 7 + ((back * 3) % 4) / 4),
        ):
            readings.append(
                {"recorded_at": f"{day}T06:00:00Z", "metric_type": metric, "value": value}
            )
    call("POST", f"{base}/api/users/seeded/health-metrics", readings, key)
    metrics = ("RESTING_HEART_RATE", "SLEEP_DURATION")

    def train(user, metric, architecture):
        body = {"user_id": user, "metric": metric, "architecture": architecture}
        body["force_retrain"] = True
        return call("POST", f"{base}/api/predictions/train", body, key)["model_id"]

    models = [
        train("seeded", metric, architecture)
        for metric in metrics
        for architecture in ("naive", "moving_average")
    ]
    # Of somebody else, so that those above stay.
    call("POST", f"{base}/api/users/spare/health-metrics", readings, key)
    spare = [train("spare", metrics[0], "naive") for _ in range(40)]
    jobs = call("GET", f"{base}/api/users/spare/jobs", key=key)["jobs"]
    plan = {"question": "Late food?", "metric": metrics[0], "condition_a": "none", "start": NOW[:10]}
    planned = call("POST", f"{base}/api/users/seeded/experiments", plan, key)
    schemas = call("GET", f"{base}/openapi.json")["components"]["schemas"]
    seeded = {
        "today": NOW[:10],
        "metrics": metrics,
        "models": models,
        "spare_models": spare,
        "jobs": [job["job_id"] for job in jobs],
        "experiment": planned["experiment"]["experiment_id"],
        "architectures": schemas["TrainModelRequest"]["properties"]["architecture"]["enum"],
    }
    return key, seeded


def configuration(url, key, listener, seed):
    lines = [
        f'base-url = "{url}"',
        f'headers = {{ Authorization = "Bearer {key}" }}',
        'hooks = "hooks"',
        f"seed = {seed}",
        "request-timeout = 60",
    ]
    for path in RULES[listener]:
        too_large = "413, " if path == MAY_BE_TOO_LARGE else ""
        lines += [
            "[[operations]]",
            f'include-path = "{path}"',
            "[operations.checks.positive_data_acceptance]",
            f'expected-statuses = ["2xx", 401, 403, 404, 409, {too_large}422]',
        ]
    if listener == "public":
        for path in STAYS:
            lines += [
                "[[operations]]",
                f'include-path = "{path}"',
                "[operations.checks.use_after_free]",
                "enabled = false",
            ]
    return "\n".join(lines) + "\n"


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    examples = sys.argv[3] if len(sys.argv) > 3 else "200"
    chance = sys.argv[4] if len(sys.argv) > 4 else "1"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base = f"http://127.0.0.1:{free_port()}"
    admin = f"http://127.0.0.1:{free_port()}"
    # Refusing a full queue or a fast client is right and tested elsewhere; here it would depend on how
    # busy the machine is.
    environment = dict(
        os.environ,
        VITALCAST_SERVER_LIMITS__RATE_PER_SECOND="0",
        VITALCAST_SERVER_JOBS__MAX_WAITING="100000",
        VITALCAST_SERVER_JOBS__MAX_WAITING_PER_USER="100000",
    )
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(
            [binary, "--data-dir", folder / "data", "--now", NOW]
            + ["--listen", base[7:], "--admin-listen", admin[7:]],
            stderr=log,
            env=environment,
        )
    failed = 0
    try:
        wait_for(f"{base}/ready", server)
        key, seeded = seed(base, admin)
        for listener, url in (("public", base), ("admin", admin)):
            work = folder / listener
            work.mkdir()
            shutil.copy(HERE / "hooks.py", work)
            (work / "schemathesis.toml").write_text(configuration(url, key, listener, chance))
            ran = subprocess.run(
                [pathlib.Path(sys.executable).parent / "schemathesis", "run"]
                # All checks, but for what the configuration says: with `--checks all` they ran on
                # operations that it names, too.
                + [f"{url}/openapi.json", "--max-examples", examples]
                # One worker: the same seed makes the same cases, and Python's parser, which names
                # strategies, has failed with two.
                + ["--continue-on-failure", "--workers", "1", "--no-color"]
                # As long as the service itself gives a request.
                + ["--max-response-time", "30"],
                cwd=work,
                env=dict(
                    os.environ,
                    PYTHONPATH=str(work),
                    VITALCAST_SEEDED=json.dumps(seeded),
                    VITALCAST_SEED=chance,
                ),
            )
            failed = failed or ran.returncode
        if server.poll() is not None:
            sys.exit("the server ended")
    finally:
        server.terminate()
        server.wait(timeout=60)
    # Whatever was sent, the log names no person and no route with something in it.
    text = (folder / "server.log").read_text()
    routes = set(re.findall(r'"route":"([^"]*)"', text))
    if "seeded" in text or any(re.search(r"\d{4}-\d\d", route) for route in routes):
        sys.exit("the log names a person or a day")
    sys.exit(failed)


if __name__ == "__main__":
    main()
