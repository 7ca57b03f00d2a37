"""Every rule of the schema: what is accepted, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from restoops.config.check import Checked, check
from restoops.config.schema import Settings
from restoops.config.yamltext import parse


def checked(text: str, environ: Mapping[str, str] | None = None, chosen: str = "local") -> Checked:
    parsed = parse(text)
    assert not parsed.faults
    return check(parsed.value, environ or {}, chosen)


def faults(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    return list(dict.fromkeys(map(str, checked(text, environ).faults)))


@pytest.mark.parametrize("text", ["", "# only a comment", "app:", "environments:", "{}", "null"])
def test_nothing_under_a_heading_means_the_defaults(text: str) -> None:
    result = checked(text)

    assert (result.settings, result.faults) == (Settings(), ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("app: {name: no}", id="a text that YAML 1.1 takes for false"),
        pytest.param("image: {repository: 1234/5678}", id="a repository of digits"),
        pytest.param("registry: {host: 'localhost:5000'}", id="a registry with a port"),
        pytest.param("registry: {host: 127.0.0.1}", id="a registry by address"),
        pytest.param("container: {volumes: ['data:/data', '/srv:/srv:ro']}", id="volumes"),
        pytest.param("container: {memory_mb: null, cpus: 0.5}", id="no limit"),
        pytest.param("container: {init: yes}", id="a switch in plain English"),
        pytest.param("proxy: {image: 'haproxy:3.2'}", id="an image of Docker Hub"),
        pytest.param(f"proxy: {{image: 'r:5000/h@sha256:{'a' * 64}'}}", id="an image by digest"),
        pytest.param("health: {path: '/api/health?full=1'}", id="a path with a query"),
        pytest.param("health: {timeout_s: 1.5}", id="a part of a second"),
        pytest.param("network: {subnet: 192.168.7.0/27}", id="the smallest subnet"),
        pytest.param("ssh: {key: ~/.ssh/id_ed25519, user: root, port: 2222}", id="ssh"),
        pytest.param("host: {state_dir: /home/deploy/.restoops}", id="a hidden directory"),
        pytest.param("environments: {a: {hosts: ['2001:db8::1', 10.0.0.1, a_b.c]}}", id="hosts"),
        pytest.param("environments: {a: {connection: local}}", id="another local environment"),
        pytest.param("environments: {a: {terraform: {directory: tf}}}", id="terraform"),
        pytest.param("release: {command: npm run migrate}", id="a command on one line"),
        pytest.param("release: {command: \"sh -c 'a b'\"}", id="a command with quotes"),
        pytest.param("release: {command: [sh, -c, 'a && b > $C']}", id="a shell, given as such"),
        pytest.param("release: {command: [x, '']}", id="an empty argument"),
        pytest.param("release: {command: []}", id="no command"),
        pytest.param('release: {command: [sh, -c, "a\\n\\tb\\n"]}', id="a script of lines"),
        pytest.param("fleet: {policy: quorum, quorum: 3}", id="a quorum"),
        pytest.param("public: {url: 'https://api.example.com', http_port: null}", id="an address"),
        pytest.param(
            "public: {url: 'http://[2001:db8::1]:3001/v1'}", id="one by IPv6, with a path"
        ),
        pytest.param("smoke: {checks: [{name: 'GET /menu', path: /menu}]}", id="a smoke check"),
        pytest.param(
            "smoke: {checks: [{name: a, path: /, json_values: {'$.a[0].b': '*', a.b: '1'}, "
            "headers: {Content-Type: 'application/json*'}, latency_ms: 500}]}",
            id="all that an answer can be asked for",
        ),
        pytest.param("environments: {a: {terraform: {directory: t, url: url}}}", id="its output"),
        pytest.param("hooks: {pre_deploy: [./a b/c], on_failure: notify}", id="hooks"),
        pytest.param(
            "fleet: {policy: quorum, quorum: 2}\n"
            "environments: {a: {hosts: [a], fleet: {policy: stop, quorum: null}}}",
            id="a quorum that an environment takes back",
        ),
        pytest.param(
            "environments: {a: {terraform: {directory: t}, fleet: {policy: quorum, quorum: 9}}}",
            id="a quorum of hosts that only Terraform knows",
        ),
    ],
)
def test_accepted(text: str) -> None:
    assert faults(text) == []


ARGV = 'Input should be a list of a program and its arguments, or both on one line, such as `["npm'
SHELL = "no shell runs it: give a list, "
HOST = "Input should be a host name or an IP address, without user or port"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apps: {}", "apps: unknown key, did you mean `app`?"),
        ("environment: {}", "environment: unknown key, did you mean `environments`?"),
        ("subnet: 1", "subnet: unknown key, did you mean `network.subnet`?"),
        ("xyzzy: 1", "xyzzy: unknown key"),
        ("app: 5", "app: Input should be a mapping"),
        ("environments: []", "environments: Input should be a mapping"),
        ("app: {name: Menu}", "app.name: Input should be lower-case letters"),
        ("app: {name: -x}", "app.name: Input should be lower-case letters"),
        ("app: {name: }", "app.name: has no value: give one, or remove the key"),
        ("app: {name: ''}", "app.name: Input should be lower-case letters"),
        ('app: {name: "x\\n"}', "app.name: Input should be lower-case letters"),
        ("registry: {host: 'https://ghcr.io'}", "registry.host: Input should be `host`"),
        ("registry: {host: 'ghcr.io:99999'}", "registry.host: Input should be `host`"),
        ("registry: {plain_http: maybe}", "registry.plain_http: Input should be a valid boolean"),
        ("image: {repository: a//b}", "image.repository: Input should be a path"),
        ("image: {repository: ../b}", "image.repository: Input should be a path"),
        ("image: {keep: 1}", "image.keep: Input should be greater than or equal to 2"),
        ("image: {keep: true}", "image.keep: Input should be a valid integer"),
        ("container: {port: 22:22}", "container.port: Input should be a valid integer"),
        ("container: {port: 0}", "container.port: Input should be greater"),
        ("container: {volumes: 'a:/b'}", "container.volumes: Input should be a list"),
        ("container: {volumes: ['./data:/data']}", "container.volumes.0: Input should be `volume:"),
        ("container: {volumes: ['a:/b:rwx']}", "container.volumes.0: Input should be `volume:"),
        ("container: {environment: [A=b]}", "container.environment: Input should be a mapping"),
        ("container: {environment: {1A: b}}", "container.environment.1A: Input should be the name"),
        ("container: {environment: {'A=b': c}}", "container.environment.A: Input should be the"),
        ("container: {environment: {A: }}", "container.environment.A: has no value"),
        ('container: {environment: {A: "b\\nc"}}', "container.environment.A: Input should be one"),
        ("container: {cpus: nan}", "container.cpus: Input should be a finite number"),
        ("container: {cpus: 0}", "container.cpus: Input should be greater than 0"),
        ("container: {memory_mb: 5}", "container.memory_mb: Input should be greater"),
        ("proxy: {port: 80}", "proxy.port: Input should be greater than or equal to 1024"),
        ("proxy: {image: '-v'}", "proxy.image: Input should be an image"),
        ("public: {url: 'api.example.com'}", "public.url: Input should be an address such as"),
        ("public: {url: 'https://me:pw@a.example'}", "public.url: Input should be an address such"),
        ("public: {url: 'https://a.example/'}", "public.url: Input should be an address such as"),
        ("public: {url: 'https://a.example?x=1'}", "public.url: Input should be an address such"),
        ("public: {url: 'https://a.example:0'}", "public.url: Input should be an address such as"),
        ("public: {url: 'ftp://a.example'}", "public.url: Input should be an address such as"),
        ("smoke: {checks: [{path: /}]}", "smoke.checks.0.name: Field required"),
        ("smoke: {checks: [{name: a, path: x}]}", "smoke.checks.0.path: Input should be a path"),
        (
            "smoke: {checks: [{name: a, path: /, nmae: b}]}",
            "smoke.checks.0.nmae: unknown key, did you mean `name`?",
        ),
        (
            "smoke: {checks: [{name: a, path: /, json_values: {'a[': b}}]}",
            "smoke.checks.0.json_values.a[: Input should be a path into JSON",
        ),
        (
            "smoke: {checks: [{name: a, path: /, send_headers: {Content-Length: 5}}]}",
            "smoke.checks.0.send_headers.Content-Length: Input should be the name of a header",
        ),
        (
            "smoke: {checks: [{name: a, path: /, send_headers: {x-who: Zoë}}]}",
            "smoke.checks.0.send_headers.x-who: Input should be one line of ASCII",
        ),
        (
            "smoke: {checks: [{name: a, path: /}, {name: a, path: /b}]}",
            "smoke.checks: a name is given more than once: a",
        ),
        (
            "smoke: {checks: [{name: a, path: /, latency_ms: 6000}]}",
            "smoke.checks.0: `latency_ms` is longer than `timeout_s`",
        ),
        (
            "smoke: {checks: [{name: a, path: /, method: HEAD, json_values: {a: b}}]}",
            "smoke.checks.0: an answer to `HEAD` has no JSON: take out `json_values`",
        ),
        ("health: {path: health}", "health.path: Input should be a path that starts with `/`"),
        ("health: {path: '/a b'}", "health.path: Input should be a path"),
        ("health: {path: '/\"'}", "health.path: Input should be a path"),
        ("health: {path: /a#b}", "health.path: Input should be a path"),
        ("health: {timeout_s: inf}", "health.timeout_s: Input should be a finite number"),
        ("health: {timeout: 5}", "health.timeout: unknown key, did you mean `timeout_s`?"),
        ("network: {subnet: 8.8.8.0/24}", "network.subnet: Input should be a private IPv4"),
        ("network: {subnet: 172.30.0.1/24}", "network.subnet: Input should be a private IPv4"),
        ("network: {subnet: 10.0.0.0/28}", "network.subnet: Input should be a private IPv4"),
        ("network: {subnet: 'fd00::/64'}", "network.subnet: Input should be a private IPv4"),
        ("ssh: {user: -oProxyCommand=x}", "ssh.user: Input should be a user name"),
        ("ssh: {key: ''}", "ssh.key: Input should be a path"),
        ("host: {state_dir: /var/../etc}", "host.state_dir: Input should be an absolute path"),
        ("host: {state_dir: var/lib}", "host.state_dir: Input should be an absolute path"),
        ("host: {state_dir: '/a b'}", "host.state_dir: Input should be an absolute path"),
        ("release: {command: 'a && b'}", f"release.command: {SHELL}"),
        ("release: {command: 'echo $HOME'}", f"release.command: {SHELL}"),
        ("release: {command: 'a; b'}", f"release.command: {SHELL}"),
        ("release: {command: 'a > b'}", f"release.command: {SHELL}"),
        ('release: {command: "it\'s"}', "release.command: has a quote or a backslash that is not"),
        ("release: {command: ''}", f"release.command: {ARGV}"),
        ("release: {command: {npm: run}}", f"release.command: {ARGV}"),
        ("release: {command: ['', a]}", f"release.command: {ARGV}"),
        ("release: {command: [npm, [run]]}", "release.command.1: Input should be a valid string"),
        ("release: {command: [npm, null]}", "release.command.1: "),
        ('release: {command: [npm, "\\e"]}', "release.command.1: Input should be text without"),
        ("release: {commands: a}", "release.commands: unknown key, did you mean `command`?"),
        ("release: {timeout_s: 0}", "release.timeout_s: Input should be greater than 0"),
        ("hooks: {pre-deploy: a}", "hooks.pre-deploy: unknown key, did you mean `pre_deploy`?"),
        ("fleet: {policy: all}", "fleet.policy: Input should be 'all-or-nothing', 'stop' or 'quo"),
        ("fleet: {policy: quorum}", "fleet: `policy: quorum` needs `quorum`"),
        ("fleet: {quorum: 2}", "fleet: `quorum` goes with `policy: quorum`, not with `policy: all"),
        ("fleet: {policy: quorum, quorum: 0}", "fleet.quorum: Input should be greater than or"),
        ("fleet: {parallel: 0}", "fleet.parallel: Input should be greater than or equal to 1"),
        ("fleet: {deadline_s: 0}", "fleet.deadline_s: Input should be greater than or equal to 1"),
    ],
)
def test_refused(text: str, told: str) -> None:
    (fault,) = faults(text)

    assert fault.startswith(told)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ("", "environments.e: needs `hosts` or `terraform`, or `connection: local`"),
        ("5", "environments.e: Input should be a mapping"),
        ("{connection: telnet}", "environments.e.connection: Input should be 'ssh' or 'local'"),
        ("{hosts: }", "environments.e: needs `hosts` or `terraform`, or `connection: local`"),
        ("{hosts: web}", "environments.e.hosts: Input should be a list"),
        ("{hosts: [a, b, A]}", "environments.e.hosts: given more than once: a"),
        ("{hosts: [-oProxyCommand=x]}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: [deploy@web]}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: ['web:22']}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: [10.0.0.256]}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: ['web; rm -rf /']}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: ['fe80::1%eth0']}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: ['']}", f"environments.e.hosts.0: {HOST}"),
        ("{hosts: [a], terraform: {directory: t}}", "environments.e: takes `hosts` or `terraform`"),
        ("{connection: local, hosts: [a]}", "environments.e: `connection: local` takes neither"),
        ("{terraform: {}}", "environments.e.terraform.directory: Field required"),
        ("{terraform: tf}", "environments.e.terraform: Input should be a mapping"),
        ("{terraform: {dir: t, directory: t}}", "environments.e.terraform.dir: unknown key"),
        (
            "{terraform: {directory: t, output: -json}}",
            "environments.e.terraform.output: Input should be the name of a Terraform output",
        ),
        (
            "{terraform: {directory: t, address: both}}",
            "environments.e.terraform.address: Input should be 'public' or 'private'",
        ),
        ("{hosts: [a], host: web}", "environments.e.host: Input should be a mapping"),
        ("{hosts: [a], swap: {x: 1}}", "environments.e.swap.x: unknown key"),
        ("{hosts: [a], overrides: {}}", "environments.e.overrides: unknown key"),
        (
            "{hosts: [a, b], fleet: {policy: quorum, quorum: 3}}",
            "environments.e.fleet.quorum: more than the hosts of environment e, which has 2",
        ),
        (
            "{hosts: [a, b], fleet: {policy: quorum}}",
            "environments.e.fleet: `policy: quorum` needs `quorum`",
        ),
        ("{hosts: [a], conection: ssh}", "environments.e.conection: unknown key, did you mean"),
    ],
)
def test_refused_in_an_environment(environment: str, told: str) -> None:
    (fault,) = faults(f"environments: {{e: {environment}}}" if environment else "environments: {e}")

    assert fault.startswith(told)


def test_a_quorum_is_compared_with_the_hosts_of_each_environment_and_of_the_chosen_one() -> None:
    text = """
