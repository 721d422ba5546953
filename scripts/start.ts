import { ensureBuilt } from "./built.ts";

const path = await ensureBuilt();
// Bun reads this one name before any script runs, so the executable cannot set it for itself: see src/linux/exec.ts.
const environment = { BUN_CONFIG_MAX_HTTP_REQUESTS: "2000", ...process.env };
// Takes the place of this process: signals, terminal and exit code are the server's own from here on.
process.execve?.(path, ["openclaw", ...process.argv.slice(2)], environment);
