"""The same values in place, in threads, in processes and in a dask cluster; failing and dying workers; what is sent and when."""

import multiprocessing
import pickle
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from requirements import require
from scaling_tasks import (
    Counted,
    dies_at_seven,
    fails_at_seven,
    fails_in_two_parts,
    gives_a_function,
    largest_contribution,
    late_first,
    leaves_at_seven,
    number_of_loads,
    slow_square,
    square,
)

import symbolic_circuits as sc
from symbolic_circuits.errors import (
    ExecutorError,
    NotStartedError,
    SymbolicCircuitsError,
    TaskError,
    TermError,
    TokensError,
    WorkerError,
)
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.scaling.outcome import in_order
from symbolic_circuits.numeric.scaling.over_inputs import each_input
from symbolic_circuits.numeric.scaling.over_queries import each_query
from symbolic_circuits.numeric.scaling.over_terms import each_block
from symbolic_circuits.numeric.scaling.tasks import outcomes

KINDS = ["in place", "threads", "fork", "spawn", "dask"]
MODEL = "attn(2) bilinear attn(1) bilinear(tied)"


@pytest.fixture(scope="module", autouse=True)
def forked():
    """Two pools, one to be broken; their workers are forked before this process has threads, which a fork does not copy."""
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=fork) as executor, ProcessPoolExecutor(2, mp_context=fork) as doomed:
        for pool in (executor, doomed):
            assert in_order(outcomes(slow_square, range(4), executor=pool, chunk=1)) == [0, 1, 4, 9]
        yield executor, doomed


@pytest.fixture(scope="module")
def cluster():
    require("dask")
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def spawned():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def executor(request):
    """An executor of the kind that is the parameter."""
    if request.param == "dask":
        yield request.getfixturevalue("cluster").get_executor()
    elif request.param == "spawn":
        yield request.getfixturevalue("spawned")
    elif request.param == "fork":
        yield request.getfixturevalue("forked")[0]
    elif request.param == "threads":
        with ThreadPoolExecutor(2) as executor:
            yield executor
    else:
        yield None


everywhere = pytest.mark.parametrize("executor", KINDS, indirect=True)
in_processes = pytest.mark.parametrize("executor", ["fork", "spawn", "dask"], indirect=True)


