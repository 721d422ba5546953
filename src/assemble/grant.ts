import { ownNotes } from "../agent/own-notes.ts";
import type { Settings } from "../config/settings.ts";
import type { Provider } from "../llm/providers.ts";
import { createGrants, type GrantParts } from "../sandbox/grants.ts";
import type { Roots } from "../sandbox/files/roots.ts";
import type { Store } from "../store/open.ts";
import { ownSessions } from "../turns/own-sessions.ts";
import type { Turns } from "../turns/turns.ts";

export interface Granting {
  readonly settings: Settings;
  readonly provider: Provider;
  readonly store: Store;
  readonly roots: Roots;
  readonly ownPort: () => number | undefined;
  /** The turns that are made later, from what is granted here. */
  readonly accept: Turns["accept"];
  /** The jobs, likewise. */
  readonly jobs: GrantParts["jobs"];
}

/** What the settings let tools touch. */
export const grant = ({ settings, provider, store, roots, ownPort, accept, jobs }: Granting) =>
  createGrants(settings.sandbox, {
    roots,
    dataDir: settings.store.dataDir,
    ownPort,
    provider: {
      endpoint: provider.endpoint,
      get key() {
        return provider.key;
      },
    },
    notes: (owner) => ownNotes(store, owner),
    sessions: (caller) => ownSessions(store, accept, caller),
    jobs,
  });
