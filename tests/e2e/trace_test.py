"""What `run --trace` writes, and that it shows exchanges travel while the next step computes: over MPI and over NCCL."""

import json
import unittest

from support.harness import NCCL_DOUBLE, EndToEnd, polyhead, results

PAIR = ("parallel.batch=32", "parallel.threads=1", "parallel.strategy=heads")
WORK = ("wait for a lease", "wait for images", "backbone", "heads", "rows")
NAMES = {"MPI": ("MPI_Iallgather", "MPI_Ireduce_scatter_block", "MPI_Isend"),
         "NCCL": ("ncclAllGather", "ncclReduceScatter", "ncclSend")}


def spans(events, name):
    """(begin, end) of each, in microseconds, in their order."""
    return sorted((event["ts"], event["ts"] + event["dur"]) for event in events if event["ph"] == "X" and event["name"] == name)


def flights(events, name, after):
    ends = {event["id"]: event["ts"] for event in events if event["ph"] == "e"}
    return sorted((event["ts"], ends[event["id"]]) for event in events
                  if event["ph"] == "b" and event["name"] == name and event["ts"] > after)


def hidden(flight, computing):
    """The part of a flight in which its rank computed."""
    return sum(max(0, min(flight[1], end) - max(flight[0], begin)) for begin, end in computing)


class Trace(EndToEnd):
    def traced(self, *sets, **how):
        """The events of each of two ranks."""
        self.run_job("traced.h5", *PAIR, *sets, ranks=2, flags=["--trace", self.folder / "trace.json"], **how)
        self.assertEqual(len(list(self.folder.glob("trace.*.json"))), 2)
        return [json.loads((self.folder / f"trace.{rank}.json").read_text()) for rank in (0, 1)]

    def expect_overlap(self, ranks, names):
        """(backbones, all-gathers) of each rank, step by step."""
        gather = names[0]
        steps, beside, under_way, overlapped = [], 0, 0, 0
        for rank, events in enumerate(ranks):
            self.assertEqual({event["pid"] for event in events}, {rank})
            backbones = spans(events, "backbone")
            self.assertGreater(len(backbones), 10)
            gathers = flights(events, gather, backbones[0][0])
            self.assertEqual(len(gathers), len(backbones))
            pairs = list(zip(gathers, backbones[1:]))  # the exchange of a step, and the backbone of the next
            for (started, _), (begin, _) in pairs:
                self.assertLess(started, begin)
            beside += sum(ended > begin for (_, ended), (begin, _) in pairs)
            computing = backbones + spans(events, "heads")
            for name in names:
                exchanges = flights(events, name, backbones[0][0])
                self.assertEqual(len(exchanges), len(backbones))
                under_way += sum(end - begin for begin, end in exchanges)
                overlapped += sum(hidden(exchange, computing) for exchange in exchanges)
            for name in WORK:
                self.assertTrue(spans(events, name), name)
            steps.append((backbones, gathers))
        # Nothing of this would be, were they waited for at once. How much it is depends on what else the machine does:
        # the earlier rank waits for the later one, whose exchanges may end at once.
        self.assertGreater(beside, 0)
        self.assertGreater(overlapped, 0.1 * under_way)
        self.assertTrue(spans(ranks[0], "commit"))
        self.assertFalse(spans(ranks[1], "commit"))
        return steps

    def test_mpi(self):
        # Not only begun: the later of two ranks finds most exchanges ended before its next backbone has.
        shares = []
        for backbones, gathers in self.expect_overlap(self.traced(), NAMES["MPI"]):
            done = [ended < end for (_, ended), (_, end) in zip(gathers, backbones[1:])]
            shares.append(sum(done) / len(done))
        self.assertGreaterEqual(max(shares), 0.5, shares)

    @unittest.skipUnless(NCCL_DOUBLE, "built without NCCL")
    def test_nccl(self):
        ranks = self.traced("backbone.engine=libtorch", program=NCCL_DOUBLE,
                            variables={"POLYHEAD_NCCL_DOUBLE_GPUS": "2"})
        # When an exchange ends is seen when somebody waits for it: the later rank mostly need not wait.
        shares = []
        for events, (backbones, _) in zip(ranks, self.expect_overlap(ranks, NAMES["NCCL"])):
            waits = [end - begin for begin, end in spans(events, "wait for the exchange") if begin > backbones[0][0]]
            shares.append(sum(wait < 1000 for wait in waits) / len(waits))
        self.assertGreaterEqual(max(shares), 0.5, shares)

    def test_leaves_no_trace_in_the_result(self):
        self.traced()
        self.run_job("plain.h5", *PAIR, ranks=2)
        self.assertEqual(results(self.folder / "traced.h5"), results(self.folder / "plain.h5"))

    def test_a_folder_that_is_not_there_ends_the_run_before_it_begins(self):
        done = polyhead("run", self.config, "--set", f"output.path={self.folder / 'out.h5'}", "--trace",
                        self.folder / "no/trace.json", ranks=2)
        self.assert_fails(done, 73, "no/trace.0.json: the trace cannot be written")


if __name__ == "__main__":
    unittest.main()
