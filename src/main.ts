import { startFolder } from "./guard.ts";
import { runCommand } from "./cli/index.ts";

// No top-level await: bytecode does not take it.
runCommand(process.argv.slice(2), startFolder).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
