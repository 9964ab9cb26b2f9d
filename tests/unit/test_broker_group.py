"""One group: joining, leaving, being late, coming back, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from kio.schema.errors import ErrorCode

from mesh_platform.broker.coordinator import Coordinator
from mesh_platform.broker.group import Group
from mesh_platform.broker.membership import GroupRefusal, Joined, Joining, State, subscribed_topics
from mesh_platform.broker.store import Commit, Store


@pytest_asyncio.fixture
async def group() -> AsyncIterator[Group]:
    made = Group("g", lambda _: None)
    yield made
    made.close()


def joining(
    member: str = "",
    *,
    instance: str | None = None,
    protocols: dict[str, bytes] | None = None,
    rebalance_ms: int = 60_000,
    session_ms: int = 60_000,
) -> Joining:
    named = protocols or {"range": b""}
    return Joining(
        member, instance, "client", "/host", session_ms, rebalance_ms, "consumer", named, False, True
    )


async def code_of(awaitable: object) -> ErrorCode:
    with pytest.raises(GroupRefusal) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value.code


async def stable(group: Group, *requests: Joining) -> list[Joined]:
    joined = list(await asyncio.gather(*(group.join(request) for request in requests)))
    leader = next(j for j in joined if j.leader == j.member_id)
    plan = {member_id: member_id.encode() for member_id, _, _ in leader.members}
    others = [group.sync(j.member_id, None, j.generation, {}) for j in joined if j is not leader]
    await asyncio.gather(*others, group.sync(leader.member_id, None, leader.generation, plan))
    return joined


async def test_members_that_start_together_share_the_first_generation(group: Group) -> None:
    first, second = await asyncio.gather(group.join(joining()), group.join(joining()))
    assert (first.generation, second.generation, len(group.members)) == (1, 1, 2)


async def test_only_the_leader_learns_the_members(group: Group) -> None:
    joined = await asyncio.gather(group.join(joining()), group.join(joining()))
    assert sorted(len(j.members) for j in joined) == [0, 2]


async def test_a_dynamic_member_is_told_its_id_first(group: Group) -> None:
    request = Joining("", None, "c", "/h", 60_000, 60_000, "consumer", {"range": b""}, True, True)
    with pytest.raises(GroupRefusal) as caught:
        await group.join(request)
    assert caught.value.code == ErrorCode.member_id_required
    assert (await group.join(joining(caught.value.member_id))).generation == 1


async def test_each_member_gets_what_the_leader_gave_it(group: Group) -> None:
    joined = await stable(group, joining(), joining())
    assert [group.members[j.member_id].assignment for j in joined] == [j.member_id.encode() for j in joined]


async def test_the_protocol_is_one_that_all_support(group: Group) -> None:
    one = joining(protocols={"sticky": b"", "range": b""})
    two = joining(protocols={"range": b""})
    joined = await asyncio.gather(group.join(one), group.join(two))
    assert {j.protocol for j in joined} == {"range"}


async def test_a_member_without_a_common_protocol_is_refused(group: Group) -> None:
    await stable(group, joining())
    assert (
        await code_of(group.join(joining(protocols={"other": b""}))) == ErrorCode.inconsistent_group_protocol
    )


async def test_an_unknown_member_is_refused(group: Group) -> None:
    assert await code_of(group.join(joining("nobody"))) == ErrorCode.unknown_member_id


async def test_a_newcomer_calls_the_others_back(group: Group) -> None:
    (first,) = await stable(group, joining())
    waiting = asyncio.create_task(group.join(joining()))
    await asyncio.sleep(0)
    with pytest.raises(GroupRefusal) as caught:
        group.heartbeat(first.member_id, None, first.generation)
    assert caught.value.code == ErrorCode.rebalance_in_progress
    again = await group.join(joining(first.member_id))
    assert (again.generation, (await waiting).generation) == (2, 2)


async def test_a_member_that_does_not_join_again_in_time_is_dropped(group: Group) -> None:
    (first,) = await stable(group, joining(rebalance_ms=50))
    newcomer = await group.join(joining(rebalance_ms=50))
    assert (newcomer.leader, first.member_id in group.members) == (newcomer.member_id, False)


async def test_a_silent_member_is_dropped(group: Group) -> None:
    await stable(group, joining(session_ms=50))
    await asyncio.sleep(0.15)
    assert group.state is State.EMPTY


async def test_a_heartbeat_keeps_a_member(group: Group) -> None:
    (member,) = await stable(group, joining(session_ms=400))
    for _ in range(6):
        await asyncio.sleep(0.1)
        group.heartbeat(member.member_id, None, member.generation)
    assert group.state is State.STABLE


async def test_a_heartbeat_of_another_generation_is_refused(group: Group) -> None:
    (member,) = await stable(group, joining())
    with pytest.raises(GroupRefusal) as caught:
        group.heartbeat(member.member_id, None, 9)
    assert caught.value.code == ErrorCode.illegal_generation


async def test_the_last_to_leave_empties_the_group(group: Group) -> None:
    (member,) = await stable(group, joining())
    group.leave(member.member_id, None)
    assert (group.state, group.generation) == (State.EMPTY, 2)


async def test_a_member_that_never_syncs_does_not_hold_up_the_others(group: Group) -> None:
    joined = await asyncio.gather(group.join(joining(rebalance_ms=60)), group.join(joining(rebalance_ms=60)))
    follower = next(j for j in joined if j.leader != j.member_id)
    code = await code_of(group.sync(follower.member_id, None, follower.generation, {}))
    assert (code, list(group.members)) == (ErrorCode.rebalance_in_progress, [follower.member_id])


async def test_a_static_member_comes_back_to_its_assignment_without_a_rebalance(group: Group) -> None:
    (first,) = await stable(group, joining(instance="one"))
    back = await group.join(joining(instance="one"))
    assignment = await group.sync(back.member_id, "one", back.generation, {})
    assert (back.generation, back.skip_assignment, assignment) == (1, True, first.member_id.encode())


async def test_the_former_self_of_a_static_member_is_fenced(group: Group) -> None:
    (first,) = await stable(group, joining(instance="one"))
    await group.join(joining(instance="one"))
    with pytest.raises(GroupRefusal) as caught:
        group.heartbeat(first.member_id, "one", first.generation)
    assert caught.value.code == ErrorCode.fenced_instance_id


async def test_a_static_member_may_leave_by_its_instance_id(group: Group) -> None:
    await stable(group, joining(instance="one"))
    group.leave("", "one")
    assert group.state is State.EMPTY


async def test_between_join_and_sync_nobody_commits(group: Group) -> None:
    member = await group.join(joining())
    with pytest.raises(GroupRefusal) as caught:
        group.check_commit(member.member_id, None, member.generation)
    assert caught.value.code == ErrorCode.rebalance_in_progress


async def test_without_members_anyone_may_commit(group: Group) -> None:
    group.check_commit("", None, -1)


async def test_with_members_a_stranger_may_not_commit(group: Group) -> None:
    await stable(group, joining())
    with pytest.raises(GroupRefusal) as caught:
        group.check_commit("", None, -1)
    assert caught.value.code == ErrorCode.unknown_member_id


async def test_the_first_generation_does_not_wait_for_who_was_only_told_its_id(group: Group) -> None:
    with pytest.raises(GroupRefusal):
        await group.join(Joining("", None, "c", "/h", 60_000, 60_000, "consumer", {"range": b""}, True, True))
    assert (await group.join(joining())).generation == 1


async def test_who_was_told_its_id_may_still_come_after_the_first_generation(group: Group) -> None:
    with pytest.raises(GroupRefusal) as caught:
        await group.join(Joining("", None, "c", "/h", 60_000, 60_000, "consumer", {"range": b""}, True, True))
    (first,) = await stable(group, joining())
    late = asyncio.create_task(group.join(joining(caught.value.member_id)))
    await asyncio.sleep(0)
    assert (await group.join(joining(first.member_id))).generation == (await late).generation == 2


async def test_another_protocol_than_that_of_the_group_gets_no_assignment(group: Group) -> None:
    member = await group.join(joining())
    sync = group.sync(member.member_id, None, member.generation, {}, ("consumer", "roundrobin"))
    assert await code_of(sync) == ErrorCode.inconsistent_group_protocol


DAY = 86_400_000


class Rig:
    """A coordinator whose clock is a number."""

    def __init__(self, folder: Path) -> None:
        self.now = 100 * DAY
        self.store = Store(folder / "store", synchronous="off")
        self.coordinator = Coordinator(self.store, lambda: self.now)

    def commit(self, group_id: str) -> None:
        self.store.save_commits(group_id, [Commit("t", 0, 5, -1, "")])
        self.coordinator.use(group_id)

    def after(self, days: float) -> bool:
        """Whether the group is still there, and its offsets, so many days later."""
        self.now += int(days * DAY)
        self.coordinator.expire(7 * DAY)
        known = "g" in self.coordinator.groups
        assert known is bool(self.store.commits("g"))
        return known

    def restart(self) -> None:
        self.coordinator.close()
        self.coordinator = Coordinator(self.store, lambda: self.now)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.coordinator.close()
    made.store.close()


def test_offsets_are_forgotten_seven_days_after_the_last_commit(rig: Rig) -> None:
    rig.commit("g")
    assert [rig.after(6.9), rig.after(0.2)] == [True, False]


def test_a_commit_keeps_a_group_for_seven_more_days(rig: Rig) -> None:
    rig.commit("g")
    assert rig.after(6)
    rig.commit("g")
    assert [rig.after(6), rig.after(2)] == [True, False]


def test_a_restart_does_not_forget_when_a_group_was_used(rig: Rig) -> None:
    rig.commit("g")
    assert rig.after(1)
    rig.commit("g")
    rig.now += 5 * DAY
    rig.restart()
    assert [rig.after(1.9), rig.after(0.2)] == [True, False]


def test_offsets_that_wait_for_a_transaction_keep_their_group(rig: Rig) -> None:
    rig.commit("g")
    rig.store.save_pending_commits("tx", "g", [Commit("t", 0, 6, -1, "")])
    assert rig.after(99)


async def test_a_group_with_a_member_keeps_its_offsets(rig: Rig) -> None:
    rig.commit("g")
    group = rig.coordinator.group("g")
    (member,) = await stable(group, joining())
    assert rig.after(99)
    group.leave(member.member_id, None)
    assert [rig.after(6), rig.after(2)] == [True, False]


@pytest.mark.parametrize("metadata", [b"", b"\0", b"\0\1\xff\xff\xff\xff", b"\0\1\0\0\0\1\0\2\xff\xff"])
def test_a_subscription_that_cannot_be_read_subscribes_to_nothing_real(metadata: bytes) -> None:
    assert [topic for topic in subscribed_topics(metadata) if topic] == []
