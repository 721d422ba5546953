import { runs } from "../helpers/long.ts";
import type { Attack } from "./attack.ts";
import { browserAttacks } from "./rows/browser.ts";
import { documentAttacks } from "./rows/documents.ts";
import { fileAttacks } from "./rows/files.ts";
import { gitAttacks } from "./rows/git.ts";
import { inputAttacks } from "./rows/inputs.ts";
import { webAttacks } from "./rows/net.ts";
import { noteAttacks } from "./rows/notes.ts";
import { processAttacks, type Target } from "./rows/processes.ts";
import { serviceAttacks } from "./rows/services.ts";

/** Every attack there is, over all tools. */
export const allAttacks = (target: Target): readonly Attack[] => [
  ...inputAttacks(),
  ...fileAttacks(target.place),
  ...documentAttacks(target.place),
  ...webAttacks(target),
  ...browserAttacks(target),
  ...gitAttacks(target),
  ...processAttacks(target),
  ...serviceAttacks(),
  ...noteAttacks(),
];

/** What takes long and is the same in both places; in `npm test` it runs with the machine's own sandbox alone. */
const slow: ReadonlySet<string> = new Set(["pdf_read", "database", "search_files", "browser"]);
const inTurn = runs(4, 1);

/** The attacks for each place: all of them in the long run, and in `npm test` each in one place, of the longest every fourth. */
export function attacksIn(where: "machine" | "root", target: Target): readonly Attack[] {
  if (inTurn === 1) return allAttacks(target).filter(({ alone }) => where === "machine" || !alone);
  const inputs = inputAttacks().length;
  return allAttacks(target).filter(({ tool, calls, alone }, at) => {
    if (calls.length > 1 && at % inTurn !== 0) return false;
    // Every tool has fourteen of these, so that two in three are others for each tool.
    if (at < inputs) return where === "root" && at % 3 !== 0;
    return where === "machine" || (!slow.has(tool) && !alone);
  });
}
