"""Sixty days of resting heart rate in, tomorrow's forecast out, through the generated client."""

import argparse
import os
import random
import sys
from datetime import date, datetime, time, timedelta
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import httpx

from generated.vitalcast_client import AuthenticatedClient, Client, models
from generated.vitalcast_client.api.predictions import predict, train
from generated.vitalcast_client.api.service import ready
from generated.vitalcast_client.api.users import post_health_metrics, set_profile

ZONE = "Europe/Athens"
DAYS = 60
Answer = TypeVar("Answer")


def connect(url: str, key: str | None) -> AuthenticatedClient:
    timeout = httpx.Timeout(90)  # the default of 5 s is less than a training may take
    if key:
        return AuthenticatedClient(url, token=key, timeout=timeout, raise_on_unexpected_status=True)
    # A server that has no keys yet needs none, but the generated functions ask for this type.
    return cast(AuthenticatedClient, Client(url, timeout=timeout, raise_on_unexpected_status=True))


def reason(answer: object) -> str:
    """What an error says: `detail` is a sentence, or a list with an entry for each wrong value."""
    if isinstance(answer, models.Error):
        return f"{answer.code}: {answer.detail}"
    if isinstance(answer, models.ValidationError):
        faults = (f"{'.'.join(map(str, fault.loc))}: {fault.msg}" for fault in answer.detail)
        return f"{answer.code}: {'; '.join(faults)}"
    return f"unexpected answer: {answer}"


def expect(kind: type[Answer], answer: object) -> Answer:
    return answer if isinstance(answer, kind) else sys.exit(reason(answer))


def reading(day: date) -> models.HealthMetric:
    # Seeded by the day, so that a run on another day writes the same value for it.
    value = round(random.Random(day.toordinal()).gauss(58, 1.5), 1)
    waking = datetime.combine(day, time(7), ZoneInfo(ZONE))
    return models.HealthMetric(metric_type="RESTING_HEART_RATE", recorded_at=waking, value=value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=os.environ.get("VITALCAST_URL", "http://127.0.0.1:8001"))
    parser.add_argument("--key", default=os.environ.get("VITALCAST_KEY"))
    parser.add_argument("--user", default="example-python")
    args = parser.parse_args()
    client, user = connect(args.url, args.key), args.user

    state = expect(models.Ready, ready.sync(client=client))
    assert state.status == "ready", state

    # The zone decides when the person's days begin, so it is set before there are readings.
    profile = models.ProfileRequest(zone=ZONE)
    expect(models.Profile, set_profile.sync(user, client=client, body=profile))

    today = datetime.now(ZoneInfo(ZONE)).date()
    history = [reading(today - timedelta(days=ago)) for ago in range(DAYS, 0, -1)]
    first = expect(models.Written, post_health_metrics.sync(user, client=client, body=history))
    again = expect(models.Written, post_health_metrics.sync(user, client=client, body=history))
    print(f"{first.added} readings added, {first.unchanged} unchanged, {first.corrected} corrected")
    assert (again.added, again.unchanged) == (0, DAYS), again

    training = models.TrainModelRequest(
        user_id=user, metric="RESTING_HEART_RATE", architecture="exponential_smoothing"
    )
    model = expect(models.TrainModelResponse, train.sync(client=client, body=training))
    print(f"model {model.model_version}, trained on {model.first_day} to {model.last_day}")

    tomorrow = today + timedelta(days=1)
    question = models.PredictRequest(user_id=user, metric="RESTING_HEART_RATE", target_date=tomorrow)
    answer = expect(models.PredictResponse, predict.sync(client=client, body=question))
    p = answer.prediction
    lower, upper = p.confidence_interval_lower, p.confidence_interval_upper
    print(f"{answer.interpretation} ({p.interval_level:.0%} interval {lower:.1f} to {upper:.1f} bpm)")
    assert lower <= p.predicted_value <= upper, p

    # An error is an answer like any other: this person has no nights to forecast sleep from.
    question.metric = "SLEEP_DURATION"
    missing = expect(models.Error, predict.sync(client=client, body=question))
    print(reason(missing))
    assert missing.code == "NOT_ENOUGH_DATA", missing

    # No heart beats 900 times a minute; nothing of a body with a wrong value is kept.
    history[-1].value = 900
    refused = expect(models.ValidationError, post_health_metrics.sync(user, client=client, body=history))
    print(reason(refused))
    assert refused.detail[0].loc == ["body", DAYS - 1, "value"], refused


if __name__ == "__main__":
    main()
