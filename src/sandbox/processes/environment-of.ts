import { searchPath } from "./host-sandbox.ts";
import type { ProgramSpec } from "./programs.ts";

/** Everything that a program sees of an environment; nothing of ours. `folder` is its own one. */
export function environmentOf({ environment, proxy }: ProgramSpec, folder: string): Record<string, string> {
  const ways = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
  return {
    PATH: searchPath,
    HOME: folder,
    TMPDIR: folder,
    LANG: "C.UTF-8",
    ...(proxy !== undefined && {
      ...Object.fromEntries(ways.map((name) => [name, proxy.url])),
      NO_PROXY: "",
      no_proxy: "",
    }),
    ...environment,
  };
}
