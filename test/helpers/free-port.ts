const lowest = 20_000;
const beyond = 32_000;
const given = new Set<number>();

/**
 * A port of loopback for a program that cannot choose one itself. It lies below those that the kernel hands out (to
 * `port: 0` and to connections), so nobody is given it between this look and the program's own.
 */
export function freePort(): number {
  for (let tries = 0; tries < 100; tries++) {
    const port = lowest + Math.floor(Math.random() * (beyond - lowest));
    if (given.has(port)) continue;
    given.add(port);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Somebody has it: another one.
    }
  }
  throw new Error(`No port from ${lowest} to ${beyond - 1} is free.`);
}
