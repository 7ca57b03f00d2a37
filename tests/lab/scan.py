"""Print how ports of an address answer, as JSON; those that keep silent are left out."""

import asyncio
import json
import sys

WAIT_S, AT_ONCE = 1.5, 2000


async def ask(address: str, port: int, gate: asyncio.Semaphore) -> tuple[int, str]:
    async with gate:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), WAIT_S)
        except ConnectionRefusedError:
            return port, "refused"
        except (OSError, TimeoutError):
            return port, ""
        writer.close()
        return port, "open"


async def scan(address: str, ports: list[int]) -> dict[int, str]:
    gate = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(ask(address, port, gate) for port in ports))
    return {port: how for port, how in found if how}


def spelled_out(ports: str) -> list[int]:
    ranges = (part.split("-") for part in ports.split(","))
    return [port for ends in ranges for port in range(int(ends[0]), int(ends[-1]) + 1)]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(scan(sys.argv[1], spelled_out(sys.argv[2])))))
