"""Batches and throttling of Microsoft Graph."""

from __future__ import annotations

from typing import Any

from tests.simulator.clients import CRM_APP_ID, Clients, Graph


def batch(graph: Graph, items: list[dict[str, Any]]) -> Any:
    return graph.session.post(f"{graph.root}/$batch", json={"requests": items}, timeout=20)


def test_every_request_gets_its_own_answer(clients: Clients) -> None:
    items: list[dict[str, Any]] = [
        {"id": "a", "method": "GET", "url": "/organization"},
        {"id": "b", "method": "GET", "url": "/users"},
        {
            "id": "c",
            "method": "PATCH",
            "url": f"/servicePrincipals(appId='{CRM_APP_ID}')",
            "body": {"servicePrincipalNames": [CRM_APP_ID]},
            "headers": {"Content-Type": "application/json"},
        },
    ]

    answers = batch(clients.graph(), items).json()["responses"]

    assert {a["id"]: a["status"] for a in answers} == {"a": 200, "b": 403, "c": 204}


def test_one_request_of_a_batch_is_throttled(clients: Clients) -> None:
    clients.sim.add_dial(
        where="graph", match="/organization", fault="status", status=429, retry_after=7
    )
    items = [
        {"id": "1", "method": "GET", "url": "/organization"},
        {"id": "2", "method": "GET", "url": "/subscribedSkus"},
    ]

    answers = {a["id"]: a for a in batch(clients.graph(), items).json()["responses"]}

    assert answers["1"]["status"] == 429
    assert answers["1"]["headers"]["Retry-After"] == "7"
    assert answers["1"]["body"]["error"]["code"] == "TooManyRequests"
    assert answers["2"]["status"] == 200
    inner = [call for call in clients.sim.calls() if call.get("in_batch")]
    assert {call["path"]: call["status"] for call in inner} == {
        "/v1.0/organization": 429,
        "/v1.0/subscribedSkus": 200,
    }


def test_twenty_requests_are_the_limit(clients: Clients) -> None:
    items = [{"id": str(n), "method": "GET", "url": "/organization"} for n in range(21)]
    graph = clients.graph()

    assert batch(graph, items).status_code == 400
    assert batch(graph, items[:20]).status_code == 200


def test_ids_must_differ_and_batches_do_not_nest(clients: Clients) -> None:
    graph = clients.graph()
    same = [{"id": "1", "method": "GET", "url": "/organization"}] * 2
    nested = [{"id": "1", "method": "POST", "url": "/$batch", "body": {"requests": []}}]

    assert batch(graph, same).status_code == 400
    assert batch(graph, nested).json()["responses"][0]["status"] == 400


def test_calls_show_when_each_request_came(clients: Clients) -> None:
    clients.sim.add_dial(where="graph", fault="status", status=429, retry_after=1, times=1)
    graph = clients.graph()

    graph.get("/organization")
    graph.get("/organization")

    calls = [c for c in clients.sim.calls() if c["system"] == "graph"]
    assert [(c["method"], c["status"]) for c in calls] == [("GET", 429), ("GET", 200)]
    assert calls[0]["fault"] == "status"
    assert calls[0]["at"] <= calls[1]["at"]
