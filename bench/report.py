"""From rounds to a table, and to the targets that the project holds itself to.

A ratio between two servers is the median of the ratios of rounds that ran one after the other, so that a slow
minute of a shared machine counts for both.
"""
import os
import platform
import statistics

MAIN, FLOOR, SCRIPT = "entrabridge", "floor", "script"
HEAD = ("latency", "callers", "server", "ops/s", "p50 ms", "p99 ms", "CPU s per 1,000", "memory MiB", "calls per op")
DISTANCE = ("latency", "callers", "one round trip, ms", "server", "p50 ms", "in two round trips", "in two latencies", "in the floor's p50")
TARGET = ("target", "measured", "wanted", "")


def median(rounds, field):
    return statistics.median(getattr(r, field) for r in rounds)


class Result:
    def __init__(self, cells, idle, starts, calls, trips, others):
        self.cells, self.idle, self.starts, self.calls = cells, idle, starts, calls
        self.others = others            # cores that other things kept busy, of each round
        self.trips = trips              # (latency, callers): what one plain read of the cloud takes, p50 in ms

    def ratio(self, cell, field, other, name=MAIN):
        pairs = zip(self.cells[cell][name], self.cells[cell][other])
        return statistics.median(getattr(a, field) / getattr(b, field) for a, b in pairs)

    def has(self, *names):
        return all(n in self.idle for n in names)

    def rows(self):
        for (latency, callers), servers in self.cells.items():
            for name, rounds in servers.items():
                yield (f"{latency} ms", f"{callers}", name, f"{median(rounds, 'ops_s'):.0f}", f"{median(rounds, 'p50'):.1f}",
                       f"{median(rounds, 'p99'):.1f}", f"{median(rounds, 'cpu_ms'):.2f}", f"{max(r.rss for r in rounds):.1f}",
                       f"{statistics.mean(r.calls for r in rounds):.2f}")

    def targets(self):
        """(what, measured, wanted, met)"""
        busy, far = (0, 64), [c for c in self.cells if c[0] == 30]
        if busy in self.cells and self.has(MAIN, FLOOR):
            yield self.at_most("CPU per operation, 64 callers, against the floor", self.ratio(busy, "cpu_ms", FLOOR), 1.5)
            yield self.at_least("throughput, 0 ms, 64 callers, against the floor", self.ratio(busy, "ops_s", FLOOR), 0.65)
        if busy in self.cells and self.has(MAIN, SCRIPT):
            yield self.at_most("CPU per operation, 64 callers, against the script", self.ratio(busy, "cpu_ms", SCRIPT), 1.0)
        if not self.has(MAIN):
            return
        for cell in far:
            rounds = self.cells[cell][MAIN]
            if cell[1] <= 64:
                p50 = median(rounds, "p50")
                yield self.at_most(f"p50, 30 ms, {cell[1]} callers, in two round trips as measured", p50 / (2 * self.trips[cell]), 1.1)
                yield self.at_most(f"p50, 30 ms, {cell[1]} callers, in two times 30 ms", p50 / 60, 1.1)
                yield self.at_most(f"p99, 30 ms, {cell[1]} callers, against p50", median(rounds, "p99") / p50, 1.3)
        yield self.at_most("calls to the clouds for one membership change", max(r.calls for c in self.cells.values() for r in c[MAIN]), 4.0)
        yield self.at_most("idle memory, MiB", self.idle[MAIN], 16)
        for latency, callers in self.cells:
            if callers == 256:
                yield self.at_most(f"memory at 256 callers, {latency} ms, MiB", max(r.rss for r in self.cells[latency, 256][MAIN]), 40)
        if self.starts:
            yield self.at_most("start to /healthz, ms (median of 5)", statistics.median(self.starts) * 1000, 100)

    def distances(self):
        """How far each server's p50 is from the two round trips that the job needs, by each way to reckon them."""
        for (latency, callers), trip in self.trips.items():
            for name, rounds in self.cells[latency, callers].items():
                p50 = median(rounds, "p50")
                floor = f"{self.ratio((latency, callers), 'p50', FLOOR, name):.2f}" if self.has(FLOOR) else ""
                yield f"{latency} ms", f"{callers}", f"{trip:.1f}", name, f"{p50:.1f}", f"{p50 / (2 * trip):.2f}", f"{p50 / (2 * latency):.2f}", floor

    @staticmethod
    def at_most(what, value, limit):
        return what, f"{value:.2f}", f"<= {limit}", value <= limit + 0.005

    @staticmethod
    def at_least(what, value, limit):
        return what, f"{value:.2f}", f">= {limit}", value >= limit - 0.005

    def faults(self):
        """What would make the figures worthless: failed operations, comments that never came."""
        for (latency, callers), servers in self.cells.items():
            for name, rounds in servers.items():
                failed, missing = sum(r.failed for r in rounds), sum(r.comments_missing for r in rounds)
                if failed or missing:
                    yield f"{name}, {latency} ms, {callers} callers: {failed} operations failed, {missing} comments missing"

    def complete(self):
        return not list(self.faults())

    def summary(self):
        idle = ", ".join(f"{n} {m:.1f} MiB" for n, m in self.idle.items())
        yield f"Idle memory: {idle}."
        if self.starts:
            yield f"Start to the first 200 of /healthz: {', '.join(f'{s * 1000:.0f}' for s in self.starts)} ms."
        yield "Calls of one operation: " + "; ".join(self.calls) + "."
        if max(self.others) > 0.2:
            yield f"Other things kept up to {max(self.others):.1f} cores busy meanwhile: latencies are worth little, ratios less than usual."
        yield from self.faults() if not self.complete() else ["Every operation succeeded, and every comment arrived."]

    def judged(self, missed):
        return [(what, measured, wanted, "met" if ok else missed) for what, measured, wanted, ok in self.targets()]

    def parts(self, table, missed):
        yield table(HEAD, list(self.rows()))
        if self.trips:
            yield table(DISTANCE, list(self.distances()))
        yield "\n".join("* " + s for s in self.summary())
        yield table(TARGET, self.judged(missed))

    def text(self):
        return "\n\n".join(self.parts(columns, "MISSED"))

    def markdown(self):
        return "\n\n".join([*self.parts(pipes, "**missed**"), f"Machine: {machine()}; other things kept {max(statistics.mean(self.others), 0):.2f} cores busy meanwhile (at most {max(self.others):.2f} in a round)."])


def columns(head, rows):
    lines = [head, *rows]
    widths = [max(len(r[i]) for r in lines) for i in range(len(head))]
    return "\n".join("  ".join(v.ljust(w) for v, w in zip(r, widths)).rstrip() for r in lines)


def pipes(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(r) + " |" for r in lines)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        models = [line.partition(":")[2].strip() for line in f if line.startswith("model name")]
    return f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), shared by load, simulator and servers; Linux {platform.release()}"
