import type { Finding } from "./finding.ts";
import { probeHealth } from "./health-probe.ts";
import { createRandom } from "./random.ts";
import { smallest } from "./smallest.ts";
import type { Surface } from "./surface.ts";
import { startTarget, type Target } from "./target.ts";

/** What one input leads to may be written a little later. */
const settleMs = 150;
/** Of each surface, that may have done what the log or a health check tells. */
const suspectsEach = 12;
const mostFindings = 8;

export interface FuzzRun {
  readonly surfaces: readonly Surface[];
  readonly seconds: number;
  readonly seed: number;
  readonly found: (finding: Finding) => void;
}

interface Given {
  readonly surface: Surface;
  readonly number: number;
  readonly input: Uint8Array;
}

/** The input of a surface by its number: the same for the same seed. */
export const inputOf = (surface: Surface, number: number, seed: number) =>
  surface.make(createRandom(seed, surface.name, number));

/** Gives one input to a server that does nothing else; resolves to what was wrong. */
export async function giveAlone(
  surface: Surface,
  input: Uint8Array,
  target: Target,
): Promise<string | undefined> {
  await target.revive();
  target.faults();
  const hangs: string[] = [];
  using _ = probeHealth(target, (what) => hangs.push(what));
  const fault = await surface.give(input, target);
  await Bun.sleep(settleMs);
  return fault ?? hangs[0] ?? target.faults()[0];
}

/** Looks for the one that did it, and makes it as small as it can be. */
async function findCause(
  suspects: readonly Given[],
  fault: string,
  target: Target,
): Promise<Finding | undefined> {
  for (const { surface, number, input } of suspects) {
    const again = await giveAlone(surface, input, target);
    if (again === undefined) continue;
    const still = async (shorter: Uint8Array) => (await giveAlone(surface, shorter, target)) !== undefined;
    const small = await smallest(input, still);
    await target.revive();
    return { surface: surface.name, number, fault: again, input: small, again: true };
  }
  const [first] = suspects;
  await target.revive();
  if (first === undefined) return undefined;
  return { surface: first.surface.name, number: first.number, fault, input: first.input, again: false };
}

/** Gives inputs through all surfaces side by side until the time is over; resolves to how many each was given. */
export async function fuzz({
  surfaces,
  seconds,
  seed,
  found,
}: FuzzRun): Promise<Readonly<Record<string, number>>> {
  await using target = await startTarget();
  const until = performance.now() + seconds * 1000;
  const given = new Map(surfaces.map((surface) => [surface, 0]));
  const recent = new Map<Surface, Given[]>(surfaces.map((surface) => [surface, []]));
  const known = new Set<string>();
  const over = () => performance.now() > until || known.size >= mostFindings;

  while (!over()) {
    const hangs: string[] = [];
    let cause: { fault: string; by?: Given } | undefined;
    {
      using _ = probeHealth(target, (what) => hangs.push(what));
      const work = async (surface: Surface) => {
        while (!over() && cause === undefined) {
          const number = given.get(surface) ?? 0;
          given.set(surface, number + 1);
          const mine = { surface, number, input: inputOf(surface, number, seed) };
          const last = recent.get(surface) ?? [];
          recent.set(surface, [...last.slice(1 - suspectsEach), mine]);
          const fault = await surface.give(mine.input, target);
          const told = fault ?? hangs[0] ?? target.faults()[0];
          if (told !== undefined) cause ??= fault === undefined ? { fault: told } : { fault, by: mine };
        }
      };
      await Promise.all(
        surfaces.flatMap((each) => Array.from({ length: each.atOnce ?? 1 }, () => work(each))),
      );
      await Bun.sleep(settleMs);
      const last = hangs[0] ?? target.faults()[0];
      if (last !== undefined) cause ??= { fault: last };
    }
    if (cause === undefined) continue;
    const suspects =
      cause.by === undefined ? [...recent.values()].flatMap((all) => all.toReversed()) : [cause.by];
    const finding = await findCause(suspects, cause.fault, target);
    if (finding === undefined) continue;
    // One fault is told once, however many inputs lead to it.
    const kind = `${finding.surface} ${finding.fault.replaceAll(/[0-9a-f-]{8,}|\d+/g, "").slice(0, 120)}`;
    if (!known.has(kind)) found(finding);
    known.add(kind);
  }
  return Object.fromEntries([...given].map(([{ name }, count]) => [name, count]));
}
