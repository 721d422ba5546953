/** How often a seeded test runs: `short` in `npm test`, `long` in `bun run soak`. */
export const runs = (short: number, long: number) => (process.env.OPENCLAW_TEST_LONG === "1" ? long : short);