fleet: {policy: quorum, quorum: 2}
environments: {one: {hosts: [a]}, two: {hosts: [a, b]}}
"""
    environ = {"RESTOOPS_FLEET__QUORUM": "3"}

    told = [str(fault) for fault in checked(text, environ, "two").faults]

    assert told == [
        "fleet.quorum: more than the hosts of environment one, which has 1",
        "RESTOOPS_FLEET__QUORUM: more than the hosts of environment two, which has 2",
    ]


def test_a_section_at_odds_with_itself_is_named_by_what_was_laid_into_it() -> None:
    base, own = "fleet: {policy: quorum, quorum: 1}", "{hosts: [a], fleet: {policy: stop}}"
    (told,) = faults(f"{base}\nenvironments: {{e: {own}}}")

    assert told.startswith("environments.e.fleet.policy: `quorum` goes with `policy: quorum`")
    (told,) = faults("", {"RESTOOPS_FLEET__POLICY": "quorum"})
    assert told.startswith("RESTOOPS_FLEET__POLICY: `policy: quorum` needs `quorum`")


def test_a_command_is_split_as_a_shell_would_and_taken_as_it_is_from_a_list() -> None:
    environ = {
        "RESTOOPS_HOOKS__PRE_DEPLOY": "./notify 'a b' 07",
        "RESTOOPS_HOOKS__POST_DEPLOY": '["./notify", "a b", 07, no]',
        "RESTOOPS_HOOKS__ON_FAILURE": "",
    }
    settings = checked("hooks: {on_failure: page me}", environ).settings

    assert settings is not None
    assert settings.hooks.pre_deploy == ("./notify", "a b", "07")
    assert settings.hooks.post_deploy == ("./notify", "a b", "07", "no")
    assert settings.hooks.on_failure == ()


def test_a_fault_of_the_file_is_told_once_however_many_environments_inherit_it() -> None:
    text = "health: {path: x}\nenvironments: {a: {hosts: [a]}, b: {hosts: [b], health: {path: /}}}"

    (fault,) = faults(text)

    assert fault.startswith("health.path: ")


def test_a_fault_is_named_after_the_place_that_wrote_it() -> None:
    text = """
