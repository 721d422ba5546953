import { join } from "node:path";

const modules = join(import.meta.dir, "../../node_modules");

/**
 * Words before a command that let it see an empty folder in the place of our node_modules; none where that needs root.
 * What the executable does must not hang on them.
 */
export const hidesModules: readonly string[] =
  process.getuid?.() === 0
    ? ["unshare", "--mount", "/bin/sh", "-c", `mount -t tmpfs none ${modules} && exec "$@"`, "sh"]
    : [];