class Counting(Executor):
    """Runs a submission when it is asked for its result; counts what is outstanding, and what it was given."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2)
        self.outstanding, self.most, self.submitted, self.cancelled = 0, 0, 0, 0

    def submit(self, function, /, *arguments) -> Future:
        future = self.pool.submit(function, *arguments)
        self.outstanding, self.submitted = self.outstanding + 1, self.submitted + 1
        self.most = max(self.most, self.outstanding)
        future.add_done_callback(self.came_back)
        return future

    def came_back(self, future: Future) -> None:
        self.outstanding -= 1
        self.cancelled += future.cancelled()


def case() -> tuple:
    weights = sc.Weights.random(MODEL, d=8, V=7, e=4, m=12, seed=3)
    batch = np.random.default_rng(5).integers(0, 7, (9, 6))
    return sc.path_expansion(MODEL), weights, batch


def same_bits(found: list, expected: list) -> bool:
    return len(found) == len(expected) and all(
        a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in zip(found, expected, strict=True)
    )


# tables


@everywhere
def test_every_item_has_its_value(executor: Executor | None) -> None:
    seen = []
    found = list(outcomes(square, range(50), executor=executor, progress=lambda done, total: seen.append((done, total))))
    assert seen == [(k + 1, 50) for k in range(50)]
    assert sorted((o.index, o.item, o.value) for o in found) == [(k, k, k * k) for k in range(50)]
    assert in_order(reversed(found)) == [k * k for k in range(50)]
    assert list(outcomes(square, [], executor=executor)) == [] and in_order([]) == []


@everywhere
def test_outcomes_come_as_they_are_completed(executor: Executor | None) -> None:
    found = [o.index for o in outcomes(late_first, range(8), executor=executor, chunk=1)]
    assert sorted(found) == list(range(8))
    assert found == list(range(8)) if executor is None else found.index(0) > 0


# laws


@pytest.mark.parametrize("chunk", [None, 4])
@everywhere
def test_values_are_the_same_bit_for_bit(executor: Executor | None, chunk: int | None) -> None:
    expansion, weights, batch = case()
    expected = [sc.total(expansion, weights, tokens) for tokens in batch]
    assert same_bits(in_order(each_input(sc.total, expansion, weights, batch, executor=executor, chunk=chunk)), expected)
    queries = ["attn.0[0]", "not attn.0[0]", "bilinear.* = 1", "order >= 99"]
    expected = [sc.total(expansion.where(query), weights, batch[0]) for query in queries]
    found = each_query(sc.total, expansion, queries, weights, batch[0], executor=executor, chunk=chunk)
    assert same_bits(in_order(found), expected)
    frozen, function = sc.freeze(weights, batch[0]), partial(sc.contributions, direction=3)
    expected = in_order(each_block(function, expansion, frozen, size=7))
    assert same_bits(in_order(each_block(function, expansion, frozen, size=7, executor=executor, chunk=chunk)), expected)


@everywhere
def test_any_function_of_an_input(executor: Executor | None) -> None:
    expansion, weights, batch = case()
    sums = in_order(each_input(partial(graded, by="height", positions=[-1]), expansion, weights, batch, executor=executor))
    assert [s.verdict for s in sums] == ["agrees"] * len(batch)
    expected = [graded(expansion, weights, tokens, by="height", positions=[-1]).streams for tokens in batch]
    assert same_bits([s.streams for s in sums], expected)
    own = partial(largest_contribution, token=2)
    assert in_order(each_input(own, expansion, weights, batch, executor=executor)) == [
        largest_contribution(expansion, weights, tokens, token=2) for tokens in batch
    ]
    lengths = [[1], [2, 3, 4], [5, 6]]
    assert [len(x) for x in in_order(each_input(sc.total, expansion, weights, lengths, executor=executor))] == [1, 3, 2]


# squares: what is sent


def test_what_is_sent_is_small_and_whole() -> None:
    expansion, weights, batch = case()
    expansion.number_of_terms, expansion.enumeration, expansion.tensors  # noqa: B018 (caches are not sent)
    frozen, query = sc.freeze(weights, batch[0]), expansion.where("attn.0[1] > bilinear.1.left and not heads >= 2")
    sums, asked = graded(expansion, weights, batch[0]), query.query
    for thing in (expansion, weights, frozen, query, sums, asked, expansion[5]):
        again = pickle.loads(pickle.dumps(thing))
        assert type(again) is type(thing)
    assert pickle.loads(pickle.dumps(asked)) == asked
    assert list(pickle.loads(pickle.dumps(query))) == list(query)
    assert pickle.loads(pickle.dumps(weights)).arrays["W_E"].flags.writeable is False
    assert len(pickle.dumps(expansion)) < 5_000
    assert same_bits([pickle.loads(pickle.dumps(frozen)).arrays["W_E"]], [frozen.arrays["W_E"]])


def test_weights_in_any_memory_order_give_the_same_bits() -> None:
    expansion, weights, batch = case()
    turned = {k: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0) for k, a in weights.arrays.items()}
    weights = sc.Weights(weights.model, turned)
    assert all(array.flags.c_contiguous for array in weights.arrays.values())
    sent = pickle.loads(pickle.dumps(weights))
    assert same_bits(*([sc.total(expansion, w, tokens) for tokens in batch] for w in (weights, sent)))


@in_processes
def test_what_is_shared_is_sent_about_once_a_worker(executor: Executor) -> None:
    shared, arrived = Counted(seed=time.time_ns()), {}  # of a content that no worker has
    for _ in range(2):  # the second time it is there
        for process, loads in in_order(outcomes(number_of_loads, range(40), shared=(shared,), executor=executor, chunk=1)):
            arrived.setdefault(process, set()).add(loads)
    assert 1 <= len(arrived) <= 2 and all(len(counts) == 1 for counts in arrived.values())


def test_few_submissions_are_outstanding() -> None:
    executor = Counting()
    assert in_order(outcomes(square, range(1000), executor=executor, chunk=1, window=5)) == [k * k for k in range(1000)]
    assert executor.most <= 5 and executor.submitted == 1000
    executor = Counting()
    assert in_order(outcomes(square, range(10**5), executor=executor))[-1] == (10**5 - 1) ** 2
    assert executor.most <= 256 and executor.submitted < 2000  # many items a submission


@pytest.mark.parametrize("stop", [KeyboardInterrupt, None])
def test_what_is_outstanding_is_cancelled_where_the_caller_stops(stop: type[BaseException] | None) -> None:
    executor = Counting()

    def interrupt(done: int, total: int) -> None:
        if done == 3 and stop:
            raise stop

    found = outcomes(slow_square, range(1000), executor=executor, chunk=1, window=20, progress=interrupt)
    values = [next(found).value for _ in range(2)]
    assert sorted(values) == [0, 1]
    if stop:
        with pytest.raises(stop):
            next(found)
    else:
        found.close()
    executor.pool.shutdown()
    assert executor.submitted < 30 and executor.cancelled + 12 > executor.submitted and executor.outstanding == 0


# errors


@pytest.mark.parametrize("function", [fails_at_seven, fails_in_two_parts, leaves_at_seven])
@everywhere
def test_a_failing_task_is_reported_with_its_input_and_the_others_go_on(executor: Executor | None, function) -> None:
    found = list(outcomes(function, range(20), executor=executor, chunk=3))
    (failed,) = [o for o in found if not o.is_done]
    assert (failed.index, failed.item) == (7, 7) and "seven" in str(failed.error) and "task 7, 7: " in str(failed)
    assert sorted(o.value for o in found if o.is_done) == [k for k in range(20) if k != 7]
    with pytest.raises(TaskError, match=r"1 of 20 tasks were not done; the first is task 7, 7: .*seven") as caught:
        in_order(found)
    assert [o.index for o in caught.value.outcomes] == list(range(20)) and caught.value.__cause__ is failed.error
    assert isinstance(caught.value, SymbolicCircuitsError)


@in_processes
def test_the_traceback_of_another_process_is_kept(executor: Executor) -> None:
    (failed,) = [o for o in outcomes(fails_at_seven, range(8), executor=executor) if not o.is_done]
    assert any("in fails_at_seven" in note for note in failed.error.__notes__)


@in_processes
def test_a_value_that_cannot_be_sent_back_is_the_error_of_its_task(executor: Executor) -> None:
    found = list(outcomes(gives_a_function, range(12), executor=executor, chunk=4))
    (failed,) = [o for o in found if not o.is_done]
    assert failed.index == 7 and "the value cannot be sent back" in str(failed.error)


@in_processes
def test_an_item_that_cannot_be_sent_is_the_error_of_its_task(executor: Executor) -> None:
    items = [0, 1, (k for k in "generator"), 3]
    found = list(outcomes(square, items, executor=executor, chunk=2))
    (failed,) = [o for o in found if not o.is_done]
    assert failed.index == 2 and isinstance(failed.error, WorkerError)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_that_dies_in_a_pool_ends_it_and_finished_values_are_kept(method: str, forked: tuple) -> None:
    executor = forked[1] if method == "fork" else ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method))
    with executor:
        found = list(outcomes(dies_at_seven, range(40), executor=executor, chunk=1))
    assert sorted(o.index for o in found) == list(range(40))
    lost = [o.index for o in found if isinstance(o.error, WorkerError)]
    not_begun = [o.index for o in found if isinstance(o.error, NotStartedError)]
    assert 7 in lost and len(lost) <= 6 and not_begun and min(not_begun) > 7
    assert [o.value for o in found if o.is_done] == [o.index for o in found if o.is_done] and len(found) > len(lost + not_begun)
    with pytest.raises(TaskError, match=r"no answer for input .* in flight with .* BrokenProcessPool"):
        in_order(found)
    everything = list(outcomes(square, range(3), executor=executor))  # of a pool that was broken before
    assert len(everything) == 3 and all(isinstance(o.error, NotStartedError) for o in everything)


def test_a_worker_that_dies_in_a_dask_cluster_is_replaced_and_only_its_input_is_lost(cluster) -> None:
    found = list(outcomes(dies_at_seven, range(12), executor=cluster.get_executor(), chunk=3))
    assert [o.index for o in found if not o.is_done] == [7]
    (lost,) = [o for o in found if not o.is_done]
    assert isinstance(lost.error, WorkerError) and "no answer for input 7, 7, in flight by itself" in str(lost.error)
    assert "KilledWorker" in str(lost.error)


def test_a_function_that_cannot_be_sent_is_named_before_anything_is_submitted(spawned: Executor) -> None:
    submitted = []
    pool = type("Pool", (ProcessPoolExecutor,), {"submit": lambda *given: submitted.append(given)})(1)
    named = r"the function test_scaling\..*<lambda> cannot be sent to another process .*: give functions .* top level"
    expansion, weights, batch = case()
    for function in (lambda *given: given, partial(lambda *given: given)):
        with pytest.raises(ExecutorError, match=named):
            outcomes(function, [1], executor=pool)
        with pytest.raises(ExecutorError, match=named):
            each_query(function, expansion, ["attn.0[0]"], weights, batch[0], executor=pool)
    with pytest.raises(ExecutorError, match="an object of type generator cannot be sent"):
        outcomes(square, [1], shared=((k for k in "ab"),), executor=pool)
    assert submitted == [] and in_order(outcomes(square, [3], executor=spawned)) == [9]
    with ThreadPoolExecutor(1) as threads:
        assert in_order(outcomes(lambda x: -x, [1, 2], executor=threads)) == [-1, -2]


def test_an_executor_is_one_and_numbers_are_numbers() -> None:
    client = type("Client", (), {"submit": None, "get_executor": None})()
    with pytest.raises(ExecutorError, match=r"a concurrent\.futures\.Executor; got Client: take client\.get_executor\(\)"):
        outcomes(square, [1], executor=client)
    with pytest.raises(ExecutorError, match="got int"):
        outcomes(square, [1], executor=4)
    for name in ("chunk", "window"):
        with pytest.raises(ExecutorError, match=f"{name} is a number of .* at least 1; got 0"):
            outcomes(square, [1], **{name: 0})


def test_an_executor_that_was_shut_down_begins_nothing() -> None:
    with ThreadPoolExecutor(1) as executor:
        pass
    found = list(outcomes(square, range(3), executor=executor))
    assert [type(o.error) for o in found] == [NotStartedError] * 3 and "shutdown" in str(found[0])


def test_inputs_and_queries_that_are_none() -> None:
    expansion, weights, batch = case()
    with pytest.raises(TokensError, match="got one sequence: put it in a list"):
        each_input(sc.total, expansion, weights, batch[0])
    with pytest.raises(TermError, match="queries are a list of them; got one: attn"):
        each_query(sc.total, expansion, "attn.0[0]", weights, batch[0])
    with pytest.raises(TermError):
        each_query(sc.total, expansion, ["attn.0[0]", "attn.0["], weights, batch[0])
    bad = list(each_input(sc.total, expansion, weights, [[1, 2], [99], [3]]))
    assert [o.is_done for o in bad] == [True, False, True] and "token 99" in str(bad[1])
    missing = list(each_query(sc.total, expansion, ["attn.0[0]", "attn.7[0]"], weights, batch[0]))
    assert [o.is_done for o in missing] == [True, False] and "attn.7" in str(missing[1])