container: {environment: {A: a}, volumes: [x]}
environments:
  one: {hosts: [a], container: {environment: {B: [1]}}, swap: {drain_s: -1}}
"""
    environ = {
        "RESTOOPS_CONTAINER__ENVIRONMENT__C": "x\ny",
        "RESTOOPS_CONTAINER__VOLUMES": "[y]",
        "RESTOOPS_SWAP__WARM_S": "x",
    }

    places = [str(fault.where) for fault in check(parse(text).value, environ, "one").faults]

    assert list(dict.fromkeys(places)) == [
        "container.volumes.0",
        "environments.one.container.environment.B",
        "environments.one.swap.drain_s",
        "RESTOOPS_CONTAINER__ENVIRONMENT__C",
        "RESTOOPS_CONTAINER__VOLUMES.0",
        "RESTOOPS_SWAP__WARM_S",
    ]


def test_lists_are_replaced_and_mappings_merged() -> None:
    text = """
container: {environment: {A: a, B: b}, volumes: [aa:/a]}
environments: {one: {hosts: [a], container: {environment: {B: c}, volumes: [bb:/b]}, ssh: }}
"""

    settings = checked(text, chosen="one").settings

    assert settings is not None
    assert settings.container.environment == {"A": "a", "B": "c"}
    assert settings.container.volumes == ("bb:/b",)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("RESTOOPS_HEALTH__TIMEOUT_S", "", "Input should be a valid number"),
        ("RESTOOPS_HELTH__TIMEOUT_S", "1", "unknown variable, did you mean `RESTOOPS_HEALTH__TIM"),
        ("RESTOOPS_HEALTH__TIMEOUT_S__X", "1", "unknown variable, did you mean `RESTOOPS_HEALTH"),
        ("RESTOOPS__HEALTH__PATH", "/", "unknown variable, did you mean `RESTOOPS_HEALTH__PATH`?"),
        ("RESTOOPS_QQQ__ZZZ", "1", "unknown variable"),
        ("RESTOOPS_CONTAINER__", "1", "unknown variable"),
        ("RESTOOPS___", "1", "unknown variable"),
        ("RESTOOPS_CONTAINER__VOLUMES", "[", "line "),
        ("RESTOOPS_CONTAINER__VOLUMES", "a:/b", "Input should be a list"),
        ("RESTOOPS_CONTAINER__ENVIRONMENT", "A", "Input should be a mapping"),
        ("RESTOOPS_CONTAINER__ENVIRONMENT", "{A: 1, A: 2}", "A: given twice, in lines 1 and 1"),
        ("RESTOOPS_CONTAINER__ENVIRONMENT__", "x", "Input should be the name of a variable"),
        ("RESTOOPS_IMAGE__REPOSITORY", "\udcff", "Input should be a valid string, unable to parse"),
        ("RESTOOPS_CONTAINER__VOLUMES", "\udcff", "line 1: not Unicode text"),
    ],
)
def test_a_faulty_variable_is_named(name: str, value: str, told: str) -> None:
    (fault,) = faults("", {name: value})

    where, _, what = fault.partition(": ")
    assert where.startswith(name)
    assert what.startswith(told)


@pytest.mark.parametrize(
    "environ",
    [
        {"RESTOOPS_CONFIG": "x"},
        {"RESTOOPS_CONTAINER__ENVIRONMENT": ""},
        {"RESTOOPS_CONTAINER__ENVIRONMENT__A__B": "1.10"},
        {"RESTOOPS_CONTAINER__VOLUMES": '["aa:/b"]'},
        {"RESTOOPS_container__port": "8080"},
        {"restoops_container__port": "x", "XRESTOOPS_A__B": "x"},
    ],
)
def test_variables_that_are_no_fault(environ: dict[str, str]) -> None:
    assert faults("", environ) == []


def test_a_value_that_may_be_a_secret_is_never_told() -> None:
    text = "container: {environment: {TOKEN: [hunter2], 'KEY=hunter2': [hunter2], B: {c: hunter2}}}"
    environ = {
        "RESTOOPS_CONTAINER__ENVIRONMENT__PW": "hunter2\n",
        "RESTOOPS_CONTAINER__ENVIRONMENT": '{"X": ["hunter2"',
        "RESTOOPS_SSH__KEY": "hunter2\n",
        "RESTOOPS_RELEASE__COMMAND": "login $hunter2",
        "RESTOOPS_HOOKS__PRE_DEPLOY": "login 'hunter2",
    }

    told = faults(text, environ)

    assert len(told) == 9
    assert not any("hunter2" in fault for fault in told)


def test_a_key_cannot_write_to_the_terminal() -> None:
    (fault,) = faults('"\\x1b[2J\\u202e": 1')

    assert fault == r"\x1b[2J\u202e: unknown key"
