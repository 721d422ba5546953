import { version } from "../../package.json";
import type { ExitCode } from "./command.ts";

export { version };

export async function printVersion(): Promise<ExitCode> {
  console.log(version);
  return 0;
}
