"""What a kiosk costs while nothing happens: CPU and memory of the agent and of its workers, on the running demo."""

import asyncio
from pathlib import Path
from typing import Final

import httpx

from lab.bench.figures import Figure, Results, at_most
from lab.demo import Options, parts

_SETTLE_S: Final = 10.0


def measure(results: Results, folder: Path, seconds: float) -> None:
    """Let one linked kiosk with both cameras open stand idle that long."""
    cpu, rss_mib = asyncio.run(_stand(folder, seconds))
    results.samples("idle_cpu_percent", "% of a core", [cpu[name] for name in sorted(cpu)])
    note = f"over {seconds:.0f} s"
    results.add(at_most("agent without workers, idle", cpu["agent"], 2.0, "% of a core", note))
    results.add(at_most("agent without workers, memory", rss_mib["agent"], 120.0, "MiB"))
    for role in ("overhead", "front"):
        results.add(Figure(f"worker {role}, camera open, scene", cpu[role], "% of a core"))


async def _stand(folder: Path, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    async with parts(Options(kiosks=1, port=0), folder, lambda _text: None) as demo, httpx.AsyncClient() as client:
        kiosk = next(iter(demo.kiosks.values()))
        await asyncio.sleep(_SETTLE_S)
        state = await kiosk.state(client)
        assert state is not None
        assert kiosk.pid is not None
        pids = {"agent": kiosk.pid, **{role: int(one["pid"]) for role, one in state["cameras"].items()}}
        before = {name: cpu_s(pid) for name, pid in pids.items()}
        await asyncio.sleep(seconds)
        used = {name: (cpu_s(pid) - before[name]) / seconds * 100 for name, pid in pids.items()}
        return used, {name: rss_mib(pid) for name, pid in pids.items()}


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def rss_mib(pid: int) -> float:
    """A process's resident memory, shared memory included, MiB."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
