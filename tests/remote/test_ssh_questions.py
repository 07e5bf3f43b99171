"""keyboard-interactive: rounds of questions, several proofs one after the other, and whom they reach."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paramiko
import pytest

from arenascope.errors import AuthenticationError, Cancelled, LinkError
from arenascope.remote.address import parse_address
from arenascope.remote.login import Round as Asked
from arenascope.remote.prompts import Question
from arenascope.remote.ssh import SshTransport
from arenascope.remote.ssh_limits import Limits
from tests.remote.test_ssh import Person
from tests.support.odd_ssh import VERDICT, Policy, Round, StartOdd
from tests.support.sshd import make_key

Connect = Callable[..., SshTransport]
CODE = Round([("Code:", False)], ["123456"])
PASSWORD = Round([("Password: ", False)], ["secret"])


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[SshTransport] = []

    def go(address: str, person: Person | None = None, **options: object) -> SshTransport:
        transport = SshTransport(parse_address(address), person, **options)  # type: ignore[arg-type]
        opened.append(transport)
        transport.connect()
        return transport

    yield go
    for transport in opened:
        transport.close()


def _rounds(*rounds: Round, **policy: object) -> Policy:
    return Policy(rounds=rounds, **policy)  # type: ignore[arg-type]


def test_several_questions_at_once_some_of_them_hidden(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(
        _rounds(
            Round(
                [("Card number:", True), ("PIN: ", False)],
                ["42", "ünlock"],
                title="Two \x1b[31mthings",
                instructions="Take your card.\nTurn it\u202e round.\n",
            )
        )
    )
    person = Person(answers=(["42", "ünlock"],))
    connect(server.address, person)
    assert person.rounds == [
        (
            "Two �[31mthings",
            "Take your card.\nTurn it� round.",
            (Question("Card number:", True), Question("PIN:", False)),
        )
    ]
    assert person.password_asked == []


def test_several_rounds_the_password_among_them(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(_rounds(PASSWORD, CODE, Round([], [], instructions="Welcome"), Round([], [])))
    person = Person(passwords=("secret",), answers=(["123456"],))
    connect(server.address, person)
    assert person.password_asked == [("pi", "127.0.0.1")]
    # The empty round had nothing to say, and nobody was bothered with it.
    assert person.rounds == [("", "", (Question("Code:", False),)), ("", "Welcome", ())]
    assert [what for what, _ in server.policy.heard] == ["answers"] * 4


def test_a_wrong_answer_may_be_given_again(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(_rounds(CODE))
    person = Person(answers=(["1"], ["2"], ["123456"]))
    connect(server.address, person)
    assert len(person.rounds) == 3


def test_but_not_for_ever(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(_rounds(CODE))
    person = Person(answers=(["1"], ["2"], ["3"], ["123456"]))
    with pytest.raises(AuthenticationError) as caught:
        connect(server.address, person)
    assert len(person.rounds) == 3
    assert "Tried the server's questions" in caught.value.detail


@pytest.mark.parametrize("person", [None, Person()])
def test_questions_that_nobody_answers(start_odd: StartOdd, connect: Connect, person: Person | None) -> None:
    server = start_odd(_rounds(CODE))
    with pytest.raises(AuthenticationError) as caught:
        connect(server.address, person)
    assert "questions of the server (nobody answered them)" in caught.value.detail
    assert server.policy.heard == []
    assert server.connections == 1


def test_a_key_and_then_a_code(start_odd: StartOdd, connect: Connect, private_home: Path) -> None:
    (private_home / ".ssh").mkdir()
    make_key(private_home / ".ssh" / "id_ed25519")
    key = paramiko.PKey.from_path(private_home / ".ssh" / "id_ed25519")
    server = start_odd(_rounds(CODE, key=key.asbytes()))
    person = Person(answers=(["1"], ["123456"]))
    connect(server.address, person)
    assert len(person.rounds) == 2
    assert server.policy.heard[0] == ("key", key.asbytes())


def test_a_password_and_then_a_code(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(_rounds(CODE, password="secret"))
    person = Person(passwords=("wrong", "secret"), answers=(["123456"],))
    connect(server.address, person)
    assert [what for what, _ in server.policy.heard] == ["password", "password", "answers"]


def test_what_was_proven_is_proven_again_on_a_new_connection(start_odd: StartOdd, connect: Connect) -> None:
    """A server that hangs up between the two steps: nobody is asked for the password twice."""
    server = start_odd(_rounds(CODE, password="secret"))

    class Slow(Person):
        def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
            if len(self.rounds) == 0:
                server.hang_up()
            return super().answers(title, instructions, questions)

    person = Slow(passwords=("secret",), answers=(["123456"], ["123456"]))
    connect(server.address, person)
    assert len(person.password_asked) == 1
    assert len(person.rounds) == 2
    assert server.connections == 2


def test_a_person_may_take_longer_than_a_server_may(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(_rounds(CODE))

    class Slow(Person):
        def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
            threading.Event().wait(0.5)  # longer than the limit below
            return super().answers(title, instructions, questions)

    connect(server.address, Slow(answers=(["123456"],)), limits=Limits(auth=0.3))


def test_a_server_that_does_not_say_whether_the_answers_are_right(
    start_odd: StartOdd, connect: Connect
) -> None:
    server = start_odd(_rounds(CODE, hang=VERDICT))
    with pytest.raises(LinkError, match=r"did not answer the login of pi within 0\.3 s"):
        connect(server.address, Person(answers=(["123456"],)), limits=Limits(auth=0.3))


def test_the_person_is_asked_on_the_connecting_thread(start_odd: StartOdd, connect: Connect) -> None:
    asked_on: list[threading.Thread] = []

    class Noting(Person):
        def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
            asked_on.append(threading.current_thread())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        connect(start_odd(_rounds(CODE)).address, Noting())
    assert asked_on == [threading.current_thread()]


def test_closing_ends_a_login_that_waits_for_its_server(start_odd: StartOdd) -> None:
    server = start_odd(_rounds(CODE, hang=VERDICT))
    transport = SshTransport(parse_address(server.address), Person(answers=(["123456"],)))
    said: list[type[Exception]] = []

    def connect() -> None:
        try:
            transport.connect()
        except (Cancelled, LinkError) as error:
            said.append(type(error))

    thread = threading.Thread(target=connect)
    thread.start()
    assert server.met.wait(10)
    transport.close()
    thread.join(10)
    assert said == [Cancelled]


def test_more_questions_than_anybody_can_mean(start_odd: StartOdd, connect: Connect) -> None:
    server = start_odd(_rounds(Round([("?", True)] * 40, ["x"] * 40)))
    person = Person(answers=(["x"] * 40,))
    with pytest.raises(AuthenticationError):
        connect(server.address, person)
    assert person.rounds == []


def test_texts_without_end_are_cut(start_odd: StartOdd, connect: Connect) -> None:
    long = "x" * 100_000
    server = start_odd(_rounds(Round([(long, True)], ["a"], title=long, instructions=f"{long}\n" * 50)))
    person = Person(answers=(["a"],))
    connect(server.address, person)
    ((title, instructions, (question,)),) = person.rounds
    assert len(title) + len(question.text) <= 600
    assert len(instructions) < 7000


@pytest.mark.parametrize(
    ("text", "shown", "is_password"),
    [
        ("Password: ", False, True),
        ("password", False, True),
        ("pi@board's password:", False, True),
        ("(pi@board) Password:", False, True),
        ("Password for pi@board:", False, True),
        ("Password:", True, False),
        ("New password:", False, False),
        ("Current password:", False, False),
        ("(current) UNIX password:", False, False),
        ("One-time password (OATH) for `pi':", False, False),
        ("Verification code:", False, False),
    ],
)
def test_which_question_is_the_password(text: str, shown: bool, is_password: bool) -> None:
    assert Asked("", "", (Question(text, shown),)).is_password is is_password
    assert not Asked("", "", (Question(text, shown), Question("Code:", False))).is_password
