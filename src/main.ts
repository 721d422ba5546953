import { startFolder } from "./guard.ts";
import { runCommand } from "./cli/index.ts";
import { launchWord } from "./sandbox/processes/launch-policy.ts";

const words = process.argv.slice(2);

/** The server starts this executable once more for each program in the sandbox: then nothing else of it is needed. */
const launched = async () => (await import("./sandbox/processes/launcher.ts")).launch(words.slice(1));

// No top-level await: bytecode does not take it.
(words[0] === launchWord ? launched() : runCommand(words, startFolder)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
