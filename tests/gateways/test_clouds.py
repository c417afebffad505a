from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portal.errors import BadInput
from sync_setup.gateways.clouds import CLOUDS, load_clouds

SIMULATED = {
    "key": "simulated",
    "title": "Simulator",
    "authority": "https://localhost:9443",
    "graph": "https://localhost:9444/",
    "ews_url": "https://outlook.office365.com/EWS/Exchange.asmx",
    "metadata_url": "https://accounts.accesscontrol.windows.net/metadata/json/1",
    "server_table": "Global",
    "simulated": True,
    "ca_file": "ca.pem",
}


def written(tmp_path: Path, **changes: Any) -> Path:
    file = tmp_path / "clouds.json"
    row = {name: value for name, value in (SIMULATED | changes).items() if value is not ...}
    file.write_text(json.dumps({"clouds": [row]}))
    return file


def test_only_worldwide_gcc_and_gcc_high_are_documented() -> None:
    documented = {key for key, cloud in CLOUDS.items() if cloud.documented}

    assert documented == {"global", "gcc", "gcc-high"}
    assert all(CLOUDS[key].server_table for key in documented)
    assert not CLOUDS["dod"].server_table
    assert not CLOUDS["china"].server_table


def test_the_metadata_urls_are_those_of_the_servers_own_table() -> None:
    contract = json.loads(Path("sync_setup/jea/contract.json").read_text())

    for cloud in CLOUDS.values():
        if cloud.server_table:
            row = contract["clouds"][cloud.server_table]
            assert cloud.metadata_url == row["metadataUrl"]
            assert cloud.authorization_principal_id == row["principalId"]


def test_a_file_adds_a_cloud_and_its_ca_file_lies_beside_it(tmp_path: Path) -> None:
    clouds = load_clouds(written(tmp_path))

    cloud = clouds["simulated"]
    assert set(CLOUDS) < set(clouds)
    assert cloud.graph == "https://localhost:9444"
    assert cloud.ca_file == str(tmp_path / "ca.pem")
    assert cloud.route().simulated
    assert not cloud.documented


def test_without_a_file_there_are_the_built_in_clouds() -> None:
    assert load_clouds(None) == load_clouds("") == CLOUDS


def test_an_outbound_proxy_applies_where_a_cloud_has_none_of_its_own(tmp_path: Path) -> None:
    own = load_clouds(written(tmp_path, proxy="http://proxy-a:3128"))["simulated"]

    assert CLOUDS["global"].through(proxy="http://proxy:3128").proxy == "http://proxy:3128"
    assert own.through(proxy="http://proxy:3128").proxy == "http://proxy-a:3128"


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "global"},
        {"graph": ...},
        {"graph": 7},
        {"simulated": "yes"},
        {"colour": "blue"},
        {"simulated": False},
        {"graph": "http://localhost:9444"},
        {"graph": "https://169.254.169.254"},
        {"graph": "https://user:password@localhost"},
        {"graph": "https://localhost/?a=b"},
        {"server_table": "Moon"},
        {"authorization_principal_id": "none"},
    ],
)
def test_a_cloud_that_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        load_clouds(written(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"clouds": {}}', '{"clouds": [1]}'])
def test_a_file_that_is_no_list_of_clouds_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clouds.json"
    file.write_text(text)

    with pytest.raises(BadInput, match="cannot be used"):
        load_clouds(file)
    with pytest.raises(BadInput, match="cannot be read"):
        load_clouds(tmp_path / "nothing.json")
