const patienceMs = 15_000;

/** Waits until a claim holds, looking every few milliseconds; throws, naming the claim, when it does not come to hold. */
export async function until(claim: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end)
      throw new Error(`It did not come to hold in ${patienceMs} ms that ${claim}.`);
    await Bun.sleep(5);
  }
}
