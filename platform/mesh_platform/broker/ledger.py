"""The ledger: every transactional id of this node, and what was decided, saved before it is carried out.

A decision and the group offsets that belong to it are one write. The markers follow; if the process ends in
between, `settle` writes those that are missing before anyone is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kio.schema.errors import ErrorCode

from mesh_platform.broker.batch import Batch
from mesh_platform.broker.log import Log
from mesh_platform.broker.store import Store
from mesh_platform.broker.transaction import LAST_EPOCH, State, Transaction, TransactionRefusal

Place = tuple[str, int]
#: Writes the marker of a decided transaction in a place where it is open; answers the log, or None.
WriteMarker = Callable[[Place, Transaction, int], Log | None]
_NOBODY = (-1, -1)


class Ledger:
    """Transactions by their id. Methods raise TransactionRefusal, OSError, sqlite3.Error."""

    def __init__(self, store: Store, write_marker: WriteMarker, *, syncs: bool) -> None:
        self._store = store
        self._write_marker = write_marker
        self._syncs = syncs
        self.transactions = {name: Transaction.load(saved) for name, saved in store.transactions().items()}
        self._holders = {t.producer_id: t.id for t in self.transactions.values()}

    async def hold(self, name: str, timeout_ms: int, claim: tuple[int, int], now: int) -> Transaction:
        """The next epoch for whoever asks; the former holder is fenced and its open transaction aborted.

        `claim` is the producer id and epoch that the asker had before, or (-1, -1).
        """
        known = self.transactions.get(name)
        if known is not None and known.is_ending:
            raise TransactionRefusal(ErrorCode.concurrent_transactions)
        if known is not None and claim != _NOBODY:
            if claim == (known.producer_id, known.last_epoch):
                return known
            if claim != (known.producer_id, known.epoch):
                raise TransactionRefusal(ErrorCode.producer_fenced)
        if known is not None and known.is_ongoing:
            own = claim != _NOBODY
            known = await self._end(known.fenced(by_itself=own), commits=False, now=now)
            if own:  # the epoch of its abort is its next one
                return self._save(replace(known, timeout_ms=timeout_ms))
        if known is None or known.epoch >= LAST_EPOCH:
            held = Transaction(name, self._store.next_producer_id(), 0, timeout_ms, updated=now)
        else:
            held = replace(
                known,
                epoch=known.epoch + 1,
                last_epoch=claim[1],
                timeout_ms=timeout_ms,
                state=State.EMPTY,
                started=-1,
                updated=now,
            )
        return self._save(held)

    def held(self, name: str, producer_id: int, epoch: int) -> Transaction:
        """The transaction, if this producer holds it."""
        known = self.transactions.get(name)
        if known is None or known.producer_id != producer_id:
            raise TransactionRefusal(ErrorCode.invalid_producer_id_mapping)
        if known.epoch != epoch:
            raise TransactionRefusal(ErrorCode.producer_fenced)
        return known

    def add(
        self, known: Transaction, now: int, places: Sequence[Place] = (), groups: Sequence[str] = ()
    ) -> None:
        """Take partitions or groups into the transaction, which begins with the first."""
        if known.is_ending:
            raise TransactionRefusal(ErrorCode.concurrent_transactions)
        if not known.is_ongoing or not (
            known.partitions.issuperset(places) and known.groups.issuperset(groups)
        ):
            self._save(known.adding(places, groups, now))

    async def end(self, known: Transaction, *, commits: bool, now: int) -> None:
        """Commit or abort; answers when every partition has its marker. Saying the same twice is fine."""
        if known.is_ending:
            raise TransactionRefusal(ErrorCode.concurrent_transactions)
        if not known.is_ongoing:
            said = State.COMPLETE_COMMIT if commits else State.COMPLETE_ABORT
            if known.state is not said:
                raise TransactionRefusal(ErrorCode.invalid_txn_state)
            return
        await self._end(known, commits=commits, now=now)

    def check(self, batch: Batch, place: Place, said: str | None) -> None:
        """Whether a transactional batch may be written there by who says to have this id."""
        if said is None:
            raise TransactionRefusal(ErrorCode.transactional_id_authorization_failed)
        name = self._holders.get(batch.producer_id)
        if name is None or name != said:
            raise TransactionRefusal(ErrorCode.invalid_producer_id_mapping)
        known = self.transactions[name]
        if known.epoch != batch.producer_epoch:
            raise TransactionRefusal(ErrorCode.invalid_producer_epoch)
        if not known.is_ongoing or place not in known.partitions:
            raise TransactionRefusal(ErrorCode.transaction_abortable)

    # Without anybody asking

    async def finish(self, now: int) -> None:
        """Write the markers that are missing of what was decided."""
        for known in tuple(self.transactions.values()):
            if known.is_ending:
                await self._finish(known, now)

    async def keep(self, now: int, expires_ms: int) -> None:
        """Finish what was decided, abort what is overdue, forget ids unused for `expires_ms`."""
        await self.finish(now)
        for known in tuple(self.transactions.values()):
            if known.is_overdue(now):
                await self._end(known.fenced(by_itself=True), commits=False, now=now)
            elif not known.is_ongoing and not known.is_ending and now - known.updated > expires_ms:
                self._store.forget_transaction(known.id)
                del self.transactions[known.id], self._holders[known.producer_id]

    async def settle(self, logs: Iterable[tuple[Place, Log]], now: int) -> None:
        """After a start: no transaction stays open in a partition that its coordinator holds for over.

        Only a power cut, or a torn tail, can leave one: its marker was written and is gone.
        """
        await self.finish(now)
        for place, log in logs:
            for producer_id in tuple(log.isolation.open):
                name = self._holders.get(producer_id)
                over = self.transactions[name] if name else Transaction("", producer_id, 0, 0)
                if place not in over.partitions:
                    self._write_marker(place, over, now)

    # What is saved

    async def _end(self, ongoing: Transaction, *, commits: bool, now: int) -> Transaction:
        return await self._finish(self._save(ongoing.deciding(commits=commits, now=now)), now)

    async def _finish(self, decided: Transaction, now: int) -> Transaction:
        markers = (self._write_marker(place, decided, now) for place in sorted(decided.partitions))
        written = [log for log in markers if log is not None]
        if self._syncs:
            for log in written:
                await asyncio.to_thread(log.sync)
        if self.transactions.get(decided.id) is not decided:  # upkeep was faster while we synced
            return self.transactions[decided.id]
        return self._save(decided.completed(now))

    def _save(self, changed: Transaction) -> Transaction:
        self._store.save_transaction(changed.id, changed.dump(), _fate(changed))
        former = self.transactions.get(changed.id)
        if former is not None and former.producer_id != changed.producer_id:
            del self._holders[former.producer_id]
        self.transactions[changed.id] = changed
        self._holders[changed.producer_id] = changed.id
        return changed


def _fate(changed: Transaction) -> str | None:
    """What becomes of the group offsets that wait for the transaction, with this change."""
    return {State.PREPARE_COMMIT: "commit", State.PREPARE_ABORT: "abort"}.get(changed.state)
