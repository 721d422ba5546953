import type { Check, Finding } from "./check.ts";

/** What is looked at in the database, also while a server uses it; nothing outside is asked. */
export const keptChecks: readonly Check[] = [
  {
    id: "database",
    async run({ settings, isServing }): Promise<Finding> {
      const { inspectDatabase } = await import("./database.ts");
      // SQLite is read in this thread: others would wait.
      return inspectDatabase(settings.store, { whole: isServing !== true });
    },
  },
  {
    id: "audit",
    async run({ settings, isServing }): Promise<Finding> {
      if (isServing === true) return { state: "ok", text: "openclaw audit verify reads it" };
      const { inspectAudit } = await import("./audit.ts");
      return inspectAudit(settings.store);
    },
  },
  {
    id: "schedule",
    async run({ settings }): Promise<Finding> {
      const { inspectSchedule } = await import("./work.ts");
      return inspectSchedule(settings.store);
    },
  },
  {
    id: "approvals",
    async run({ settings }): Promise<Finding> {
      const { inspectApprovals } = await import("./work.ts");
      return inspectApprovals(settings.store);
    },
  },
  {
    id: "outbox",
    async run({ settings }): Promise<Finding> {
      const { inspectOutbox } = await import("./outbox.ts");
      return inspectOutbox(settings.store);
    },
  },
];
