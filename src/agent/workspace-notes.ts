import type { Lend } from "../sandbox/sandbox.ts";
import { notesLength } from "./prompt.ts";

/** `AGENTS.md` of the workspace, where the read roots hold it; read anew for each turn, because people edit it. */
export const workspaceNotes =
  (lend: Lend, hasWorkspace: boolean) => async (): Promise<string | undefined> => {
    const read = hasWorkspace
      ? lend.read?.({ turnId: "", callId: "", principal: "" }, AbortSignal.timeout(1000))
      : undefined;
    if (read === undefined) return undefined;
    const lines: string[] = [];
    let length = 0;
    try {
      await read.lines("AGENTS.md", (line) => {
        lines.push(line);
        length += line.length + 1;
        return length <= notesLength;
      });
    } catch {
      // Most workspaces have none; one that cannot be read is not worth a turn.
      return undefined;
    }
    return lines.join("\n");
  };
